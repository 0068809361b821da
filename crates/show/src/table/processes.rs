//! The table of processes, also of those without a connection.

use std::fmt::Write as _;
use std::io::{self, Write};

use model::Process;

use super::TableOptions;
use super::cell::Cell;
use super::grid::{Column, Grid, Style};
use super::owner::ProcessText;
use crate::checks;
use crate::visible::visible;

/// Of `2026-11-22T10:15:00.123456789Z`: up to the second.
const TO_THE_SECOND: usize = 19;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Pid,
    User,
    Name,
    Connections,
    Checks,
    Started,
    Path,
    Unit,
}

const SPARE: [Kind; 4] = [Kind::Unit, Kind::Started, Kind::Checks, Kind::User];
const LAST_RESORT: [Kind; 2] = [Kind::Connections, Kind::Pid];

pub(super) fn write(
    shown: &[(&Process, Option<usize>)],
    options: &TableOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    let columns = vec![
        Column::fixed(Kind::Pid, "PID"),
        Column::shared(Kind::User, "USER", 8, 6),
        Column::shared(Kind::Name, "NAME", 15, 8),
        Column::number(Kind::Connections, "CONNECTIONS"),
        Column::fixed(Kind::Checks, "CHECKS"),
        Column::fixed(Kind::Started, "STARTED"),
        Column::shared(Kind::Path, "PATH", 24, 10),
        Column::shared(Kind::Unit, "UNIT", 20, 10),
    ];
    let mut grid = Grid::new(columns, 0, options.color);
    let texts: Vec<ProcessText> = shown
        .iter()
        .map(|(process, _)| ProcessText::of(process))
        .collect();
    let rows = || shown.iter().zip(&texts);
    for ((process, count), text) in rows() {
        grid.measure(|kind, cell| fill(kind, process, *count, text, cell));
    }
    grid.fit(options.width, &SPARE, &LAST_RESORT);
    grid.header(out)?;
    for ((process, count), text) in rows() {
        let style = if process.ended.is_some() {
            Style::Dim
        } else {
            Style::Plain
        };
        grid.row(style, out, |kind, cell| {
            fill(kind, process, *count, text, cell)
        })?;
    }
    grid.note_left_out(options.width, out)
}

fn fill(
    kind: Kind,
    process: &Process,
    connections: Option<usize>,
    text: &ProcessText,
    cell: &mut Cell,
) {
    match kind {
        Kind::Pid => {
            let _ = write!(cell.head, "{}", process.id.pid);
        }
        Kind::User => cell.head.push_str(&text.user),
        Kind::Name => {
            cell.head.push_str(&text.name);
            if process.ended.is_some() {
                cell.tail.push_str(" (ended)");
            }
        }
        Kind::Connections => match connections {
            None => cell.head.push('?'),
            Some(0) => cell.head.push_str("none"),
            Some(connections) => {
                let _ = write!(cell.head, "{connections}");
            }
        },
        Kind::Checks => cell.head.push_str(&checks::in_short(process)),
        Kind::Started => match process.started {
            Some(started) => {
                let _ = write!(cell.head, "{started}");
                cell.head.truncate(TO_THE_SECOND);
                cell.head.push('Z');
            }
            None => cell.head.push('-'),
        },
        Kind::Path => text.path(cell),
        Kind::Unit => match (&text.container, &process.unit) {
            (Some(container), _) => cell.head.push_str(container),
            (None, Some(unit)) => cell.head.push_str(&visible(unit)),
            (None, None) => cell.head.push('-'),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::sample::{self, check_lines};
    use std::sync::Arc;

    use model::{Check, Examined, Outcome, PathState, Timestamp, Untested};

    fn table(processes: &[(Process, Option<usize>)], width: Option<usize>) -> String {
        let shown: Vec<_> = processes
            .iter()
            .map(|(process, count)| (process, *count))
            .collect();
        let options = TableOptions {
            width,
            ..TableOptions::default()
        };
        let mut out = Vec::new();
        write(&shown, &options, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn some_processes() -> Vec<(Process, Option<usize>)> {
        let mut kernel = sample::process(2, "kthreadd", "");
        kernel.path = None;
        kernel.kernel_thread = true;
        kernel.user = Some("root".into());
        let mut service = sample::process(801, "nginx", "/usr/sbin/nginx");
        service.unit = Some("nginx.service".into());
        service.user = None;
        let mut examined = Examined::default();
        examined.put(Check::Traced, Outcome::NothingFound);
        examined.put(Check::Preload, Outcome::NotTestable(Untested::NoRights));
        service.examined = Some(Arc::new(examined));
        let mut deleted = sample::process(1464, "", "/tmp/.cache/updater/bin/agent");
        deleted.path_state = PathState::Deleted;
        deleted.ended = Some(Timestamp::from_unix_nanos(sample::TAKEN));
        vec![(kernel, Some(0)), (service, Some(12)), (deleted, Some(1))]
    }

    #[test]
    fn processes_with_and_without_connections() {
        let expected = "
PID   USER   NAME               CONNECTIONS  CHECKS  STARTED               PATH                                     UNIT
2     root   kthreadd                  none  kernel  2026-11-22T09:15:00Z  (kernel thread)                          -
801   1000   nginx                       12  · 1/2   2026-11-22T09:15:00Z  /usr/sbin/nginx                          nginx.service
1464  alice  (no name) (ended)            1  -       2026-11-22T09:15:00Z  /tmp/.cache/updater/bin/agent (deleted)  -
";
        assert_eq!(format!("\n{}", table(&some_processes(), None)), expected);
        let expected = "
PID   USER   NAME               CONNECTIONS  CHECKS  PATH
2     root   kthreadd                  none  kernel  (kernel thread)
801   1000   nginx                       12  · 1/2   /usr/sbin/nginx
1464  alice  (no name) (ended)            1  -       /tmp/.ca…in/agent (deleted)
(no room for UNIT, STARTED)
";
        assert_eq!(
            format!("\n{}", table(&some_processes(), Some(80))),
            expected
        );
        for width in 0..200 {
            check_lines(&table(&some_processes(), Some(width)), Some(width), 4);
        }
    }
}

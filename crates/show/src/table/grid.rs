//! Columns in lines: how wide each is, what gives way on a narrow screen, and the writing of one
//! line at a time.

use std::cmp::Reverse;
use std::io::{self, Write};

use super::cell::{Cell, NARROWEST, wrapped};
use crate::visible::display_width;

const WIDE_GAP: usize = 2;
const NARROW_GAP: usize = 1;

/// One column, named by `kind`.
#[derive(Clone, Debug)]
pub(super) struct Column<K> {
    pub(super) kind: K,
    pub(super) title: &'static str,
    pub(super) room: Room,
    pub(super) align: Align,
    /// Columns its widest cell takes, whole.
    natural: usize,
    /// The same without what a cell can do without.
    core: usize,
    width: usize,
}

/// How a column behaves where room is short.
#[derive(Clone, Copy, Debug)]
pub(super) enum Room {
    /// It is shown whole or not at all.
    Fixed,
    /// Its cells may be cut: to `comfortable` before another column leaves, to `tight` after.
    Shared { comfortable: usize, tight: usize },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

impl<K> Column<K> {
    pub(super) fn fixed(kind: K, title: &'static str) -> Self {
        Self::new(kind, title, Room::Fixed, Align::Left)
    }

    /// A fixed column of numbers.
    pub(super) fn number(kind: K, title: &'static str) -> Self {
        Self::new(kind, title, Room::Fixed, Align::Right)
    }

    pub(super) fn shared(kind: K, title: &'static str, comfortable: usize, tight: usize) -> Self {
        Self::new(
            kind,
            title,
            Room::Shared { comfortable, tight },
            Align::Left,
        )
    }

    fn new(kind: K, title: &'static str, room: Room, align: Align) -> Self {
        let width = title.len();
        Self {
            kind,
            title,
            room,
            align,
            natural: width,
            core: width,
            width,
        }
    }

    fn comfortable(&self) -> usize {
        match self.room {
            Room::Fixed => self.natural,
            Room::Shared { comfortable, .. } => self.core.min(comfortable.max(self.title.len())),
        }
    }

    fn tight(&self) -> usize {
        match self.room {
            Room::Fixed => self.natural,
            Room::Shared { tight, .. } => self.core.min(tight.max(self.title.len())),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Bold,
    Dim,
}

/// The columns of a table and the line being written.
#[derive(Debug)]
pub(super) struct Grid<K> {
    columns: Vec<Column<K>>,
    gap: usize,
    indent: usize,
    color: bool,
    left_out: Vec<&'static str>,
    line: String,
    cell: Cell,
}

impl<K: Copy + PartialEq> Grid<K> {
    pub(super) fn new(columns: Vec<Column<K>>, indent: usize, color: bool) -> Self {
        Self {
            columns,
            gap: WIDE_GAP,
            indent,
            color,
            left_out: Vec::new(),
            line: String::new(),
            cell: Cell::default(),
        }
    }

    /// Takes a row into account for the widths. Every row comes by here before the first is
    /// written.
    pub(super) fn measure(&mut self, mut fill: impl FnMut(K, &mut Cell)) {
        let Self { columns, cell, .. } = self;
        for column in columns {
            cell.clear();
            fill(column.kind, cell);
            let core = cell.core_width();
            column.core = column.core.max(core);
            column.natural = column.natural.max(core + display_width(&cell.extra));
        }
    }

    /// Settles the widths. `spare` are the columns that leave, in this order, before an address
    /// or a name becomes hard to read; `last_resort` those that leave when nothing else helps.
    pub(super) fn fit(&mut self, width: Option<usize>, spare: &[K], last_resort: &[K]) {
        for column in &mut self.columns {
            column.width = column.natural;
        }
        let Some(width) = width else { return };
        let width = width.max(NARROWEST);
        for kind in spare {
            if self.total(Column::comfortable) > width {
                self.leave_out(*kind);
            }
        }
        let mut least: fn(&Column<K>) -> usize = Column::comfortable;
        if self.total(least) > width {
            self.gap = NARROW_GAP;
        }
        if self.total(least) > width {
            least = Column::tight;
            for kind in last_resort {
                if self.total(least) > width {
                    self.leave_out(*kind);
                }
            }
        }
        self.shrink_to(width, least);
        self.shrink_to(width, |_| 1);
    }

    pub(super) fn header(&mut self, out: &mut impl Write) -> io::Result<()> {
        let titles: Vec<_> = self
            .columns
            .iter()
            .map(|column| (column.kind, column.title))
            .collect();
        self.row(Style::Bold, out, |kind, cell| {
            let title = titles.iter().find(|(titled, _)| *titled == kind);
            cell.head.push_str(title.map_or("", |(_, title)| title));
        })
    }

    pub(super) fn row(
        &mut self,
        style: Style,
        out: &mut impl Write,
        mut fill: impl FnMut(K, &mut Cell),
    ) -> io::Result<()> {
        let Self {
            columns,
            gap,
            indent,
            line,
            cell,
            ..
        } = self;
        line.clear();
        pad(line, *indent);
        // Written before the next cell only: one long path must not lengthen every line.
        let mut blanks = 0;
        for column in columns {
            pad(line, blanks);
            cell.clear();
            fill(column.kind, cell);
            let start = line.len();
            let taken = cell.append_to(line, column.width);
            let free = column.width.saturating_sub(taken);
            blanks = *gap;
            match column.align {
                Align::Left => blanks += free,
                Align::Right => (0..free).for_each(|_| line.insert(start, ' ')),
            }
        }
        line.truncate(line.trim_end_matches(' ').len());
        self.write_line(style, out)
    }

    /// A line of its own between the rows, cut to the screen.
    pub(super) fn heading(
        &mut self,
        width: Option<usize>,
        out: &mut impl Write,
        fill: impl FnOnce(&mut Cell),
    ) -> io::Result<()> {
        self.cell.clear();
        fill(&mut self.cell);
        self.line.clear();
        let width = width.map_or(usize::MAX, |width| width.max(NARROWEST));
        self.cell.append_to(&mut self.line, width);
        self.write_line(Style::Bold, out)
    }

    /// Says which columns had no room, if any.
    pub(super) fn note_left_out(
        &mut self,
        width: Option<usize>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        if self.left_out.is_empty() {
            return Ok(());
        }
        let note = format!("(no room for {})", self.left_out.join(", "));
        for line in wrapped(&note, width) {
            self.line = line;
            self.write_line(Style::Dim, out)?;
        }
        Ok(())
    }

    fn write_line(&mut self, style: Style, out: &mut impl Write) -> io::Result<()> {
        // SGR, ECMA-48 8.3.117: 1 bold, 2 faint, 0 off.
        let (on, off) = match style {
            Style::Bold if self.color => ("\x1b[1m", "\x1b[0m\n"),
            Style::Dim if self.color => ("\x1b[2m", "\x1b[0m\n"),
            Style::Plain | Style::Bold | Style::Dim => ("", "\n"),
        };
        out.write_all(on.as_bytes())?;
        out.write_all(self.line.as_bytes())?;
        out.write_all(off.as_bytes())
    }

    fn total(&self, width: impl Fn(&Column<K>) -> usize) -> usize {
        let gaps = self.columns.len().saturating_sub(1) * self.gap;
        self.indent + gaps + self.columns.iter().map(width).sum::<usize>()
    }

    fn leave_out(&mut self, kind: K) {
        if let Some(index) = self.columns.iter().position(|column| column.kind == kind) {
            self.left_out.push(self.columns.remove(index).title);
        }
    }

    /// Takes from the widest column that may give, the first of equals, until all fit or none can.
    fn shrink_to(&mut self, width: usize, least: impl Fn(&Column<K>) -> usize) {
        let mut excess = self.total(|column| column.width).saturating_sub(width);
        while excess > 0 {
            let widest = self.columns.iter_mut().filter(|column| {
                matches!(column.room, Room::Shared { .. }) && column.width > least(column)
            });
            let Some(column) = widest.min_by_key(|column| Reverse(column.width)) else {
                return;
            };
            column.width -= 1;
            excess -= 1;
        }
    }
}

fn pad(line: &mut String, count: usize) {
    line.extend(std::iter::repeat_n(' ', count));
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [[&str; 3]; 2] = [["7", "systemd-resolved", "80"], ["12345", "curl", "443"]];

    /// Three columns, as `grid` lays them out in `width`.
    fn check(width: Option<usize>, expected: &str) {
        let columns = vec![
            Column::number(0, "PID"),
            Column::shared(1, "NAME", 8, 6),
            Column::fixed(2, "PORT"),
        ];
        let mut grid = Grid::new(columns, 0, false);
        let fill = |row: [&str; 3], kind: usize, cell: &mut Cell| {
            cell.head.push_str(row[kind]);
            if kind == 1 {
                cell.extra.push_str("/tcp");
            }
        };
        for row in ROWS {
            grid.measure(|kind, cell| fill(row, kind, cell));
        }
        grid.fit(width, &[2], &[0]);
        let mut out = Vec::new();
        grid.header(&mut out).unwrap();
        for row in ROWS {
            grid.row(Style::Plain, &mut out, |kind, cell| fill(row, kind, cell))
                .unwrap();
        }
        grid.note_left_out(width, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn whole_where_there_is_room() {
        let whole = "  PID  NAME                  PORT\n    7  systemd-resolved/tcp  80\n12345  curl/tcp              443\n";
        check(None, whole);
        check(Some(33), whole);
    }

    #[test]
    fn cells_give_before_columns_leave() {
        check(
            Some(29),
            "  PID  NAME              PORT\n    7  systemd-resolved  80\n12345  curl/tcp          443\n",
        );
        check(
            Some(21),
            "  PID  NAME      PORT\n    7  systemd…  80\n12345  curl/tcp  443\n",
        );
    }

    #[test]
    fn columns_leave_in_their_order() {
        check(
            Some(20),
            "  PID  NAME\n    7  systemd-reso…\n12345  curl/tcp\n(no room for PORT)\n",
        );
    }
}

//! A screen without a terminal: keys go in, text comes out.

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use model::{
    Asked, Call, Calls, Connection, ConnectionError, Gap, NameSource, NameStrength, Pair, PairKey,
    Phase, Process, Protocol, RemoteName, Snapshot, Source, State, Tier, Timestamp,
};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

use crate::table::sample::{self, TAKEN, connection, known};
use crate::tui::screen::{Reaction, Screen};
use crate::tui::{Colors, Mode, Options, Status, Theme, draw};
use crate::visible::display_width;

pub(super) struct Stage {
    pub(super) screen: Screen,
    area: Rect,
}

impl Stage {
    pub(super) fn new(width: u16, height: u16, theme: Theme) -> Self {
        let options = Options {
            theme,
            mouse: true,
            refresh: Duration::from_secs(1),
            actions: true,
            filter: String::new(),
            to_ask: crate::tui::ToAsk::default(),
        };
        Self {
            screen: Screen::new(options),
            area: Rect::new(0, 0, width, height),
        }
    }

    /// As most terminals are, with what an evening brings.
    pub(super) fn usual() -> Self {
        let mut stage = Self::new(80, 24, Theme::default());
        stage.show(evening());
        stage
    }

    pub(super) fn show(&mut self, snapshot: Snapshot) {
        self.screen.show(Arc::new(snapshot), status());
    }

    pub(super) fn show_as(&mut self, snapshot: Snapshot, status: Status) {
        self.screen.show(Arc::new(snapshot), status);
    }

    /// Single characters are keys; `<Enter>` and the like are named.
    pub(super) fn press(&mut self, keys: &str) -> Vec<Reaction> {
        let mut reactions = Vec::new();
        let mut rest = keys;
        while let Some(first) = rest.chars().next() {
            let (code, length) = match rest.find('>').filter(|_| first == '<') {
                Some(end) => (named(&rest[1..end]), end + 1),
                None => (KeyCode::Char(first), first.len_utf8()),
            };
            // Rows are made when they are painted.
            self.paint();
            reactions.push(self.screen.key(KeyEvent::new(code, KeyModifiers::NONE)));
            rest = &rest[length..];
        }
        reactions
    }

    /// Clicks on the first place where a text stands.
    pub(super) fn click(&mut self, on: &str) -> Reaction {
        let (column, row) = self.find(on);
        self.mouse(MouseEventKind::Down(MouseButton::Left), column, row)
    }

    /// Where a text stands: column and row.
    pub(super) fn find(&mut self, on: &str) -> (u16, u16) {
        let text = self.text();
        let found = text.lines().enumerate().find_map(|(row, line)| {
            let before = line.get(..line.find(on)?)?;
            Some((row, display_width(before)))
        });
        let (row, column) = found.unwrap_or_else(|| panic!("no {on} in\n{text}"));
        (u16::try_from(column).unwrap(), u16::try_from(row).unwrap())
    }

    pub(super) fn mouse(&mut self, kind: MouseEventKind, column: u16, row: u16) -> Reaction {
        self.screen.mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        })
    }

    pub(super) fn paint(&mut self) -> Buffer {
        let mut buffer = Buffer::empty(self.area);
        draw::screen(&mut self.screen, self.area, &mut buffer);
        buffer
    }

    pub(super) fn text(&mut self) -> String {
        let buffer = self.paint();
        let lines = (0..self.area.height).map(|y| {
            let cells = (0..self.area.width).map(|x| buffer[(x, y)].symbol());
            cells.collect::<String>().trim_end().to_owned()
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The text with its colours in brackets.
    pub(super) fn colored(&mut self) -> String {
        let buffer = self.paint();
        let mut text = String::new();
        for y in 0..self.area.height {
            let mut line = String::new();
            let mut before = String::new();
            for x in 0..self.area.width {
                let cell = &buffer[(x, y)];
                let style = style_of(cell.fg, cell.modifier);
                if style != before {
                    line.push_str(&format!("[{style}]"));
                    before = style;
                }
                line.push_str(cell.symbol());
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

fn style_of(color: Color, modifier: Modifier) -> String {
    let color = if color == Color::Reset {
        String::new()
    } else {
        color.to_string().to_lowercase()
    };
    let modifiers = modifier.iter_names().map(|(name, _)| name.to_lowercase());
    let parts = modifiers.chain([color]).filter(|it| !it.is_empty());
    parts.collect::<Vec<_>>().join(" ")
}

fn named(name: &str) -> KeyCode {
    match name {
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "Back" => KeyCode::Backspace,
        "Up" => KeyCode::Up,
        "Down" => KeyCode::Down,
        "Left" => KeyCode::Left,
        "Right" => KeyCode::Right,
        "PgDn" => KeyCode::PageDown,
        "PgUp" => KeyCode::PageUp,
        "Lt" => KeyCode::Char('<'),
        _ => panic!("no key {name}"),
    }
}

pub(super) fn status() -> Status {
    Status {
        user: "root".to_owned(),
        since: seconds_ago(240),
        online: Some(false),
        events: 1234,
        lost: 0,
        let_go: 0,
        forgotten: 0,
        mode: Mode::Live { recording: None },
        packet_files: Arc::default(),
    }
}

pub(super) fn seconds_ago(seconds: i64) -> Timestamp {
    Timestamp::from_unix_nanos(TAKEN - seconds * 1_000_000_000)
}

/// Each with the seconds ago at which it began; all lasted a second.
fn pair(program: &str, destination: &str, failed: bool, calls: &[i64]) -> Pair {
    let mut row = Calls::default();
    for ago in calls {
        row.add(Call {
            opened: seconds_ago(*ago),
            closed: Some(seconds_ago(ago - 1)),
            failed,
            bytes_sent: 100,
            bytes_received: 0,
        });
    }
    let count = u64::try_from(calls.len()).unwrap();
    Pair {
        key: PairKey {
            device: None,
            program: Some(program.into()),
            destination: destination.to_owned(),
            port: Some(443),
            local_port: None,
            protocol: Protocol::Tcp,
        },
        first: seconds_ago(*calls.first().unwrap()),
        last: seconds_ago(*calls.last().unwrap()),
        connections: count,
        failed: if failed { count } else { 0 },
        open: 0,
        bytes_sent: count * 100,
        bytes_received: 0,
        calls: row,
        let_go: 0,
        talks: model::Talks::default(),
        members: std::sync::Arc::default(),
    }
}

/// A computer that was cut off, with a program on it that calls home all the same.
pub(crate) fn evening() -> Snapshot {
    let desk = sample::desk();
    let mut processes: Vec<Process> = desk.processes.values().map(|it| (**it).clone()).collect();
    processes.push(sample::process(
        2210,
        "updater",
        "/home/lena/.cache/updater",
    ));
    let mut connections: Vec<Connection> = desk.connections.iter().cloned().collect();
    for (port, ago) in [(41000, 12), (41001, 2)] {
        let mut tried = connection(known(2210), &format!("192.0.2.7:{port}"), "216.6.0.28:443");
        tried.state = State::Failed;
        tried.opened = Some(seconds_ago(ago));
        tried.closed = Some(seconds_ago(ago));
        tried.error = Some(ConnectionError {
            errno: Some(101),
            phase: Phase::Connect,
        });
        connections.push(tried);
    }
    let mut snapshot = sample::snapshot(processes, connections);
    snapshot.tier = Tier::Full;
    let comb: Vec<i64> = (0..22).map(|number| 222 - number * 10).collect();
    snapshot.pairs = [
        pair("/home/lena/.cache/updater", "216.6.0.28", true, &comb),
        pair("/usr/lib/firefox/firefox", "203.0.113.9", false, &[200, 90]),
    ]
    .into_iter()
    .collect();
    snapshot.gaps = vec![
        Gap::standing(
            "no_rights",
            Source::Proc,
            "the process is protected",
            "which sockets one process holds",
        )
        .counted(1),
        Gap {
            since: Some(seconds_ago(120)),
            until: Some(seconds_ago(90)),
            ..Gap::standing(
                "resumed",
                Source::Ebpf,
                "the computer slept",
                "30 s of sleep",
            )
        },
    ];
    snapshot
}

/// The same, and what its programs asked for.
pub(super) fn evening_with_names() -> Snapshot {
    let mut snapshot = evening();
    let mut shop = connection(known(1464), "192.0.2.7:40999", "203.0.113.9:443");
    shop.opened = Some(seconds_ago(20));
    shop.name = Some(Arc::new(RemoteName {
        name: "www.shop.example".into(),
        source: NameSource::Sni,
        strength: NameStrength::Greeted,
    }));
    snapshot.connections.put(shop);
    let asked = |name: &str, pid: u32, ago: i64| Asked {
        name: name.into(),
        source: NameSource::Dns,
        process: Some(sample::process_id(pid)),
        from: None,
        first: seconds_ago(ago),
        last: seconds_ago(ago - 10),
        questions: 1,
        answers: 1,
        no_such_name: 0,
        failed: 0,
        code: Some(0),
        addresses: vec![[203, 0, 113, 9].into()],
    };
    snapshot.asked = [
        Asked {
            addresses: vec![[203, 0, 113, 9].into(), [203, 0, 113, 10].into()],
            ..asked("www.shop.example", 1464, 30)
        },
        Asked {
            questions: 3,
            ..asked("WWW.shop.example.", 801, 200)
        },
        Asked {
            questions: 22,
            answers: 22,
            no_such_name: 22,
            code: Some(3),
            addresses: Vec::new(),
            ..asked("kq3v.updates.example", 2210, 222)
        },
        asked("cdn.example", 1464, 60),
        Asked {
            answers: 0,
            code: None,
            process: None,
            addresses: Vec::new(),
            ..asked("a\u{1b}[2Jb\u{202e}c.example", 0, 15)
        },
    ]
    .into_iter()
    .collect();
    snapshot
}

pub(super) fn theme(colors: Colors, ascii: bool) -> Theme {
    Theme {
        colors,
        ascii,
        light: false,
    }
}

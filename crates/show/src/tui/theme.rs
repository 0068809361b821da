//! Colours and signs. What a tone means is said here once; nothing is said by colour alone.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

/// Which colours the screen uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colors {
    /// One colour for headings and time. Red and amber are left to findings.
    #[default]
    Usual,
    /// New rows green, changed ones yellow, closed ones red, as TCPView does it.
    TcpView,
    /// Bold, dim and reversed only.
    Mono,
}

/// How the screen looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Theme {
    pub colors: Colors,
    /// Nothing but ASCII characters.
    pub ascii: bool,
    /// The background of the terminal is light.
    pub light: bool,
}

/// What a piece of text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tone {
    #[default]
    Plain,
    Strong,
    Dim,
    /// Headings of parts and of columns.
    Title,
    /// The view that is shown, a key in the footer.
    Key,
    /// The row the person is at.
    Cursor,
    /// Calls over time.
    Time,
    New,
    Changed,
    Closed,
    /// A finding to look at first.
    LookFirst,
    /// A finding to look at.
    Look,
    /// What is wrong with what the person wrote.
    Error,
}

impl Theme {
    pub(super) fn style(self, tone: Tone) -> Style {
        let plain = Style::new();
        let heading = if self.light { Color::Blue } else { Color::Cyan };
        let color = |style: Style, color| match self.colors {
            Colors::Mono => style,
            Colors::Usual | Colors::TcpView => style.fg(color),
        };
        let life = |style: Style, color| match self.colors {
            Colors::TcpView => plain.fg(color),
            Colors::Usual | Colors::Mono => style,
        };
        match tone {
            Tone::Plain => plain,
            Tone::Strong | Tone::Error => plain.add_modifier(Modifier::BOLD),
            Tone::Dim => plain.add_modifier(Modifier::DIM),
            Tone::Title => color(plain.add_modifier(Modifier::BOLD), heading),
            Tone::Key | Tone::Cursor => plain.add_modifier(Modifier::REVERSED),
            Tone::Time => color(plain, heading),
            Tone::LookFirst => color(plain.add_modifier(Modifier::BOLD), Color::Red),
            Tone::Look => color(plain, Color::Yellow),
            Tone::New => life(plain.add_modifier(Modifier::BOLD), Color::Green),
            Tone::Changed => life(plain, Color::Yellow),
            Tone::Closed => life(plain.add_modifier(Modifier::DIM), Color::Red),
        }
    }

    /// Replaces what is not ASCII, where the terminal is said to know nothing else.
    pub(super) fn finish(self, buffer: &mut Buffer) {
        if !self.ascii {
            return;
        }
        for cell in &mut buffer.content {
            if !cell.symbol().is_ascii() {
                let symbol = cell.symbol().chars().next().map_or(' ', in_ascii);
                cell.set_char(symbol);
            }
        }
    }
}

/// `?` where there is none that is like it.
pub(super) fn in_ascii(character: char) -> char {
    match character {
        '…' => '~',
        '‹' => '<',
        '›' => '>',
        '─' => '-',
        '│' | '▃' | '▄' | '▅' => '|',
        '▆' | '█' => '#',
        '×' => 'x',
        '░' => '/',
        '·' => '.',
        '◆' => '*',
        '●' => '!',
        '▲' => '^',
        '▼' => 'v',
        '▸' => '+',
        '▾' => '-',
        '→' => '>',
        '←' => '<',
        '↑' => '^',
        '↓' => 'v',
        _ => '?',
    }
}

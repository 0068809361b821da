//! What goes on outside of the screen: the recording, and Wireshark.

use model::Phase;

use super::{Doing, Reaction, Screen};
use crate::messages::frame;
use crate::quantity::bytes;
use crate::tui::rows::clock;
use crate::tui::{Mode, Recording};
use crate::visible::visible_str;
use crate::wireshark;

/// A terminal takes no longer copy, and nobody opens more files one by one.
const MOST_COMMANDS: usize = 50;

impl Screen {
    pub(in crate::tui) fn recording(&self) -> Option<&Recording> {
        match &self.status.mode {
            Mode::Live { recording } => recording.as_ref(),
            Mode::Case(_) => None,
        }
    }

    /// Says what is recorded, or how it would be.
    pub(super) fn tell_recording(&mut self) {
        let text = match self.recording() {
            Some(recording) => frame::recorded(
                &clock(recording.since),
                recording.events,
                recording.packets,
                recording.lost,
                &bytes(recording.bytes).to_string(),
                &visible_str(&recording.name),
            ),
            None => frame::HOW_TO_RECORD.to_owned(),
        };
        self.say(text);
    }

    /// Says why there is nothing to open with Wireshark.
    pub(super) fn tell_why_no_packets(&mut self) {
        self.say(match self.recording().map(|it| it.packets.is_some()) {
            Some(true) => frame::PACKETS_AFTERWARDS,
            Some(false) => frame::PACKETS_NOT_RECORDED,
            None if self.replay().is_some() => frame::NO_PACKETS_IN_CASE,
            None => frame::NO_PACKETS_LIVE,
        });
    }

    /// Commands that open the packets of the connection in the row. `None`: it is not one.
    pub(super) fn wireshark_commands(&self) -> Option<Vec<String>> {
        let (connection, _) = self.behind();
        let files = &self.status.packet_files;
        Some(wireshark::commands(connection?, files))
    }

    pub(super) fn open_wireshark(&mut self) -> Reaction {
        let Some(commands) = self.wireshark_commands() else {
            self.say(frame::NO_CONNECTION_HERE);
            return Reaction::Nothing;
        };
        if commands.is_empty() {
            self.say(crate::messages::dialogs::NO_PACKETS);
            return Reaction::Nothing;
        }
        self.commands = commands;
        self.mode = Doing::Commands(0);
        Reaction::Copy(self.shown_commands().join("\n"))
    }

    /// Whether the connection in the row was only tried, and nothing of it was sent.
    pub(in crate::tui) fn never_left(&self) -> bool {
        let (connection, _) = self.behind();
        let error = connection.and_then(|it| it.error.as_ref());
        error.is_some_and(|error| error.phase == Phase::Connect)
    }

    /// The newest of them.
    pub(in crate::tui) fn shown_commands(&self) -> &[String] {
        let left_out = self.commands.len().saturating_sub(MOST_COMMANDS);
        self.commands.get(left_out..).unwrap_or_default()
    }
}

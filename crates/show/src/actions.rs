//! The questions before something is ended: the same in the shell and on the screen.

use model::{Connection, Process};

use crate::visible::visible;

/// To be typed before a process is ended.
pub const END_WORD: &str = "END";
/// To be typed before a connection is closed.
pub const CLOSE_WORD: &str = "CLOSE";

/// What will happen when a process is ended.
pub fn end_question(process: &Process) -> String {
    format!(
        "End {} ({})? The other side sees it at once and may react against the owner of this \
         computer. Code that exists only in memory is lost for good. Usually better: pull the \
         cable or switch off Wi-Fi and keep recording. Type {END_WORD} to go on.",
        visible(&process.name),
        process.id.pid
    )
}

/// What will happen when a connection is closed.
pub fn close_question(connection: &Connection, process: Option<&Process>) -> String {
    let whose = process.map_or_else(String::new, |process| {
        format!(" of {} ({})", visible(&process.name), process.id.pid)
    });
    let to = connection
        .remote
        .and_then(|remote| remote.ip.zip(remote.port));
    let to = to.map_or_else(String::new, |to| {
        format!(" to {}", std::net::SocketAddr::from(to))
    });
    format!(
        "Close the connection{whose}{to}? The other side sees it at once and may react against \
         the owner of this computer; the program may call again. Usually better: pull the cable \
         or switch off Wi-Fi and keep recording. Type {CLOSE_WORD} to go on."
    )
}

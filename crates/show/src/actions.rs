//! The questions before something is ended: the same in the shell and on the screen.

use std::net::SocketAddr;

use model::{Connection, Endpoint, Process};

use crate::visible::visible;

/// To be typed before a process is ended.
pub const END_WORD: &str = "END";
/// To be typed before a connection is closed.
pub const CLOSE_WORD: &str = "CLOSE";

/// What will happen when a process is ended.
pub fn end_question(process: &Process) -> String {
    format!(
        "End {}? The other side sees it at once and may react against the owner of this \
         computer. Code that exists only in memory is lost for good. Usually better: pull the \
         cable or switch off Wi-Fi and keep recording. {}Type {END_WORD} to go on.",
        of_process(process),
        process.path.as_ref().map_or_else(String::new, |path| {
            // It may call itself as it likes; its file is where it is.
            format!("Its program is {}. ", visible(path))
        })
    )
}

/// What will happen when a connection is closed.
pub fn close_question(connection: &Connection, process: Option<&Process>) -> String {
    format!(
        "Close {}? The other side sees it at once and may react against \
         the owner of this computer; the program may call again. Usually better: pull the cable \
         or switch off Wi-Fi and keep recording. Type {CLOSE_WORD} to go on.",
        of_connection(connection, process)
    )
}

/// `firefox (1464)`.
pub fn of_process(process: &Process) -> String {
    format!("{} ({})", visible(&process.name), process.id.pid)
}

/// `the connection of firefox (1464) from 192.0.2.7:40512 to 203.0.113.9:443`.
pub fn of_connection(connection: &Connection, process: Option<&Process>) -> String {
    let whose = process.map(|process| format!(" of {}", of_process(process)));
    let end = |word: &str, end: Endpoint| {
        let address = end.ip.zip(end.port).map(SocketAddr::from);
        address.map(|address| format!(" {word} {address}"))
    };
    let from = end("from", connection.local);
    let to = connection.remote.and_then(|remote| end("to", remote));
    let parts = [whose, from, to].into_iter().flatten();
    format!("the connection{}", parts.collect::<String>())
}

//! Connections as CSV (RFC 4180): UTF-8, a header line, CRLF at the end of lines. An absent fact
//! is an empty field.
//!
//! People open such files in spreadsheets, which act on what they read. Names, users and paths
//! are therefore made visible, and `'` is put before `=`, `+`, `-` and `@` where a spreadsheet
//! would see the beginning of a cell: at the start of a field, and after `,` `;` `"` and `|`
//! within it, since half of the world splits CSV at semicolons. It is also put before a `'` in
//! these places, so that taking one `'` away there gives the text back.

use std::collections::HashMap;
use std::io::{self, Write};

use model::{Connection, Owner, Process, ProcessId, RemoteName, Snapshot, Text};

use crate::bytes;
use crate::devices::Known;
use crate::visible::visible;

const HEADER: &str = "id,process,pid,user,protocol,state,direction,local_ip,local_port,remote_ip,\
                      remote_port,remote_name,bytes_sent,bytes_received,opened,owner_why,path,device_mac,\
                      device_name,device_ip,remote_name_strength\r\n";

/// So many bytes are written at once.
const AT_ONCE: usize = 1 << 16;

/// A line for each connection, in the order given.
///
/// `user` is whose process it is or, where that is unknown, who created the socket: a name, else a
/// number.
pub fn connections(
    snapshot: &Snapshot,
    shown: &[&Connection],
    out: &mut impl Write,
) -> io::Result<()> {
    let mut processes: HashMap<ProcessId, ProcessFields> = HashMap::new();
    let users: HashMap<u32, String> = snapshot
        .users
        .iter()
        .map(|(uid, user)| (*uid, field(user)))
        .collect();
    let mut lines = Vec::with_capacity(AT_ONCE + 1024);
    lines.extend_from_slice(HEADER.as_bytes());
    for connection in shown {
        let fields = snapshot.owner_of(connection).map(|process| {
            &*processes
                .entry(process.id)
                .or_insert_with(|| ProcessFields::of(process))
        });
        write_line(connection, fields, &users, &mut lines);
        write_device(Known::of(connection, &snapshot.devices), &mut lines);
        write_strength(connection.name.as_deref(), &mut lines);
        if lines.len() >= AT_ONCE {
            out.write_all(&lines)?;
            lines.clear();
        }
    }
    out.write_all(&lines)?;
    out.flush()
}

/// The fields of a process, ready to be written; made once for all its connections.
struct ProcessFields {
    name: String,
    user: String,
    path: String,
}

impl ProcessFields {
    fn of(process: &Process) -> Self {
        Self {
            name: field(&process.name),
            user: match (&process.user, process.uid) {
                (Some(user), _) => field(user),
                (None, Some(uid)) => uid.to_string(),
                (None, None) => String::new(),
            },
            path: process.path.as_ref().map(field).unwrap_or_default(),
        }
    }
}

fn write_line(
    connection: &Connection,
    fields: Option<&ProcessFields>,
    users: &HashMap<u32, String>,
    out: &mut Vec<u8>,
) {
    let text = |out: &mut Vec<u8>, text: &str| out.extend_from_slice(text.as_bytes());
    bytes::plain(out, connection.id);
    out.push(b',');
    text(out, fields.map_or("", |fields| &fields.name));
    out.push(b',');
    if let Some(process) = connection.owner.process() {
        bytes::number(out, process.pid);
    }
    out.push(b',');
    match (fields, connection.uid) {
        (Some(fields), _) => text(out, &fields.user),
        (None, Some(uid)) => match users.get(&uid) {
            Some(user) => text(out, user),
            None => bytes::number(out, uid),
        },
        (None, None) => {}
    }
    for word in [
        connection.protocol.word(),
        connection.state.word(),
        connection.direction.word(),
    ] {
        out.push(b',');
        text(out, word);
    }
    for end in [Some(connection.local), connection.remote] {
        out.push(b',');
        if let Some(ip) = end.and_then(|end| end.ip) {
            bytes::ip(out, ip);
        }
        out.push(b',');
        if let Some(port) = end.and_then(|end| end.port) {
            bytes::number(out, port);
        }
    }
    out.push(b',');
    if let Some(name) = &connection.name {
        text(out, &field(&name.name));
    }
    for count in [connection.bytes_sent, connection.bytes_received] {
        out.push(b',');
        if let Some(count) = count {
            bytes::number(out, count);
        }
    }
    out.push(b',');
    if let Some(opened) = connection.opened {
        out.extend_from_slice(&opened.rfc_3339());
    }
    out.push(b',');
    if let Owner::Unknown { why } = connection.owner {
        text(out, why.word());
    }
    out.push(b',');
    text(out, fields.map_or("", |fields| &fields.path));
}

/// What stands in the place of a process.
fn write_device(device: Option<Known<'_>>, out: &mut Vec<u8>) {
    let name = device.and_then(|it| it.name).map(field);
    out.push(b',');
    if let Some(mac) = device.and_then(|it| it.mac) {
        bytes::mac(out, mac);
    }
    out.push(b',');
    out.extend_from_slice(name.unwrap_or_default().as_bytes());
    out.push(b',');
    if let Some(ip) = device.and_then(|it| it.ip) {
        bytes::ip(out, ip);
    }
}

/// How sure the name of the other end is, and the end of the line.
fn write_strength(name: Option<&RemoteName>, out: &mut Vec<u8>) {
    out.push(b',');
    if let Some(name) = name {
        out.extend_from_slice(name.strength.word().as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

/// Text from outside: visible, harmless in a spreadsheet, and quoted where CSV needs it.
fn field(text: &Text) -> String {
    let shown = visible(text);
    let quoted = shown.contains([',', '"', ';', '\'']);
    let mut field = String::with_capacity(shown.len() + 4);
    if quoted {
        field.push('"');
    }
    let mut cell_begins = true;
    for character in shown.chars() {
        // The last four are the same signs in full width, which spreadsheets take for them.
        if cell_begins
            && matches!(
                character,
                '=' | '+' | '-' | '@' | '\'' | '＝' | '＋' | '－' | '＠'
            )
        {
            field.push('\'');
        }
        if character == '"' {
            field.push('"');
        }
        field.push(character);
        cell_begins = match character {
            ',' | ';' | '"' | '|' => true,
            ' ' => cell_begins,
            _ => false,
        };
    }
    if quoted {
        field.push('"');
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::sample;
    use proptest::prelude::*;

    fn csv(snapshot: &Snapshot) -> String {
        let shown: Vec<_> = snapshot.connections.iter().collect();
        let mut out = Vec::new();
        connections(snapshot, &shown, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// Lines of fields, as RFC 4180 section 2 has them.
    fn read(text: &str) -> Vec<Vec<String>> {
        let (mut lines, mut line, mut field) = (Vec::new(), Vec::new(), String::new());
        let mut characters = text.chars().peekable();
        let mut quoted = false;
        while let Some(character) = characters.next() {
            match (character, quoted) {
                ('"', true) if characters.peek() == Some(&'"') => {
                    characters.next();
                    field.push('"');
                }
                ('"', _) => {
                    assert!(
                        quoted || field.is_empty(),
                        "a quote inside an unquoted field"
                    );
                    quoted = !quoted;
                }
                (',', false) => line.push(std::mem::take(&mut field)),
                ('\r', false) => {
                    assert_eq!(characters.next(), Some('\n'));
                    line.push(std::mem::take(&mut field));
                    lines.push(std::mem::take(&mut line));
                }
                (other, _) => field.push(other),
            }
        }
        assert!(!quoted && field.is_empty() && line.is_empty(), "cut short");
        lines
    }

    #[test]
    fn the_columns_of_the_contract() {
        let header = "id,process,pid,user,protocol,state,direction,local_ip,local_port,remote_ip,remote_port,\
                      remote_name,bytes_sent,bytes_received,opened,owner_why,path,device_mac,device_name,device_ip,remote_name_strength\r\n";
        assert_eq!(csv(&sample::snapshot(Vec::new(), Vec::new())), header);
    }

    #[test]
    fn absent_facts_are_empty_fields() {
        let desk = sample::desk();
        let lines = read(&csv(&desk));
        assert!(lines.iter().all(|line| line.len() == 21));
        let check = |line: usize, expected: &str| assert_eq!(lines[line][1..].join(","), expected);
        check(
            1,
            "firefox,1464,alice,tcp,established,outbound,192.0.2.7,40512,203.0.113.9,443,,1536,3650722201,,,\
             /usr/lib/firefox/firefox,,,,",
        );
        check(
            4,
            ",,,tcp,time_wait,outbound,192.0.2.7,40514,203.0.113.9,443,,,,,before_start,,,,,",
        );
        check(
            5,
            "nginx,801,root,tcp,listen,listening,0.0.0.0,80,,,,,,,,/usr/sbin/nginx,,,,",
        );
        check(9, ",,root,packet,open,listening,,,,,,,,,no_rights,,,,,");
        assert_eq!(
            lines[1][0],
            desk.connections.iter().next().unwrap().id.to_string()
        );
    }

    #[test]
    fn hostile_names_stay_in_their_fields() {
        let lines = read(&csv(&sample::hostile()));
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1][1], "a‹U+001B›[2J‹U+000D›‹U+000A›‹U+202E›,\"'=x");
        assert_eq!(lines[1][3], "'=cmd|' /C calc'!A0".replace("|'", "|''"));
        assert_eq!(
            lines[1][16],
            "/tmp/‹U+0009› ‹U+0020›‹\\xFF›/cod.‹U+202E›fdp"
        );
    }

    fn check_field(text: &str, expected: &str) {
        assert_eq!(field(&Text::from(text)), expected);
    }

    #[test]
    fn no_field_is_a_formula() {
        check_field("=1+1", "'=1+1");
        check_field("-x", "'-x");
        check_field("@SUM(A1)", "'@SUM(A1)");
        check_field("＝1", "'＝1");
        check_field("a-b=c", "a-b=c");
        check_field("x;=1", "\"x;'=1\"");
        check_field("x; =1", "\"x; '=1\"");
        check_field("x\"=1", "\"x\"\"'=1\"");
        check_field("'quoted'", "\"''quoted'\"");
    }

    proptest! {
        #[test]
        fn reads_back(name: Vec<u8>, user: String) {
            let mut process = sample::process(5, "x", "/x");
            process.name = Text::from(name);
            process.user = Some(Text::from(user));
            let connection = sample::connection(sample::known(5), "192.0.2.7:1", "203.0.113.9:2");
            let snapshot = sample::snapshot(vec![process.clone()], vec![connection]);
            let lines = read(&csv(&snapshot));
            prop_assert_eq!(lines.len(), 2);
            prop_assert_eq!(lines[1].len(), 21);
            for (index, text) in [(1, &process.name), (3, process.user.as_ref().unwrap())] {
                let read = &lines[1][index];
                prop_assert!(!read.starts_with(['=', '+', '-', '@']));
                prop_assert!(!read.chars().any(char::is_control));
                prop_assert_eq!(without_guards(read), visible(text));
            }
        }
    }

    fn without_guards(field: &str) -> String {
        let mut text = String::new();
        let mut cell_begins = true;
        let mut characters = field.chars();
        while let Some(mut character) = characters.next() {
            if cell_begins && character == '\'' {
                character = characters.next().unwrap();
            }
            text.push(character);
            cell_begins =
                matches!(character, ',' | ';' | '"' | '|') || (cell_begins && character == ' ');
        }
        text
    }
}

//! One row of a Zeek log, in either form: the fields by their names.

use std::borrow::Cow;

use model::Text;

use super::super::field;
use super::super::json::Value;

/// What stands behind the last field in logs that somebody labelled with three blanks.
const LABEL: &[u8] = b"   ";

/// The fields that anything is read from, in all kinds of logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Field {
    Time,
    Uid,
    OriginatorAddress,
    OriginatorPort,
    ResponderAddress,
    ResponderPort,
    Protocol,
    IpProtocol,
    // Connections.
    Duration,
    OriginatorBytes,
    ResponderBytes,
    State,
    LocalOriginator,
    LocalResponder,
    OriginatorPackets,
    ResponderPackets,
    OriginatorMac,
    ResponderMac,
    // DNS.
    Query,
    QueryType,
    ResponseCode,
    RoundTrip,
    Answers,
    Ttls,
    // TLS and QUIC.
    Version,
    ServerName,
    NextProtocol,
    Ja4,
    Subject,
    ClientProtocol,
    // HTTP.
    Method,
    Host,
    Uri,
    UserAgent,
    // SSH.
    Client,
    Server,
    // DHCP.
    Uids,
    Mac,
    HostName,
    ClientName,
    AssignedAddress,
    ClientAddress,
    ServerAddress,
    // What only tells one kind of log from another.
    Path,
    DnsOnly,
    TlsOnly,
    QuicOnly,
    HttpOnly,
    SshOnly,
    DhcpOnly,
}

const FIELDS: usize = Field::DhcpOnly as usize + 1;

impl Field {
    /// By its name. In JSON, blanks of the name of a record may be `_`: `id_orig_h`.
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"ts" => Self::Time,
            b"uid" => Self::Uid,
            b"id.orig_h" | b"id_orig_h" => Self::OriginatorAddress,
            b"id.orig_p" | b"id_orig_p" => Self::OriginatorPort,
            b"id.resp_h" | b"id_resp_h" => Self::ResponderAddress,
            b"id.resp_p" | b"id_resp_p" => Self::ResponderPort,
            b"proto" => Self::Protocol,
            b"ip_proto" => Self::IpProtocol,
            b"duration" => Self::Duration,
            b"orig_bytes" => Self::OriginatorBytes,
            b"resp_bytes" => Self::ResponderBytes,
            b"conn_state" => Self::State,
            b"local_orig" => Self::LocalOriginator,
            b"local_resp" => Self::LocalResponder,
            b"orig_pkts" => Self::OriginatorPackets,
            b"resp_pkts" => Self::ResponderPackets,
            b"orig_l2_addr" => Self::OriginatorMac,
            b"resp_l2_addr" => Self::ResponderMac,
            b"query" => Self::Query,
            b"qtype" => Self::QueryType,
            b"rcode" => Self::ResponseCode,
            b"rtt" => Self::RoundTrip,
            b"answers" => Self::Answers,
            b"TTLs" => Self::Ttls,
            b"version" => Self::Version,
            b"server_name" => Self::ServerName,
            b"next_protocol" => Self::NextProtocol,
            b"ja4" => Self::Ja4,
            b"subject" => Self::Subject,
            b"client_protocol" => Self::ClientProtocol,
            b"method" => Self::Method,
            b"host" => Self::Host,
            b"uri" => Self::Uri,
            b"user_agent" => Self::UserAgent,
            b"client" => Self::Client,
            b"server" => Self::Server,
            b"uids" => Self::Uids,
            b"mac" => Self::Mac,
            b"host_name" => Self::HostName,
            b"client_fqdn" => Self::ClientName,
            b"assigned_addr" | b"assigned_ip" => Self::AssignedAddress,
            b"client_addr" => Self::ClientAddress,
            b"server_addr" => Self::ServerAddress,
            b"_path" | b"@stream" => Self::Path,
            b"trans_id" | b"qclass" => Self::DnsOnly,
            b"cipher" | b"resumed" | b"established" => Self::TlsOnly,
            b"client_initial_dcid" => Self::QuicOnly,
            b"trans_depth" => Self::HttpOnly,
            b"auth_attempts" | b"host_key" => Self::SshOnly,
            b"msg_types" => Self::DhcpOnly,
            _ => return None,
        })
    }
}

/// How a log with columns is written; its first lines say it.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    pub(super) separator: Vec<u8>,
    pub(super) set_separator: u8,
    pub(super) empty: Vec<u8>,
    pub(super) unset: Vec<u8>,
    /// Which field stands where.
    fields: Vec<Option<Field>>,
    labelled: bool,
}

impl Default for Columns {
    fn default() -> Self {
        Self {
            separator: b"\t".to_vec(),
            set_separator: b',',
            empty: b"(empty)".to_vec(),
            unset: b"-".to_vec(),
            fields: Vec::new(),
            labelled: false,
        }
    }
}

impl Columns {
    /// `names` is what stands behind `#fields`.
    pub(super) fn set_names(&mut self, names: &[u8]) {
        self.labelled = names.windows(LABEL.len()).any(|part| part == LABEL);
        let names = parts(names, &self.separator);
        self.fields = names
            .map(|name| Field::named(without_label(name)))
            .collect();
    }

    pub(super) fn are_known(&self) -> bool {
        !self.fields.is_empty()
    }

    /// `None`: it has not as many columns as there are names.
    pub(super) fn row<'a>(&'a self, line: &'a [u8]) -> Option<Row<'a>> {
        let mut cells: [&[u8]; FIELDS] = [b""; FIELDS];
        let mut columns = 0;
        for (column, cell) in parts(line, &self.separator).enumerate() {
            columns = column + 1;
            let Some(Some(field)) = self.fields.get(column) else {
                continue;
            };
            let cell = match cell {
                cell if self.labelled && columns == self.fields.len() => without_label(cell),
                cell => cell,
            };
            if cell != self.unset
                && cell != self.empty
                && let Some(place) = cells.get_mut(*field as usize)
            {
                *place = cell;
            }
        }
        // In labelled logs somebody may have added columns and not their names.
        (columns >= self.fields.len()).then_some(Row {
            cells,
            set_separator: Some(self.set_separator),
        })
    }

    /// The fields that there are, as a row that has each of them.
    pub(super) fn as_row(&self) -> Row<'_> {
        let mut cells: [&[u8]; FIELDS] = [b""; FIELDS];
        for field in self.fields.iter().flatten() {
            if let Some(place) = cells.get_mut(*field as usize) {
                *place = b"1";
            }
        }
        Row {
            cells,
            set_separator: Some(self.set_separator),
        }
    }
}

/// One row.
pub(super) struct Row<'a> {
    /// As they are written; empty where there is none.
    cells: [&'a [u8]; FIELDS],
    /// `None`: it is JSON.
    set_separator: Option<u8>,
}

impl<'a> Row<'a> {
    /// `None`: it is no JSON.
    pub(super) fn of_json(line: &'a [u8]) -> Option<Self> {
        let mut row = Row {
            cells: [b""; FIELDS],
            set_separator: None,
        };
        for (name, value) in Value::object(line)?.members() {
            if let Some(field) = Field::named(name) {
                row.put(field, value);
            } else if name == b"id" {
                for (name, value) in value.members() {
                    let name = [b"id.", name].concat();
                    if let Some(field) = Field::named(&name) {
                        row.put(field, value);
                    }
                }
            }
        }
        Some(row)
    }

    fn put(&mut self, field: Field, value: Value<'a>) {
        if let Some(place) = self.cells.get_mut(field as usize)
            && !value.is_null()
        {
            *place = value.written();
        }
    }

    fn cell(&self, field: Field) -> &'a [u8] {
        self.cells.get(field as usize).copied().unwrap_or_default()
    }

    pub(super) fn has(&self, field: Field) -> bool {
        !self.cell(field).is_empty()
    }

    /// As it is written: enough for numbers, addresses and words.
    pub(super) fn plain(&self, field: Field) -> Option<&'a [u8]> {
        let cell = self.cell(field);
        let plain = match self.set_separator {
            Some(_) => Some(cell),
            None => Value::of(cell).plain(),
        };
        plain.filter(|plain| !plain.is_empty())
    }

    pub(super) fn number(&self, field: Field) -> Option<u64> {
        field::unsigned(self.plain(field)?)
    }

    pub(super) fn flag(&self, field: Field) -> Option<bool> {
        match self.plain(field)? {
            b"T" | b"true" => Some(true),
            b"F" | b"false" => Some(false),
            _ => None,
        }
    }

    pub(super) fn string(&self, field: Field) -> Option<Cow<'a, [u8]>> {
        let string = string(self.cell(field), self.set_separator.is_none())?;
        (!string.is_empty()).then_some(string)
    }

    pub(super) fn text(&self, field: Field) -> Option<Text> {
        Some(Text::from(self.string(field)?.into_owned()))
    }

    /// The items of a set or a vector.
    pub(super) fn items(&self, field: Field) -> impl Iterator<Item = Cow<'a, [u8]>> {
        let cell = self.cell(field);
        let (columns, json) = match self.set_separator {
            Some(separator) => (Some(cell.split(move |byte| *byte == separator)), None),
            None => (None, Some(Value::of(cell).items().map(Value::written))),
        };
        let is_json = json.is_some();
        let items = columns
            .into_iter()
            .flatten()
            .chain(json.into_iter().flatten());
        items
            .filter(|item| !item.is_empty())
            .map(move |item| string(item, is_json).unwrap_or_default())
    }
}

fn string(cell: &[u8], json: bool) -> Option<Cow<'_, [u8]>> {
    if !json {
        return Some(unescaped(Cow::Borrowed(cell), false));
    }
    Some(unescaped(Value::of(cell).string()?, true))
}

/// Zeek writes bytes that are no text as `\xHH`, and in columns a backslash as two. In JSON only
/// what is not ASCII is written so, else it could not be told from a text that says so.
fn unescaped(text: Cow<'_, [u8]>, json: bool) -> Cow<'_, [u8]> {
    if !text.contains(&b'\\') {
        return text;
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = &*text;
    while let Some((byte, after)) = rest.split_first() {
        (rest, _) = match (byte, after) {
            (b'\\', [b'x', high, low, after @ ..])
                if let Some(byte) = hex(*high, *low)
                    && (!json || !byte.is_ascii()) =>
            {
                (after, plain.push(byte))
            }
            (b'\\', [b'\\', after @ ..]) if !json => (after, plain.push(b'\\')),
            _ => (after, plain.push(*byte)),
        };
    }
    Cow::Owned(plain)
}

/// Of `\x09`: how the separator is written that cannot stand for itself.
pub(super) fn separator(text: &[u8]) -> Vec<u8> {
    unescaped(Cow::Borrowed(text.trim_ascii()), false).into_owned()
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let (high, low) = (
        char::from(high).to_digit(16)?,
        char::from(low).to_digit(16)?,
    );
    u8::try_from(high << 4 | low).ok()
}

fn without_label(cell: &[u8]) -> &[u8] {
    let label = cell.windows(LABEL.len()).position(|part| part == LABEL);
    cell.get(..label.unwrap_or(cell.len())).unwrap_or(cell)
}

/// What stands between separators of one byte or of several.
fn parts<'a>(line: &'a [u8], separator: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest?;
        let end = match separator {
            [separator] => line.iter().position(|byte| byte == separator),
            [] => None,
            _ => line
                .windows(separator.len())
                .position(|part| part == separator),
        };
        let Some(end) = end else {
            return rest.take();
        };
        rest = line.get(end + separator.len()..);
        line.get(..end)
    })
}

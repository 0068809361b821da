//! The files of the publishers, taken apart.

use std::borrow::Cow;
use std::io::Read;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::Deserialize;

/// A range of addresses of one family, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Range {
    pub(super) is_v6: bool,
    pub(super) first: u128,
    pub(super) last: u128,
}

/// No unpacked file is larger.
const MOST_BYTES: u64 = 512 << 20;
/// Zstandard (RFC 8878, 3.1.1).
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// What is in a file, unpacked where it is packed.
pub(super) fn text(bytes: &[u8]) -> Result<Cow<'_, str>, &'static str> {
    if !bytes.starts_with(ZSTD) {
        let text = std::str::from_utf8(bytes).map_err(|_| "not text in UTF-8")?;
        return Ok(text.into());
    }
    let mut text = String::new();
    let unpacking = ruzstd::decoding::StreamingDecoder::new(bytes);
    let mut unpacking = unpacking
        .map_err(|_| "cannot be unpacked")?
        .take(MOST_BYTES);
    let read = unpacking.read_to_string(&mut text);
    read.map_err(|_| "cannot be unpacked, or is not text in UTF-8")?;
    if unpacking.limit() == 0 {
        return Err("too large");
    }
    Ok(text.into())
}

/// A line of `first,last,number,organisation`, the last perhaps in quotes (RFC 4180).
pub(super) fn announcer(line: &str) -> Option<(Range, u32, String)> {
    let mut fields = line.splitn(4, ',');
    let first: IpAddr = fields.next()?.parse().ok()?;
    let last: IpAddr = fields.next()?.parse().ok()?;
    let asn = fields.next()?.parse().ok()?;
    let name = fields.next()?;
    let name = match name.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"')?.replace("\"\"", "\""),
        None => name.to_owned(),
    };
    Some((range(first, last)?, asn, name))
}

/// A line of `network,country`.
pub(super) fn country(line: &str) -> Option<(Range, model::Country)> {
    let (network, code) = line.split_once(',')?;
    let code = code.as_bytes().try_into().ok()?;
    Some((self::network(network)?, model::Country::new(code)?))
}

/// A network or a single address.
pub(super) fn network(text: &str) -> Option<Range> {
    let text = text.trim();
    if let Ok(ip) = text.parse::<IpAddr>() {
        return range(ip, ip);
    }
    let network: IpNet = text.parse().ok()?;
    range(network.network(), network.broadcast())
}

/// IPv4 addresses within IPv6 count as IPv4.
fn range(first: IpAddr, last: IpAddr) -> Option<Range> {
    let number = |ip: IpAddr| match ip.to_canonical() {
        IpAddr::V4(ip) => (false, u128::from(ip.to_bits())),
        IpAddr::V6(ip) => (true, ip.to_bits()),
    };
    let ((is_v6, first), (last_is_v6, last)) = (number(first), number(last));
    (is_v6 == last_is_v6 && first <= last).then_some(Range { is_v6, first, last })
}

/// A warning list of MISP.
#[derive(Deserialize)]
pub(super) struct WarningList {
    pub(super) list: Vec<String>,
    /// A date without hyphens, or a number.
    pub(super) version: u64,
    #[serde(rename = "type")]
    pub(super) form: String,
}

impl WarningList {
    /// `None`: the version is a number.
    pub(super) fn date(&self) -> Option<String> {
        let digits = self.version.to_string();
        let (year, rest) = digits.split_at_checked(4)?;
        let (month, day) = rest.split_at_checked(2)?;
        let date = format!("{year}-{month}-{day}");
        model::Timestamp::parse(&format!("{date}T00:00:00.000000000Z")).map(|_| date)
    }
}

/// A line of the public suffix list.
pub(super) enum SuffixLine<'a> {
    /// From here on the rules are of companies.
    Platforms,
    Rule(&'a str),
    Nothing,
}

pub(super) fn suffix_line(line: &str) -> SuffixLine<'_> {
    let line = line.trim();
    if line.contains("===BEGIN PRIVATE DOMAINS===") {
        SuffixLine::Platforms
    } else if line.is_empty() || line.starts_with("//") {
        SuffixLine::Nothing
    } else {
        // A rule ends at the first blank.
        SuffixLine::Rule(line.split_whitespace().next().unwrap_or(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_apart() {
        let (range, asn, name) =
            announcer("1.0.64.0,1.0.127.255,18144,\"Enecom,\"\"Inc.\"\"\"").unwrap();
        assert_eq!((asn, name.as_str()), (18144, "Enecom,\"Inc.\""));
        assert_eq!((range.first, range.last), (0x0100_4000, 0x0100_7fff));
        assert_eq!(announcer("1.0.64.9,1.0.64.0,1,x"), None);
        assert_eq!(announcer("1.0.64.9,::1,1,x"), None);
        assert!(country("46.172.224.0/19,AD").is_some());
        assert!(country("46.172.224.0/19,").is_none());
        assert_eq!(network("192.0.2.7"), network("192.0.2.7/32"));
        assert_eq!(network("::ffff:192.0.2.7"), network("192.0.2.7"));
        assert_eq!(network("192.0.2.0/33"), None);
    }

    #[test]
    fn a_version_may_be_a_date() {
        let date = |version| {
            let form = String::new();
            let list = WarningList {
                list: Vec::new(),
                version,
                form,
            };
            list.date()
        };
        assert_eq!(date(20_260_811).as_deref(), Some("2026-08-11"));
        for number in [0, 2, 20_261_301, 202_608_110] {
            assert_eq!(date(number), None, "{number}");
        }
    }
}

//! Addresses of the web, as far as sources have them (RFC 3986): `http` or `https`, a host, a port, and
//! what is wanted there. Nobody's password is in one.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

const MOST_BYTES: usize = 4096;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) is_encrypted: bool,
    /// In lower case; an address of version 6 without its brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// Path and query, beginning with `/`.
    pub(super) target: String,
}

impl Url {
    /// Errors: what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > MOST_BYTES {
            return Err("it is too long");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("there is a character in it that none may have");
        }
        let (scheme, rest) = text.split_once("://").ok_or("it has no scheme")?;
        let is_encrypted = if scheme.eq_ignore_ascii_case("https") {
            true
        } else if scheme.eq_ignore_ascii_case("http") {
            false
        } else {
            return Err("it is neither http nor https");
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (place, target) = rest.split_at(end);
        if place.contains('@') {
            return Err("there is a user's name in it");
        }
        let (host, port) = split_host(place).ok_or("its host cannot be read")?;
        let usual_port = if is_encrypted { 443 } else { 80 };
        let target = if target.starts_with('/') {
            target.to_owned()
        } else {
            format!("/{target}")
        };
        Ok(Self {
            is_encrypted,
            host: host.to_ascii_lowercase(),
            port: port.unwrap_or(usual_port),
            target,
        })
    }

    /// Where `reference` leads from here (RFC 3986, 5.2). Steps upwards are left to the server.
    pub(super) fn join(&self, reference: &str) -> Result<Self, &'static str> {
        if reference.contains("://") {
            return Self::parse(reference);
        }
        let scheme = if self.is_encrypted { "https" } else { "http" };
        if let Some(rest) = reference.strip_prefix("//") {
            return Self::parse(&format!("{scheme}://{rest}"));
        }
        let origin = self.origin();
        if reference.starts_with('/') {
            return Self::parse(&format!("{origin}{reference}"));
        }
        let path = self.target.split('?').next().unwrap_or_default();
        let folder = match path.rsplit_once('/') {
            Some((folder, _)) if !reference.starts_with('?') => format!("{folder}/"),
            Some(_) | None => path.to_owned(),
        };
        Self::parse(&format!("{origin}{folder}{reference}"))
    }

    /// Host and port as a request names them.
    pub(super) fn place(&self) -> String {
        let usual_port = if self.is_encrypted { 443 } else { 80 };
        let host = bracketed(&self.host);
        if self.port == usual_port {
            host
        } else {
            format!("{host}:{}", self.port)
        }
    }

    fn origin(&self) -> String {
        let scheme = if self.is_encrypted { "https" } else { "http" };
        format!("{scheme}://{}", self.place())
    }

    pub(super) fn is_same_place(&self, other: &Self) -> bool {
        (self.is_encrypted, &self.host, self.port) == (other.is_encrypted, &other.host, other.port)
    }

    /// Without its query, which may hold a key.
    pub(super) fn without_query(&self) -> String {
        let path = self.target.split('?').next().unwrap_or_default();
        format!("{}{path}", self.origin())
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.target)
    }
}

/// A host as it stands before a port.
pub(super) fn bracketed(host: &str) -> String {
    if host.parse::<Ipv6Addr>().is_ok() {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

/// Host and port of `host`, `host:port`, `[address]:port`. `None`: there is none, or the port is none.
pub(super) fn split_host(place: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = if let Some(rest) = place.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        host.parse::<Ipv6Addr>().ok()?;
        match rest.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if rest.is_empty() => (host, None),
            None => return None,
        }
    } else if place.parse::<IpAddr>().is_ok() {
        (place, None)
    } else {
        match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        }
    };
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    if host.is_empty() || host.len() > 253 || !host.bytes().all(is_host) {
        return None;
    }
    let port = match port {
        Some(port) => Some(port.parse().ok().filter(|port| *port != 0)?),
        None => None,
    };
    Some((host, port))
}

/// As a parameter has it (RFC 3986, 2.1).
pub(super) fn percent(text: &str) -> String {
    use fmt::Write;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a text does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(from: &str, reference: &str, expected: &str) {
        let url = Url::parse(from).unwrap();
        let joined = url.join(reference).map(|it| it.to_string());
        assert_eq!(
            joined.unwrap_or_else(str::to_owned),
            expected,
            "{reference}"
        );
    }

    #[test]
    fn references_lead_where_they_say() {
        let from = "https://Rdap.example/a/b?c=d";
        check(
            from,
            "https://other.example:8443/x#y",
            "https://other.example:8443/x",
        );
        check(from, "//other.example/x", "https://other.example/x");
        check(from, "/x?y", "https://rdap.example/x?y");
        check(from, "x", "https://rdap.example/a/x");
        check(from, "?x", "https://rdap.example/a/b?x");
        check(from, "HTTP://[::1]", "http://[::1]/");
        check(from, "https://a.example?x=1", "https://a.example/?x=1");
        check("http://[::1]:8080/a", "b", "http://[::1]:8080/b");
    }

    #[test]
    fn what_is_no_url_is_none() {
        for text in [
            "",
            "rdap.example",
            "ftp://a/",
            "https://",
            "https:///x",
            "https://a:0/",
            "https://a:x/",
            "https://user@a/",
            "https://a b/",
            "https://a/\r\nx",
            "https://[::1/",
            "https://[a]/",
            "https://ä/",
            "https://::1/",
            "https://a/é",
        ] {
            let url = Url::parse(text);
            // A text with colons only is an address of version 6, and may stand without brackets.
            assert!(url.is_err() || text == "https://::1/", "{text}: {url:?}");
        }
        assert!(Url::parse(&format!("https://a/{}", "x".repeat(5000))).is_err());
    }

    #[test]
    fn a_query_is_not_shown_and_a_key_cannot_leave_its_place() {
        let url = Url::parse("https://a.example/x?token=secret").unwrap();
        assert_eq!(url.without_query(), "https://a.example/x");
        assert_eq!(percent("a&b=c d/ü"), "a%26b%3Dc%20d%2F%C3%BC");
    }
}

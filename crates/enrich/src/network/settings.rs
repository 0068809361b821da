//! What a person sets: whom to ask for names, which way to go, how long and how much.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use model::OnlineSource;

use super::url::split_host;
use crate::sources::Key;

/// What a person has set. The default asks everybody directly, and can resolve no name.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Whom to ask for names. Needed unless every name goes to a proxy.
    pub resolver: Option<SocketAddr>,
    /// The way to all sources that have none of their own below. `None`: directly.
    pub proxy: Option<Proxy>,
    pub proxies: BTreeMap<OnlineSource, Proxy>,
    /// Other places than the usual ones: an URL that ends in `/`, for WHOIS `host:port`. Their hosts
    /// are a person's own choice, as those below.
    pub bases: BTreeMap<OnlineSource, String>,
    /// Hosts that may have an address of a private network, and be sent to without encryption.
    pub own_servers: BTreeSet<String>,
    /// PEM, besides those that are built in.
    pub root_certificates: Vec<u8>,
    pub keys: BTreeMap<OnlineSource, Key>,
    pub limits: Limits,
}

impl Settings {
    pub(super) fn proxy(&self, source: OnlineSource) -> Option<&Proxy> {
        self.proxies.get(&source).or(self.proxy.as_ref())
    }

    /// Whether a person has named that place.
    pub(super) fn is_own(&self, host: &str, port: u16) -> bool {
        let mut places = self.bases.values().filter_map(|base| place(base));
        self.own_servers
            .iter()
            .any(|own| own.eq_ignore_ascii_case(host))
            || places.any(|(own, at)| own.eq_ignore_ascii_case(host) && at == port)
    }

    /// Whether a person has named that host, with whatever port.
    pub(super) fn is_own_host(&self, host: &str) -> bool {
        let mut places = self.bases.values().filter_map(|base| place(base));
        self.own_servers
            .iter()
            .any(|own| own.eq_ignore_ascii_case(host))
            || places.any(|(own, _)| own.eq_ignore_ascii_case(host))
    }
}

/// Host and port of a base.
fn place(base: &str) -> Option<(&str, u16)> {
    const WHOIS: u16 = 43;
    let (usual, rest) = match base.split_once("://") {
        Some(("http", rest)) => (80, rest),
        Some((_, rest)) => (443, rest),
        None => (WHOIS, base),
    };
    let (host, port) = split_host(rest.split('/').next()?)?;
    Some((host, port.unwrap_or(usual)))
}

/// How long and how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Until one address has taken the connection.
    pub connect: Duration,
    /// For one answer, from the first step of the way to it to its last byte.
    pub whole: Duration,
    /// The same for a whole list.
    pub list: Duration,
    /// The same for WHOIS.
    pub line: Duration,
    /// For one of the two tries with a resolver.
    pub resolver: Duration,
    pub answer_bytes: usize,
    pub list_bytes: usize,
    pub line_bytes: usize,
    /// The longest `Retry-After` that is waited for, once.
    pub retry: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(8),
            whole: Duration::from_secs(40),
            list: Duration::from_secs(180),
            line: Duration::from_secs(20),
            resolver: Duration::from_secs(3),
            answer_bytes: 1 << 20,
            list_bytes: 8 << 20,
            line_bytes: 256 << 10,
            retry: Duration::from_secs(60),
        }
    }
}

/// Somebody who carries connections on, and resolves their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    pub kind: ProxyKind,
    /// A name or an address; it may be one of a private network.
    pub host: String,
    pub port: u16,
    pub login: Option<Login>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    /// RFC 1928, as Tor has it.
    Socks5,
    /// `CONNECT` (RFC 9110, 9.3.6).
    Http,
}

/// What the proxy wants to know of who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    pub user: String,
    pub password: Key,
}

impl Proxy {
    /// `socks5://[USER:PASSWORD@]HOST[:PORT]` or `http://...`; port 1080 or 8080 where there is none.
    ///
    /// Errors: what is wrong with it, without its text, which may hold a password.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = text
            .split_once("://")
            .ok_or("it begins with neither socks5:// nor http://")?;
        let (kind, usual_port) = match scheme {
            "socks5" | "socks5h" => (ProxyKind::Socks5, 1080),
            "http" => (ProxyKind::Http, 8080),
            _ => return Err("it begins with neither socks5:// nor http://"),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (login, place) = match rest.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, rest),
        };
        let login = login.map(|login| {
            let (user, password) = login.split_once(':').unwrap_or((login, ""));
            Login {
                user: user.to_owned(),
                password: Key::new(password),
            }
        });
        let (host, port) = split_host(place).ok_or("its host and port cannot be read")?;
        Ok(Self {
            kind,
            host: host.to_owned(),
            port: port.unwrap_or(usual_port),
            login,
        })
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            ProxyKind::Socks5 => "socks5",
            ProxyKind::Http => "http",
        };
        let (host, port) = (&self.host, self.port);
        match host.parse() {
            Ok(IpAddr::V6(host)) => write!(f, "{scheme}://[{host}]:{port}"),
            Ok(IpAddr::V4(_)) | Err(_) => write!(f, "{scheme}://{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = Proxy::parse(text).map_or_else(str::to_owned, |proxy| proxy.to_string());
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn a_proxy_is_read_and_shown_without_its_password() {
        check("socks5://127.0.0.1:9050", "socks5://127.0.0.1:9050");
        check("socks5h://tor.lan/", "socks5://tor.lan:1080");
        check("http://me:secret@[::1]:3128", "http://[::1]:3128");
        check(
            "https://proxy",
            "it begins with neither socks5:// nor http://",
        );
        check("socks5://:1", "its host and port cannot be read");
        check("socks5://host:99999", "its host and port cannot be read");
        let proxy = Proxy::parse("socks5://me:secret@host").unwrap();
        assert_eq!(proxy.login.as_ref().unwrap().password.text(), "secret");
        assert!(!format!("{proxy:?}").contains("secret"));
    }

    #[test]
    fn the_hosts_of_bases_are_own() {
        let mut settings = Settings::default();
        let bases = [
            (OnlineSource::Rdap, "http://Registry.lan:8080/rdap/"),
            (OnlineSource::Whois, "127.0.0.1:4343"),
            (OnlineSource::Drop, "https://[::1]/"),
        ];
        settings.bases = bases.map(|(source, base)| (source, base.to_owned())).into();
        for (own, port) in [("registry.lan", 8080), ("127.0.0.1", 4343), ("::1", 443)] {
            assert!(settings.is_own(own, port), "{own}");
            assert!(!settings.is_own(own, 1234), "{own}");
            assert!(settings.is_own_host(own), "{own}");
        }
        assert!(!settings.is_own_host("rdap"));
    }
}

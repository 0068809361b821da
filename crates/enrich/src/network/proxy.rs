//! What is said to a proxy before it carries a connection on. Names are left to it.

use std::io::{self, BufReader, Read, Write};
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::answer::{self, Fault};
use super::settings::{Login, Proxy, ProxyKind};
use super::url::bracketed;

/// Why it does not carry it on.
pub(super) enum Trouble {
    Io(io::Error),
    Says(String),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

pub(super) fn ask(
    proxy: &Proxy,
    to: (&str, u16),
    wire: &mut (impl Read + Write),
) -> Result<(), Trouble> {
    match proxy.kind {
        ProxyKind::Socks5 => socks(proxy.login.as_ref(), to, wire),
        ProxyKind::Http => connect(proxy.login.as_ref(), to, wire),
    }
}

fn says(what: &str) -> Trouble {
    Trouble::Says(what.to_owned())
}

/// RFC 1928; with a login, RFC 1929.
fn socks(
    login: Option<&Login>,
    (host, port): (&str, u16),
    wire: &mut (impl Read + Write),
) -> Result<(), Trouble> {
    const NO_LOGIN: u8 = 0;
    const PASSWORD: u8 = 2;
    let methods: &[u8] = match login {
        Some(_) => &[5, 2, NO_LOGIN, PASSWORD],
        None => &[5, 1, NO_LOGIN],
    };
    wire.write_all(methods)?;
    let method = match (some(wire)?, login) {
        ([5, method @ (NO_LOGIN | PASSWORD)], Some(_)) => method,
        ([5, NO_LOGIN], None) => NO_LOGIN,
        ([5, _], None) => return Err(says("it wants a login")),
        ([5, _], Some(_)) => return Err(says("it wants another kind of login")),
        (_, _) => return Err(says("it does not speak SOCKS5")),
    };
    if let (PASSWORD, Some(login)) = (method, login) {
        let mut message = vec![1];
        message.extend(short(login.user.as_bytes()).ok_or_else(|| says("the login is too long"))?);
        let password = login.password.text().as_bytes();
        message.extend(short(password).ok_or_else(|| says("the login is too long"))?);
        wire.write_all(&message)?;
        if !matches!(some(wire)?, [_, 0]) {
            return Err(says("it does not accept the login"));
        }
    }
    let mut message = vec![5, 1, 0];
    match host.parse() {
        Ok(IpAddr::V4(address)) => {
            message.push(1);
            message.extend(address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            message.push(4);
            message.extend(address.octets());
        }
        Err(_) => {
            message.push(3);
            message.extend(short(host.as_bytes()).ok_or_else(|| says("the name is too long"))?);
        }
    }
    message.extend(port.to_be_bytes());
    wire.write_all(&message)?;
    let [version, reply, _, kind] = some(wire)?;
    if version != 5 {
        return Err(says("it does not speak SOCKS5"));
    }
    if reply != 0 {
        return Err(Trouble::Says(format!(
            "no way to {host}: {}",
            socks_reply(reply)
        )));
    }
    // The address that it uses itself, which says nothing here.
    let length = match kind {
        1 => 4,
        4 => 16,
        3 => {
            let [length] = some(wire)?;
            u64::from(length)
        }
        _ => return Err(says("it does not speak SOCKS5")),
    };
    let passed = io::copy(&mut wire.take(length + 2), &mut io::sink())?;
    if passed < length + 2 {
        return Err(Trouble::Io(io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(())
}

/// RFC 1928, 6.
fn socks_reply(reply: u8) -> &'static str {
    match reply {
        2 => "its rules do not allow it",
        3 => "the network cannot be reached",
        4 => "the host cannot be reached",
        5 => "the connection was refused",
        6 => "it took too long",
        7 => "it cannot do that",
        8 => "it does not know such addresses",
        _ => "it failed, and does not say why",
    }
}

fn some<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// With its length before it. `None`: that would take more than a byte, or it is empty.
fn short(bytes: &[u8]) -> Option<Vec<u8>> {
    let length = u8::try_from(bytes.len()).ok()?;
    Some([&[length], bytes].concat())
}

/// RFC 9110, 9.3.6.
fn connect(
    login: Option<&Login>,
    (host, port): (&str, u16),
    wire: &mut (impl Read + Write),
) -> Result<(), Trouble> {
    let place = format!("{}:{port}", bracketed(host));
    let login = login.map_or_else(String::new, |login| {
        let login = STANDARD.encode(format!("{}:{}", login.user, login.password.text()));
        format!("Proxy-Authorization: Basic {login}\r\n")
    });
    let request =
        format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\nUser-Agent: whocalls\r\n{login}\r\n");
    wire.write_all(request.as_bytes())?;
    // One byte at a time: what comes behind the headers is somebody else's.
    let status = answer::status(&mut BufReader::with_capacity(1, wire));
    match status {
        Ok(200..300) => Ok(()),
        Ok(407) => Err(says("it wants a login, or another one")),
        Ok(status) => Err(Trouble::Says(format!(
            "no way to {host}: HTTP status {status}"
        ))),
        Err(Fault::Io(error)) => Err(Trouble::Io(error)),
        Err(Fault::Cut) => Err(Trouble::Io(io::ErrorKind::UnexpectedEof.into())),
        Err(Fault::TooLarge(_) | Fault::Malformed(_)) => Err(says("it does not speak HTTP")),
    }
}

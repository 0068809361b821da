//! Ways that a person has set. What goes wrong on one of them is never made good by going directly.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};

use enrich::network::{Proxy, Settings};
use enrich::sources::{RecordKind, Request};
use model::{Failure, OnlineSource};

use crate::servers::{
    POINTER, Server, answer, http, https, join, record, resolver, says, send, tcp, wait_for_end,
};
use crate::{ask, check, failure, get, hurried, settings};

fn through(settings: Settings, kind: &str, proxy: SocketAddr) -> Settings {
    let proxy = Proxy::parse(&format!("{kind}://{proxy}")).unwrap();
    Settings {
        proxy: Some(proxy),
        ..settings
    }
}

/// Takes every name for `to`; what it hears is the place that was wanted.
fn socks(to: SocketAddr) -> Server {
    tcp(move |stream, hear| {
        if let Some(wanted) = socks_request(stream, 0) {
            hear(&wanted);
            send(stream, &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
            join(stream, to);
        }
    })
}

fn some<const N: usize>(stream: &mut TcpStream) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

/// Up to the request, which is not answered yet.
fn socks_request(stream: &mut TcpStream, method: u8) -> Option<String> {
    let [_, count] = some(stream)?;
    let mut methods = vec![0; usize::from(count)];
    stream.read_exact(&mut methods).ok()?;
    send(stream, &[5, method]);
    let mut login = String::new();
    if method == 2 {
        let [_] = some(stream)?;
        for _ in 0..2 {
            let [length] = some(stream)?;
            let mut part = vec![0; usize::from(length)];
            stream.read_exact(&mut part).ok()?;
            login += &format!("{} ", String::from_utf8(part).unwrap());
        }
        send(stream, &[1, u8::from(login != "me sesame ")]);
    }
    let [_, _, _, kind] = some(stream)?;
    let host = match kind {
        1 => some::<4>(stream)?.map(|byte| byte.to_string()).join("."),
        _ => {
            let [length] = some(stream)?;
            let mut name = vec![0; usize::from(length)];
            stream.read_exact(&mut name).ok()?;
            String::from_utf8(name).unwrap()
        }
    };
    let port = u16::from_be_bytes(some(stream)?);
    let port = if port == 80 || port == 443 {
        port.to_string()
    } else {
        "PORT".to_owned()
    };
    Some(format!("{login}{host}:{port}"))
}

fn why(failure: &Failure, proxy: &Server) -> String {
    let Failure::Proxy(why) = failure else {
        panic!("{failure:?}");
    };
    why.replace(&proxy.address.to_string(), "PROXY")
}

#[test]
fn names_are_left_to_the_proxy() {
    let server = says("HTTP/1.1 200 OK\r\n\r\n{}");
    let proxy = socks(server.address);
    let settings = through(settings(), "socks5", proxy.address);
    // There is no resolver, and the name exists nowhere.
    let enrichment = ask(
        settings.clone(),
        OnlineSource::Rdap,
        &get("http://registry.example/x"),
    );
    check(&enrichment, "200 from registry.example: {}");
    let url = format!("http://127.0.0.1:{}/x", server.address.port());
    let enrichment = ask(settings, OnlineSource::Rdap, &get(&url));
    check(&enrichment, "200 from 127.0.0.1: {}");
    let mut heard = proxy.heard();
    heard.retain(|it| !it.is_empty());
    assert!(
        heard.contains(&"registry.example:80".to_owned()),
        "{heard:?}"
    );
}

#[test]
fn encryption_goes_through_the_proxy_unread() {
    let server = https(|stream, _| send(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"));
    for kind in ["socks5", "http"] {
        let to = server.address;
        let proxy = match kind {
            "socks5" => socks(to),
            _ => http(move |stream, _| {
                send(
                    stream,
                    b"HTTP/1.1 200 Connection established\r\nVia: me\r\n\r\n",
                );
                join(stream, to);
            }),
        };
        let settings = through(settings(), kind, proxy.address);
        let enrichment = ask(
            settings,
            OnlineSource::Rdap,
            &get("https://registry.example/x"),
        );
        check(&enrichment, "200 from registry.example: {}");
    }
}

#[test]
fn a_login_is_said_and_not_shown() {
    let server = says("HTTP/1.1 200 OK\r\n\r\n{}");
    let to = server.address;
    let proxy = tcp(move |stream, _| {
        if socks_request(stream, 2).is_some() {
            send(stream, &[5, 0, 0, 3, 1, b'a', 0, 0]);
            join(stream, to);
        }
    });
    let with = |login: &str| {
        let proxy = format!("socks5://{login}@{}", proxy.address);
        Settings {
            proxy: Some(Proxy::parse(&proxy).unwrap()),
            ..settings()
        }
    };
    let enrichment = ask(
        with("me:sesame"),
        OnlineSource::Rdap,
        &get("http://registry.example/"),
    );
    check(&enrichment, "200 from registry.example: {}");
    let said = failure(with("me:wrong"), &get("http://registry.example/"));
    assert_eq!(
        why(&said, &proxy),
        "socks5://PROXY: it does not accept the login"
    );
    assert!(!format!("{:?}", with("me:sesame")).contains("sesame"));

    let http_proxy = http(|stream, head| {
        let is_known = head.contains("\r\nProxy-Authorization: Basic bWU6c2VzYW1l\r\n");
        let answer: &[u8] = if is_known {
            b"HTTP/1.1 502 No\r\n\r\n"
        } else {
            b"HTTP/1.1 407 Who\r\n\r\n"
        };
        send(stream, answer);
    });
    for (login, expected) in [
        (
            "me:sesame",
            "http://PROXY: no way to registry.example: HTTP status 502",
        ),
        ("me:wrong", "http://PROXY: it wants a login, or another one"),
    ] {
        let proxy = Proxy::parse(&format!("http://{login}@{}", http_proxy.address)).unwrap();
        let settings = Settings {
            proxy: Some(proxy),
            ..settings()
        };
        let said = failure(settings, &get("http://registry.example/"));
        assert_eq!(why(&said, &http_proxy), expected);
    }
}

/// Each of these is a way that does not work, and the source would answer if it were asked directly.
#[test]
fn nobody_is_asked_directly_instead() {
    let server = says("HTTP/1.1 200 OK\r\n\r\nasked directly");
    let dns = crate::servers::resolves_to(&[[127, 0, 0, 1]]);
    let refuses = tcp(|stream, _| {
        socks_request(stream, 0).unwrap();
        send(stream, &[5, 5, 0, 1, 0, 0, 0, 0, 0, 0]);
    });
    let wants_login = tcp(|stream, _| {
        some::<3>(stream).unwrap();
        send(stream, &[5, 0xff]);
    });
    let dies = tcp(|stream, _| {
        socks_request(stream, 0).unwrap();
        send(stream, &[5, 0]);
    });
    let closes = tcp(|_, _| {});
    let speaks_http = says("HTTP/1.1 400 Bad\r\n\r\n");
    let speaks_socks = tcp(|stream, _| {
        wait_for_two(stream);
        send(stream, &[5, 0, 0, 0]);
    });
    let forbids = says("HTTP/1.1 403 No\r\n\r\n");
    let other = tcp(|stream, _| {
        wait_for_two(stream);
        send(stream, b"HTTP/1.1 400 Bad\r\n\r\n");
    });
    for (kind, proxy, expected) in [
        (
            "socks5",
            &refuses,
            "no way to registry.example: the connection was refused",
        ),
        ("socks5", &wants_login, "it wants a login"),
        ("socks5", &dies, "it ended the connection"),
        ("socks5", &closes, "it ended the connection"),
        ("socks5", &other, "it does not speak SOCKS5"),
        (
            "http",
            &forbids,
            "no way to registry.example: HTTP status 403",
        ),
        ("http", &closes, "it ended the connection"),
        (
            "http",
            &speaks_http,
            "no way to registry.example: HTTP status 400",
        ),
    ] {
        let mut settings = through(settings(), kind, proxy.address);
        settings.resolver = Some(dns.address);
        let url = format!("http://registry.example:{}/", server.address.port());
        let said = failure(settings, &get(&url));
        assert_eq!(why(&said, proxy), format!("{kind}://PROXY: {expected}"));
    }
    let mut garbled = through(hurried(), "http", speaks_socks.address);
    garbled.resolver = Some(dns.address);
    assert!(matches!(
        failure(garbled, &get("http://registry.example/")),
        Failure::Proxy(_)
    ));

    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let said = failure(through(settings(), "socks5", gone), &get(&server.url("")));
    let expected = format!("socks5://{gone}: connection refused");
    assert_eq!(said, Failure::Proxy(expected));

    let silent = tcp(|stream, _| {
        wait_for_end(stream);
    });
    let said = failure(
        through(hurried(), "socks5", silent.address),
        &get(&server.url("")),
    );
    assert_eq!(
        why(&said, &silent),
        "socks5://PROXY: no answer within 0.5 s"
    );

    assert!(server.heard().is_empty());
    assert!(dns.heard().is_empty());
}

fn wait_for_two(stream: &mut TcpStream) {
    let _ = some::<2>(stream);
}

#[test]
fn an_answer_that_ends_behind_a_proxy_is_cut() {
    let proxy = tcp(|stream, _| {
        socks_request(stream, 0).unwrap();
        send(stream, &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        let mut request = [0; 20];
        stream.read_exact(&mut request).unwrap();
        send(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{");
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        wait_for_end(stream);
    });
    let settings = through(settings(), "socks5", proxy.address);
    assert_eq!(
        failure(settings, &get("http://registry.example/")),
        Failure::Cut
    );
}

#[test]
fn each_source_may_have_its_own() {
    let server = says("HTTP/1.1 200 OK\r\n\r\n{}");
    let (one, other) = (socks(server.address), socks(server.address));
    let mut settings = through(settings(), "socks5", one.address);
    let proxy = Proxy::parse(&format!("socks5://{}", other.address)).unwrap();
    settings.proxies.insert(OnlineSource::Otx, proxy);
    for source in [
        OnlineSource::Otx,
        OnlineSource::Hashlookup,
        OnlineSource::Otx,
    ] {
        let enrichment = ask(settings.clone(), source, &get("http://registry.example/"));
        check(&enrichment, "200 from registry.example: {}");
    }
    assert_eq!((one.heard().len(), other.heard().len()), (1, 2));
}

#[test]
fn questions_for_names_go_through_it_to_the_resolver() {
    let dns = resolver(
        |_| panic!("over UDP, past the proxy"),
        |question| answer(question, 0, &[record(&POINTER, 16, b"\x02hi")]),
    );
    let request = Request::Dns {
        name: "a.example".to_owned(),
        kind: RecordKind::Txt,
    };
    let proxy = socks(dns.address);
    let mut settings = through(settings(), "socks5", proxy.address);
    settings.resolver = Some(dns.address);
    let enrichment = ask(settings.clone(), OnlineSource::Cymru, &request);
    assert!(enrichment.replies[0].bytes.ends_with(b"\x02hi"));

    settings.resolver = None;
    let said = failure(settings.clone(), &request);
    let expected =
        "socks5://PROXY: it carries questions for names only to a resolver, and none was chosen";
    assert_eq!(why(&said, &proxy), expected);
    let mut settings = through(settings, "http", proxy.address);
    settings.resolver = Some(dns.address);
    let said = failure(settings, &request);
    let expected = "http://PROXY: an HTTP proxy carries no questions for names; SOCKS5 does";
    assert_eq!(why(&said, &proxy), expected);
}

#[test]
fn what_is_set_apart_is_not_asked_for_through_it_either() {
    let proxy = socks("127.0.0.1:9".parse().unwrap());
    let settings = through(settings(), "socks5", proxy.address);
    for url in ["https://10.0.0.1/", "https://printer.local/"] {
        let said = failure(settings.clone(), &get(url));
        assert!(
            matches!(&said, Failure::Unreachable(why) if why.contains("is set apart")),
            "{said:?}"
        );
    }
    assert!(proxy.heard().is_empty());
}

use proptest::prelude::*;

use super::*;

fn check(bytes: &str, host: Option<&str>, target: &str, user_agent: Option<&str>) {
    assert_eq!(
        head(bytes.as_bytes(), 0),
        Head::Whole(bytes.len()),
        "{bytes}"
    );
    let request = request(bytes.as_bytes()).unwrap();
    assert_eq!(request.host, host.map(Text::from), "{bytes}");
    assert_eq!(request.greeting.target, Some(Text::from(target)));
    assert_eq!(request.greeting.user_agent, user_agent.map(Text::from));
    for length in 0..bytes.len() {
        let seen = &bytes.as_bytes()[..length];
        assert_eq!(head(seen, 0), Head::Incomplete, "{bytes} cut at {length}");
        assert_eq!(
            head(bytes.as_bytes(), length),
            Head::Whole(bytes.len()),
            "{bytes} after {length}"
        );
    }
}

fn check_host(host: &str, expected: Option<&str>) {
    check(
        &format!("GET / HTTP/1.1\r\nHost:{host}\r\n\r\n"),
        expected,
        "/",
        None,
    );
}

#[test]
fn reads_requests() {
    check(
        "GET /a?b HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n",
        Some("www.example.com"),
        "/a?b",
        Some("curl/7.88.1"),
    );
    check(
        "POST /x HTTP/1.0\nuser-agent:  a b \nHOST:b.example\n\n",
        Some("b.example"),
        "/x",
        Some("a b"),
    );
    check("GET / HTTP/1.0\r\n\r\n", None, "/", None);
    check(
        "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n",
        Some("239.255.255.250"),
        "*",
        None,
    );
    // The first of two counts, as for most servers.
    check(
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        Some("a"),
        "/",
        None,
    );
}

/// What a proxy is asked for is the destination (RFC 9112, 3.2.2 and 3.2.3).
#[test]
fn reads_requests_to_a_proxy() {
    check(
        "GET http://user@c.example:8080/x HTTP/1.1\r\nHost: proxy.example\r\n\r\n",
        Some("c.example"),
        "http://user@c.example:8080/x",
        None,
    );
    let connect = "CONNECT d.example:443 HTTP/1.1\r\nHost: d.example:443\r\n\r\n";
    check(connect, Some("d.example"), "d.example:443", None);
    assert!(request(connect.as_bytes()).unwrap().is_connect);
}

#[test]
fn hosts_stand_without_port_and_dot() {
    check_host(" www.Example.com:8080", Some("www.Example.com"));
    check_host("a.", Some("a"));
    check_host(" [2001:db8::1]:80", Some("2001:db8::1"));
    check_host("", None);
    check_host(&"a".repeat(256), None);
    check_host("b\u{fc}cher", Some("b\u{fc}cher"));
}

#[test]
fn a_part_gives_what_is_in_it() {
    let part = b"GET / HTTP/1.1\r\nHost: a.example\r\nUser-Agent: cu";
    let request = request(part).unwrap();
    assert_eq!(request.host, Some(Text::from("a.example")));
    assert_eq!(request.greeting.user_agent, None);
    assert_eq!(
        super::request(b"GET / HTTP/1.1\r\nHost: a.exa")
            .unwrap()
            .host,
        None
    );
    assert_eq!(super::request(b"GET / HTTP/1.1"), None);
}

#[test]
fn others_are_left_alone() {
    for other in [
        &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\n",
        b"get / HTTP/1.1\r\n",
        b"DESCRIBE rtsp://a RTSP/1.0\r\n\r\n",
        b"HELO a\r\n",
        b" GET / HTTP/1.1\r\n",
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZ / HTTP/1.1\r\n",
    ] {
        assert_eq!(head(other, 0), Head::Other, "{other:?}");
    }
}

proptest! {
    #[test]
    fn never_panics(bytes: Vec<u8>, looked: usize) {
        let _ = head(&bytes, looked);
        let _ = request(&bytes);
        let _ = request(&[b"GET / HTTP/1.1\r\n", &bytes[..]].concat());
    }

    #[test]
    fn what_is_kept_is_bounded(target in "[!-~]{1,3000}", agent in "[!-~]{1,3000}") {
        let bytes = format!("GET {target} HTTP/1.1\r\nUser-Agent: {agent}\r\n\r\n");
        let request = request(bytes.as_bytes()).unwrap();
        prop_assert!(request.greeting.target.unwrap().bytes().len() <= LONGEST_TEXT);
        prop_assert!(request.greeting.user_agent.unwrap().bytes().len() <= LONGEST_TEXT);
    }
}

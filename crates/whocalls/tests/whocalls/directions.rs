//! Which side opened a connection.

use crate::actor::{Actor, Place};
use crate::network::Namespace;
use crate::program::{TIERS, look, only};
use crate::setting::{Need, lacks};

#[test]
fn both_sides_of_a_connection_within_this_computer() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let (_actor, _) = Actor::start(Place::Inside(&namespace), ON_LOOPBACK);
    check(
        &namespace,
        &[
            ("127.0.0.1:1001", "-", "listening"),
            ("127.0.0.1:1001", "127.0.0.1:5001", "inbound"),
            ("127.0.0.1:5001", "127.0.0.1:1001", "outbound"),
            // Its listener is gone.
            ("127.0.0.1:1002", "127.0.0.1:5002", "inbound"),
            ("127.0.0.1:5002", "127.0.0.1:1002", "outbound"),
            // The caller's port is one that is listened on elsewhere.
            ("127.0.0.2:1001", "127.0.0.1:1003", "outbound"),
            ("127.0.0.1:1003", "127.0.0.2:1001", "inbound"),
            // Bytes have gone both ways.
            ("127.0.0.1:1004", "127.0.0.1:5004", "inbound"),
            ("127.0.0.1:5004", "127.0.0.1:1004", "outbound"),
            // Never accepted.
            ("127.0.0.1:1005", "127.0.0.1:5005", "inbound"),
            ("127.0.0.1:5005", "127.0.0.1:1005", "outbound"),
        ],
    );
}

#[test]
fn both_sides_of_a_cable() {
    let (Some(here), Some(there)) = (Namespace::new(), Namespace::new()) else {
        return;
    };
    if lacks(&[Need::Program("python3")]) || !here.connect(&there) {
        return;
    }
    let (mut server, _) = Actor::start(
        Place::Inside(&there),
        "
waiting = listener(('192.0.2.2', 1001)); closing = listener(('192.0.2.2', 1002))
ready()
keep(waiting.accept()[0]); keep(closing.accept()[0]); closing.close()
ready()
",
    );
    let (_client, _) = Actor::start(
        Place::Inside(&here),
        "
for port in (1001, 1002):
    calling = keep(socket()); calling.bind(('192.0.2.1', 4000 + port))
    calling.connect(('192.0.2.2', port))
ready()
",
    );
    server.go_on();
    check(
        &here,
        &[
            ("192.0.2.1:5001", "192.0.2.2:1001", "outbound"),
            ("192.0.2.1:5002", "192.0.2.2:1002", "outbound"),
        ],
    );
    check(
        &there,
        &[
            ("192.0.2.2:1001", "-", "listening"),
            ("192.0.2.2:1001", "192.0.2.1:5001", "inbound"),
            ("192.0.2.2:1002", "192.0.2.1:5002", "inbound"),
        ],
    );
}

fn check(namespace: &Namespace, expected: &[(&str, &str, &str)]) {
    for tier in TIERS {
        let look = look(tier);
        let seen = look.inside(namespace);
        for (local, remote, direction) in expected {
            let seen = only(&seen, |seen| {
                seen.local() == *local && seen.remote() == *remote
            });
            let found = seen.word("direction");
            assert_eq!(found, *direction, "{tier:?}: {local} {remote}");
        }
    }
}

const ON_LOOPBACK: &str = r#"
def call(server, port, own='127.0.0.1'):
    calling = keep(socket()); calling.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    calling.bind((own, port)); calling.connect(server)
    return calling
waiting = listener(('127.0.0.1', 1001))
call(('127.0.0.1', 1001), 5001); keep(waiting.accept()[0])
closing = listener(('127.0.0.1', 1002))
call(('127.0.0.1', 1002), 5002); keep(closing.accept()[0]); closing.close()
waiting = listener(('127.0.0.1', 1003))
call(('127.0.0.1', 1003), 1001, '127.0.0.2'); keep(waiting.accept()[0])
waiting = listener(('127.0.0.1', 1004))
calling = call(('127.0.0.1', 1004), 5004); accepted = keep(waiting.accept()[0])
calling.sendall(bytes(10000)); accepted.recv(10000, MSG_WAITALL)
accepted.sendall(bytes(20000)); calling.recv(20000, MSG_WAITALL)
listener(('127.0.0.1', 1005)); call(('127.0.0.1', 1005), 5005)
ready()
"#;

//! Bytes of TCP are those of the payload: what the programs wrote and read.

use crate::actor::{Actor, Place};
use crate::network::Namespace;
use crate::program::{TIERS, look, only};
use crate::setting::{Need, lacks};

#[test]
fn payload_is_counted_exactly() {
    check("pass", &["established", "established"]);
}

#[test]
fn the_callers_half_close_is_not_payload() {
    check(
        "calling.shutdown(SHUT_WR); accepted.recv(1)",
        &["fin_wait_2", "close_wait"],
    );
}

#[test]
fn the_servers_half_close_is_not_payload() {
    check(
        "accepted.shutdown(SHUT_WR); calling.recv(1)",
        &["close_wait", "fin_wait_2"],
    );
}

#[test]
fn connections_of_mptcp_and_of_both_families_count_as_well() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let script = "
def talk(calling, accepted):
    calling.sendall(bytes(1234)); accepted.recv(1234, MSG_WAITALL)
    accepted.sendall(bytes(4321)); calling.recv(4321, MSG_WAITALL)
talk(*both(('::1', 1001), AF_INET6)[:2])
waiting = keep(create_server(('::', 1002), family=AF_INET6, dualstack_ipv6=True))
talk(caller(('127.0.0.1', 1002)), keep(waiting.accept()[0]))
ready()
";
    let (_actor, _) = Actor::start(Place::Inside(&namespace), script);
    for tier in TIERS {
        let look = look(tier);
        let seen = look.inside(&namespace);
        for server in ["[::1]:1001", "127.0.0.1:1002"] {
            let calling = only(&seen, |seen| seen.remote() == server);
            assert_eq!(calling.0["bytes_sent"], 1234, "{tier:?}");
            assert_eq!(calling.0["bytes_received"], 4321, "{tier:?}");
            let accepted = only(&seen, |seen| seen.local() == server && seen.remote() != "-");
            assert_eq!(accepted.0["bytes_sent"], 4321, "{tier:?}");
            assert_eq!(accepted.0["bytes_received"], 1234, "{tier:?}");
        }
    }
}

const SIZES: [u64; 6] = [0, 1, 1000, 65_535, 65_536, 3_000_000];

/// Each size from the caller to the server and, with another one, back; then `ending`.
fn check(ending: &str, states: &[&str; 2]) {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let script = format!(
        "
def send(one, other, size):
    writer = threading.Thread(target=one.sendall, args=(bytes(size),)); writer.start()
    while size:
        size -= len(other.recv(size))
    writer.join()
for index, size in enumerate({SIZES:?}):
    calling, accepted, _ = both(('127.0.0.1', 1000 + index))
    send(calling, accepted, size)
    send(accepted, calling, size // 2)
    {ending}
ready()
"
    );
    let (_actor, _) = Actor::start(Place::Inside(&namespace), &script);
    for tier in TIERS {
        let look = look(tier);
        let seen = look.inside(&namespace);
        for (port, size) in (1000..).zip(SIZES) {
            let server = format!("127.0.0.1:{port}");
            let calling = only(&seen, |seen| seen.remote() == server);
            let accepted = only(&seen, |seen| seen.local() == server && seen.remote() != "-");
            assert_eq!([calling, accepted].map(|seen| seen.word("state")), *states);
            let bytes = |name: &str| [calling, accepted].map(|seen| seen.0[name].as_u64());
            let (there, back) = (Some(size), Some(size / 2));
            assert_eq!(bytes("bytes_sent"), [there, back], "{tier:?}");
            assert_eq!(bytes("bytes_received"), [back, there], "{tier:?}");
        }
    }
}

//! What the computer remembers of connections that are over.

use serde_json::{Value, json};

use crate::actor::{Actor, Place};
use crate::network::Namespace;
use crate::program::{Look, whocalls};
use crate::setting::{Need, lacks};

#[test]
fn a_connection_that_is_over_is_remembered() {
    let (Some(here), Some(there)) = (Namespace::new(), Namespace::new()) else {
        return;
    };
    if lacks(&[Need::Program("python3")]) || !here.connect(&there) {
        return;
    }
    let server = Actor::start(
        Place::Inside(&there),
        "
waiting = listener(('192.0.2.2', 1001))
def serve():
    while True:
        accepted, _ = waiting.accept()
        while accepted.recv(65536):
            pass
        accepted.close()
threading.Thread(target=serve, daemon=True).start()
ready()
",
    );
    // TIME_WAIT stays with the one that closes first; this one says nothing and is gone.
    let client = Actor::start(
        Place::Inside(&here),
        "
for _ in range(3):
    calling = socket(); calling.connect(('192.0.2.2', 1001))
    calling.sendall(bytes(100000)); calling.shutdown(SHUT_WR); calling.recv(1); calling.close()
ready()
",
    );
    drop((client, server));

    let look = Look(whocalls(&["list", "--before", "--json"]).json());
    assert_eq!(look.0["connections"], json!([]));
    for (namespace, remote) in [(&here, "192.0.2.2"), (&there, "192.0.2.1")] {
        let entries = look.0["remembered"].as_array().unwrap();
        let of = |source: &str| -> Vec<&Value> {
            let fits = |entry: &&Value| {
                entry["netns"] == namespace.number
                    && entry["remote"]["ip"] == remote
                    && entry["source"] == source
            };
            entries.iter().filter(fits).collect()
        };
        for source in ["neighbours", "tcp_metrics"] {
            let found = of(source);
            // Only the side that called keeps metrics for sure.
            if source == "tcp_metrics" && remote == "192.0.2.1" && found.is_empty() {
                continue;
            }
            let [entry] = found.as_slice() else {
                panic!("{source} of {remote}: {found:#?}\nof {entries:#?}");
            };
            assert_eq!(
                entry["owner"],
                json!({"known": false, "source": null, "why": "before_start"})
            );
            assert_eq!(entry["process"], Value::Null);
            let age = entry["age_ns"].as_u64().expect("an age");
            assert!(age < 60_000_000_000, "{age}");
        }
    }
}

#[test]
fn the_table_of_what_is_remembered_says_where_it_comes_from() {
    let (Some(here), Some(there)) = (Namespace::new(), Namespace::new()) else {
        return;
    };
    if lacks(&[Need::Program("python3")]) || !here.connect(&there) {
        return;
    }
    drop(Actor::start(
        Place::Inside(&here),
        "
calling = keep(socket(AF_INET, SOCK_DGRAM)); calling.sendto(b'?', ('192.0.2.2', 9))
ready()
",
    ));
    let run = whocalls(&["list", "--before"]);
    assert_eq!(run.code, Some(0), "{}", run.talk());
    let text = run.text();
    assert!(text.contains("192.0.2.2"), "{text}");
    assert!(text.contains("neighbour table"), "{text}");
}

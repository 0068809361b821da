//! What must hold of every text.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{read, read_as};

/// A row, with a few numbers to be put into it.
type Form = fn(u8, u16) -> String;

const KINDS: [&str; 6] = [
    "ss output",
    "netstat output",
    "lsof output",
    "lsof -F output",
    "TCPView list",
    "Tcpvcon output",
];

#[test]
fn a_text_that_shows_a_list_is_none() {
    let readme = "# How to see who listens\n\nFirst run this:\n\n    $ ss -tln\n    State  Recv-Q Send-Q Local Address:Port Peer Address:Port\n    LISTEN 0 128 0.0.0.0:22 0.0.0.0:*\n\nThe first column is the state.\nThe next two are queues.\nThen come both ends.\nSee the manual for more.\nTCP is explained elsewhere: read it.\n";
    assert!(read(readme.as_bytes()).is_none());
    for text in [
        "a",
        "name,number\nbeta,2\n",
        "p123\nq\n",
        "[main]\nkey=value\n",
        "TCP is a protocol\nUDP too\n",
        "{}\n",
        "\n\n\n",
    ] {
        assert!(read(text.as_bytes()).is_none(), "{text}");
    }
}

proptest! {
    #[test]
    fn never_panics(bytes in vec(any::<u8>(), 0..400)) {
        for kind in KINDS {
            read_as(&bytes, Some(kind));
        }
    }

    #[test]
    fn never_panics_on_what_looks_like_it(text in "((TCP|tcp6|udp|ESTAB|LISTEN|p1|tIPv4|\\[TCP\\]|sshd|0|17|10\\.0\\.0\\.1:22|\\*:\\*|::1\\.22|users:\\(\\(|\",pid=1|IPv6|->|\\(|\\)|,|\\[|\\]| |\t|\n){0,40}\n){0,8}") {
        for kind in KINDS {
            read_as(text.as_bytes(), Some(kind));
        }
    }

    #[test]
    fn every_line_is_a_row_or_counted(lines in vec(any::<Option<(u8, u16)>>(), 1..60)) {
        let rows = lines.iter().flatten().count();
        let list = |row: Form| {
            let line = |line: &Option<(u8, u16)>| line.map_or("7 is odd".to_owned(), |(a, b)| row(a, b));
            lines.iter().map(line).collect::<Vec<_>>().join("\n")
        };
        let forms: [(&str, Form); 5] = [
            ("ss output", |a, b| format!("tcp ESTAB 0 0 10.0.0.{a}:{b} 10.0.0.1:1")),
            ("netstat output", |a, b| format!("tcp 0 0 10.0.0.{a}:{b} 10.0.0.1:1 ESTABLISHED 5/a")),
            ("lsof output", |a, b| format!("a 5 root 3u IPv4 7 0t0 TCP 10.0.0.{a}:{b}->10.0.0.1:1 (ESTABLISHED)")),
            ("TCPView list", |a, b| format!("a:5\tTCP\t10.0.0.{a}:{b}\t10.0.0.1:1\tESTABLISHED")),
            ("Tcpvcon output", |a, b| format!("TCP,a,5,ESTABLISHED,10.0.0.{a}:{b},10.0.0.1:1")),
        ];
        for (kind, row) in forms {
            let read = read_as(list(row).as_bytes(), Some(kind)).unwrap();
            let counted = usize::try_from(read.skipped.count).unwrap();
            prop_assert_eq!((read.connections.len(), counted), (rows, lines.len() - rows), "{}", kind);
        }
    }
}

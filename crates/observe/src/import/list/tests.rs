//! Lists with something in them that cannot be.

use super::super::tests::read;

/// A list with one number left out: with `good` all of it is understood, with each of `odd` all but
/// one part.
fn check(list: &str, good: &str, odd: &[&str]) {
    let with = |number: &str| list.replace("NUMBER", number);
    let read_with = |number: &str| read(with(number).as_bytes());
    let whole = read_with(good);
    assert_eq!(whole.skipped.count, 0, "{good}: {:?}", whole.skipped);
    assert!(whole.connections().count() >= 2, "{}", with(good));
    for number in odd {
        let read = read_with(number);
        assert_eq!(read.skipped.count, 1, "{number}: {}", with(number));
        let known = read.connections().all(|it| it.local.port.is_some());
        assert!(known, "{number}: {}", with(number));
    }
}

const PORTS: [&str; 3] = ["70000", "-5", "+80"];
const PIDS: [&str; 2] = ["-812", "99999999999"];

#[test]
fn numbers_that_cannot_be_are_counted_in_ss() {
    let head = "Netid State Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n\
                tcp ESTAB 0 0 192.0.2.5:40001 203.0.113.9:443\n";
    let row = |rest: &str| format!("{head}tcp ESTAB 0 0 192.0.2.5:{rest}\n");
    check(&row("NUMBER 203.0.113.9:443"), "40000", &PORTS);
    let users = row("40000 203.0.113.9:443 users:((\"curl\",pid=NUMBER,fd=3))");
    check(&users, "812", &PIDS);
    let bytes = row("40000 203.0.113.9:443\n\t cubic bytes_sent:NUMBER");
    check(&bytes, "12", &["-12", "99999999999999999999"]);
}

#[test]
fn numbers_that_cannot_be_are_counted_in_netstat() {
    let row = |rest: &str| {
        format!(
            "Active Internet connections (w/o servers)\n\
             Proto Recv-Q Send-Q Local Address Foreign Address State PID/Program name\n\
             tcp 0 0 192.0.2.5:48424 203.0.113.9:443 ESTABLISHED 812/curl\n\
             tcp 0 0 192.0.2.5:{rest}\n"
        )
    };
    check(
        &row("NUMBER 203.0.113.9:443 ESTABLISHED 812/curl"),
        "40000",
        &PORTS,
    );
    check(
        &row("40000 203.0.113.9:443 ESTABLISHED NUMBER/curl"),
        "812",
        &PIDS,
    );
    let row = |rest: &str| {
        format!(
            "Active Connections\n\n  Proto  Local Address  Foreign Address  State  PID\n  \
             TCP  192.0.2.5:48424  203.0.113.9:443  ESTABLISHED  812\n  TCP  192.0.2.5:{rest}\n"
        )
    };
    check(
        &row("NUMBER  203.0.113.9:443  ESTABLISHED  812"),
        "40000",
        &PORTS,
    );
    check(
        &row("40000  203.0.113.9:443  ESTABLISHED  NUMBER"),
        "812",
        &PIDS,
    );
}

#[test]
fn numbers_that_cannot_be_are_counted_in_lsof() {
    let row = |rest: &str| {
        format!(
            "COMMAND PID USER FD TYPE DEVICE SIZE/OFF NODE NAME\n\
             curl 812 lena 3u IPv4 5001 0t0 TCP 192.0.2.5:48424->203.0.113.9:443 (ESTABLISHED)\n\
             {rest}\n"
        )
    };
    let port = "curl 812 lena 4u IPv4 5002 0t0 TCP 192.0.2.5:NUMBER->203.0.113.9:443 (ESTABLISHED)";
    check(&row(port), "40000", &PORTS);
    let fields = "p812\nccurl\nf3\ntIPv4\nPTCP\nn192.0.2.5:48424->203.0.113.9:443\nTST=ESTABLISHED\n\
                  f4\ntIPv4\nPTCP\nn192.0.2.5:NUMBER->203.0.113.9:443\nTST=ESTABLISHED\n";
    let read = |number: &str| {
        read(fields.replace("NUMBER", number).as_bytes())
            .skipped
            .count
    };
    assert_eq!((read("40000"), read("70000"), read("-5")), (0, 1, 1));
}

#[test]
fn numbers_that_cannot_be_are_counted_in_tcpview() {
    let good =
        "curl.exe\t812\tTCP\tEstablished\t192.0.2.5\t48424\t203.0.113.9\t443\t\tcurl\t1\t2\t3\t4\n";
    let row = |rest: &str| format!("{good}{good}curl.exe\t{rest}\n");
    let end = "TCP\tEstablished\t192.0.2.5";
    let counts = "203.0.113.9\t443\t\tcurl\t1\t2\t3";
    check(
        &row(&format!("812\t{end}\tNUMBER\t{counts}\t4")),
        "40000",
        &PORTS,
    );
    check(
        &row(&format!("NUMBER\t{end}\t40000\t{counts}\t4")),
        "812",
        &PIDS,
    );
    let odd = ["-4", "4x", "99999999999999999999"];
    check(
        &row(&format!("812\t{end}\t40000\t{counts}\tNUMBER")),
        "4,000",
        &odd,
    );
}

//! Tables of connections, of processes, and of what the computer remembers, as lines of text.
//! Cut to the screen where there is one; whole and aligned, one line a row, where there is none.
//!
//! Names and paths are made visible; nothing here decides what is shown or in which order.

use std::io::{self, BufWriter, Write};

use model::{Connection, NetworkNamespace, Process, Snapshot};

use crate::table::owner::Owners;

pub(crate) mod cell;
mod connections;
pub(crate) mod endpoint;
mod grid;
mod moved;
pub(crate) mod owner;
mod processes;
mod remembered;
#[cfg(test)]
pub(crate) mod sample;

/// How a table is to look.
#[derive(Clone, Debug, Default)]
pub struct TableOptions {
    /// Columns of the screen; fewer than 20 are treated as 20. `None`: there is no screen, and
    /// nothing is cut.
    pub width: Option<usize>,
    /// Numbers only, without names of services.
    pub numeric: bool,
    pub color: bool,
    /// Connections under headings.
    pub group: Option<Group>,
    /// The network namespace that goes without saying; connections in another are marked with
    /// it, or with the container. `None`: none is marked.
    pub home_netns: Option<NetworkNamespace>,
}

/// What connections are gathered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Process,
    /// The address of the other end, whatever its port.
    Remote,
    User,
}

/// `whocalls list`: a line for each connection, in the order given.
pub fn connections(
    snapshot: &Snapshot,
    shown: &[&Connection],
    options: &TableOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    let owners = Owners::of(snapshot, shown);
    buffered(out, |out| {
        connections::write(&owners, shown, options, &snapshot.addresses, out)
    })
}

/// `whocalls list --processes`: a line for each process with the number of its connections, `None`
/// where that could not be seen, in the order given.
pub fn processes(
    shown: &[(&Process, Option<usize>)],
    options: &TableOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    buffered(out, |out| processes::write(shown, options, out))
}

/// `whocalls list --before`: what parts of the computer remember from before we looked, the
/// latest first, and below it what each part's memory means.
pub fn remembered(
    snapshot: &Snapshot,
    options: &TableOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    buffered(out, |out| remembered::write(snapshot, options, out))
}

fn buffered<W: Write>(
    out: &mut W,
    write: impl FnOnce(&mut BufWriter<&mut W>) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    write(&mut out)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::sample::{AWAY, HOME, check_lines};
    use super::*;
    use model::{Container, Device, DeviceId, Endpoint, Text, WhyUnknown};
    use proptest::prelude::*;
    use std::net::{IpAddr, Ipv6Addr};

    const GROUPS: [Option<Group>; 4] = [
        None,
        Some(Group::Process),
        Some(Group::Remote),
        Some(Group::User),
    ];

    fn options(width: Option<usize>, group: Option<Group>) -> TableOptions {
        TableOptions {
            width,
            group,
            home_netns: Some(HOME),
            ..TableOptions::default()
        }
    }

    fn table(snapshot: &Snapshot, options: &TableOptions) -> String {
        let shown: Vec<_> = snapshot.connections.iter().collect();
        let mut out = Vec::new();
        connections(snapshot, &shown, options, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// The desk, as `expected` draws it after an empty line.
    fn check(width: Option<usize>, group: Option<Group>, expected: &str) {
        assert_eq!(
            format!("\n{}", table(&sample::desk(), &options(width, group))),
            expected
        );
    }

    #[test]
    fn eighty_columns_keep_the_addresses() {
        check(
            Some(80),
            None,
            "
PROCESS       PID   PROTO  STATE       LOCAL               REMOTE
firefox       1464  tcp    established 192.0.2.7:40512     203.0.113.9:443/https
firefox       1464  tcp    established [2001…0:7348]:40513 [2001:d…2b::200e]:443
kwor… (memfd) 2201  tcp    established 192.0.2.7:40600     198.51.100.23:8080
? gone        -     tcp    time_wait   192.0.2.7:40514     203.0.113.9:443/https
nginx [docke… 801+2 tcp    listen      0.0.0.0:80/http     *
helper        99    udp    open        [fe80::1%eth0]:546  *
helper        99    icmp   open        192.0.2.7 id 77     203.0.113.9
helper        99    raw    open        0.….0 proto 89 ospf *
? no rights   -     packet open        all frames on eth0  *
(no room for RECEIVED, SENT, USER)
",
        );
    }

    #[test]
    fn eighty_columns_are_enough_for_ipv4() {
        let mut desk = sample::desk();
        let is_ipv4 = |connection: &&Connection| matches!(connection.local.ip, Some(IpAddr::V4(_)));
        let some = desk.connections.iter().filter(is_ipv4).take(3).cloned();
        desk.connections = some.collect();
        let expected = "
PROCESS            PID   PROTO  STATE        LOCAL            REMOTE
firefox            1464  tcp    established  192.0.2.7:40512  203.0.113.9:443
kworker/… (memfd)  2201  tcp    established  192.0.2.7:40600  198.51.100.23:8080
? gone             -     tcp    time_wait    192.0.2.7:40514  203.0.113.9:443
(no room for RECEIVED, SENT, USER)
";
        assert_eq!(
            format!("\n{}", table(&desk, &options(Some(80), None))),
            expected
        );
    }

    #[test]
    fn a_hundred_and_twenty_columns_hold_all_nine() {
        check(Some(120), None, "
PROCESS          PID    USER   PROTO   STATE        LOCAL                  REMOTE                         SENT  RECEIVED
firefox          1464   alice  tcp     established  192.0.2.7:40512        203.0.113.9:443/https          1.5K      3.4G
firefox          1464   alice  tcp     established  [2001:…70:7348]:40513  [2001:db8:4001:82b::200e]:443  1.5K      3.4G
kworke… (memfd)  2201   alice  tcp     established  192.0.2.7:40600        198.51.100.23:8080/http-alt    1.5K      3.4G
? gone           -      -      tcp     time_wait    192.0.2.7:40514        203.0.113.9:443/https             -         -
nginx [docker …  801+2  root   tcp     listen       0.0.0.0:80/http        *                                 -         -
helper           99     alice  udp     open         [fe80::1%eth0]:546     *                                 -         -
helper           99     alice  icmp    open         192.0.2.7 id 77        203.0.113.9                    1.5K      3.4G
helper           99     alice  raw     open         0.0.0.0 proto 89 ospf  *                                 -         -
? no rights      -      root   packet  open         all frames on eth0     *                                 -         -
");
    }

    #[test]
    fn forty_columns_say_who_calls_whom() {
        check(
            Some(40),
            None,
            "
PROCESS      PID   REMOTE
firefox      1464  203.0.113.9:443/https
firefox      1464  [2001:d…2b::200e]:443
kwo… (memfd) 2201  198.51.100.23:8080
? gone       -     203.0.113.9:443/https
nginx [dock… 801+2 *
helper       99    *
helper       99    203.0.113.9
helper       99    *
? no rights  -     *
(no room for RECEIVED, SENT, USER,
  STATE, PROTO, LOCAL)
",
        );
    }

    #[test]
    fn without_a_screen_nothing_is_cut() {
        check(None, None, "
PROCESS                      PID    USER   PROTO   STATE        LOCAL                                         REMOTE                               SENT  RECEIVED  PATH
firefox                      1464   alice  tcp     established  192.0.2.7:40512                               203.0.113.9:443/https                1.5K      3.4G  /usr/lib/firefox/firefox
firefox                      1464   alice  tcp     established  [2001:db8:85a3:8d3:1319:8a2e:370:7348]:40513  [2001:db8:4001:82b::200e]:443/https  1.5K      3.4G  /usr/lib/firefox/firefox
kworker/u8:1 (memfd)         2201   alice  tcp     established  192.0.2.7:40600                               198.51.100.23:8080/http-alt          1.5K      3.4G  /memfd:x (memfd)
? gone                       -      -      tcp     time_wait    192.0.2.7:40514                               203.0.113.9:443/https                   -         -  -
nginx [docker 0123456789ab]  801+2  root   tcp     listen       0.0.0.0:80/http                               *                                       -         -  /usr/sbin/nginx
helper                       99     alice  udp     open         [fe80::1%eth0]:546/dhcpv6-client              *                                       -         -  /usr/libexec/helper
helper                       99     alice  icmp    open         192.0.2.7 id 77                               203.0.113.9                          1.5K      3.4G  /usr/libexec/helper
helper                       99     alice  raw     open         0.0.0.0 proto 89 ospf                         *                                       -         -  /usr/libexec/helper
? no rights                  -      root   packet  open         all frames on eth0                            *                                       -         -  -
");
    }

    #[test]
    fn headings_say_what_the_rows_leave_out() {
        check(
            Some(80),
            Some(Group::Process),
            "
  PROTO   STATE        LOCAL                       REMOTE
firefox 1464 alice  /usr/lib/firefox/firefox  2 connections
  tcp     established  192.0.2.7:40512             203.0.113.9:443/https
  tcp     established  [2001:db8…:370:7348]:40513  [2001:db8:4001:82b::200e]:443
kworker/u8:1 (memfd) 2201 alice  /memfd:x  1 connection
  tcp     established  192.0.2.7:40600             198.51.100.23:8080/http-alt
? gone  1 connection
  tcp     time_wait    192.0.2.7:40514             203.0.113.9:443/https
nginx [docker 0123456789ab] 801 root  /usr/sbin/nginx  1 connection
  tcp     listen       0.0.0.0:80/http             *
helper 99 alice  /usr/libexec/helper  3 connections
  udp     open         [fe80::1%eth0]:546          *
  icmp    open         192.0.2.7 id 77             203.0.113.9
  raw     open         0.0.0.0 proto 89 ospf       *
? no rights  1 connection
  packet  open         all frames on eth0          *
(no room for RECEIVED, SENT)
",
        );
        check(
            Some(80),
            Some(Group::Remote),
            "
  PROCESS          PID    PROTO   STATE        LOCAL                  PORT
203.0.113.9  3 connections
  firefox          1464   tcp     established  192.0.2.7:40512        443/https
  ? gone           -      tcp     time_wait    192.0.2.7:40514        443/https
  helper           99     icmp    open         192.0.2.7 id 77        -
2001:db8:4001:82b::200e  1 connection
  firefox          1464   tcp     established  [2001:…70:7348]:40513  443/https
198.51.100.23  1 connection
  kworke… (memfd)  2201   tcp     established  192.0.2.7:40600        8080
* listens, or can talk to anyone  4 connections
  nginx [docker …  801+2  tcp     listen       0.0.0.0:80/http        -
  helper           99     udp     open         [fe80::1%eth0]:546     -
  helper           99     raw     open         0.0.0.0 proto 89 ospf  -
  ? no rights      -      packet  open         all frames on eth0     -
(no room for RECEIVED, SENT, USER)
",
        );
    }

    #[test]
    fn numeric_has_no_names_of_services() {
        let options = TableOptions {
            numeric: true,
            ..options(None, None)
        };
        let text = table(&sample::desk(), &options);
        assert!(
            text.contains("203.0.113.9:443 ")
                && text.contains("proto 89 ")
                && !text.contains("https")
        );
    }

    #[test]
    fn colors_only_when_asked() {
        let options = TableOptions {
            color: true,
            ..options(Some(120), None)
        };
        let text = table(&sample::desk(), &options);
        assert!(text.starts_with("\x1b[1mPROCESS"));
        assert_eq!(text.matches("\x1b[2m? gone").count(), 1);
        let plain = text
            .replace("\x1b[1m", "")
            .replace("\x1b[2m", "")
            .replace("\x1b[0m", "");
        assert_eq!(
            plain,
            table(
                &sample::desk(),
                &TableOptions {
                    color: false,
                    ..options
                }
            )
        );
    }

    #[test]
    fn why_an_owner_is_unknown_stands_in_its_place() {
        for why in [
            WhyUnknown::NoRights,
            WhyUnknown::OutsideNamespace,
            WhyUnknown::Lost,
        ] {
            let connection =
                sample::connection(sample::unknown(why), "192.0.2.7:1", "203.0.113.9:2");
            let text = table(
                &sample::snapshot(Vec::new(), vec![connection]),
                &options(None, None),
            );
            let row = text.lines().nth(1).unwrap();
            assert!(
                row.starts_with(&format!("? {}  ", owner::why_unknown(why))),
                "{row}"
            );
        }
    }

    #[test]
    fn a_device_stands_where_a_process_would() {
        let why = WhyUnknown::NotInSource;
        let of = |device, port| {
            let local = format!("192.168.7.2:{port}");
            let mut it = sample::connection(sample::unknown(why), &local, "203.0.113.9:2");
            it.device = Some(device);
            it
        };
        let [named, bare] = [1, 2].map(|last| DeviceId::Mac([2, 0, 0, 0, 0, last]));
        let connections = vec![of(named, 2), of(named, 3), of(bare, 1)];
        let mut snapshot = sample::snapshot(Vec::new(), connections);
        let device = Device {
            id: named,
            name: Some("phone".into()),
            addresses: Vec::new(),
        };
        snapshot.devices = std::sync::Arc::new([(named, device)].into());
        let text = table(&snapshot, &options(None, None));
        let begins = |number: usize, what: &str| {
            let row = text.lines().nth(number).unwrap();
            assert!(row.starts_with(what), "{row}");
        };
        begins(1, "device phone ");
        begins(2, "device phone ");
        begins(3, "device 02:00:00:00:00:02  - ");
        let grouped = table(&snapshot, &options(None, Some(Group::Process)));
        for heading in [
            "device phone  2 connections",
            "device 02:00:00:00:00:02  1 connection",
        ] {
            assert!(grouped.contains(heading), "{grouped}");
        }
    }

    #[test]
    fn an_empty_table_has_its_header() {
        let text = table(
            &sample::snapshot(Vec::new(), Vec::new()),
            &options(Some(120), None),
        );
        assert_eq!(
            text,
            "PROCESS  PID  USER  PROTO  STATE  LOCAL  REMOTE  SENT  RECEIVED\n"
        );
    }

    #[test]
    fn every_width_fits() {
        for group in GROUPS {
            for width in (0..210).map(Some).chain([None]) {
                for snapshot in [sample::desk(), sample::hostile()] {
                    let rows = snapshot.connections.len() + 1;
                    check_lines(&table(&snapshot, &options(width, group)), width, rows);
                }
            }
        }
    }

    #[test]
    fn columns_are_aligned() {
        let text = table(&sample::desk(), &options(None, None));
        let header = text.lines().next().unwrap();
        for title in ["PID", "USER", "PROTO", "STATE", "LOCAL", "REMOTE", "PATH"] {
            let column = header.find(title).unwrap();
            for line in text.lines() {
                assert_eq!(line.get(column - 1..column), Some(" "), "{line}");
                assert_ne!(line.get(column..=column), Some(" "), "{line}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_name_breaks_a_line(
            name: Vec<u8>, path: Vec<u8>, user: String, interface: Vec<u8>, address: u128, width in 0_usize..220,
        ) {
            let mut process = sample::process(7, "", "");
            process.name = Text::from(name);
            process.path = Some(Text::from(path));
            process.user = Some(Text::from(user));
            process.container =
                Some(Container { engine: "docker", id: process.name.clone() });
            process.unit = process.path.clone();
            let mut connection = sample::connection(sample::known(7), "192.0.2.7:1", "[fe80::2]:443");
            connection.netns = Some(AWAY);
            connection.interface = Some(Text::from(interface));
            connection.remote = Some(Endpoint::new(Ipv6Addr::from(address).into(), 443));
            let snapshot = sample::snapshot(vec![process.clone()], vec![connection]);
            for group in GROUPS {
                check_lines(&table(&snapshot, &options(Some(width), group)), Some(width), 2);
            }
            let mut out = Vec::new();
            processes(&[(&process, Some(1))], &options(Some(width), None), &mut out).unwrap();
            check_lines(&String::from_utf8(out).unwrap(), Some(width), 2);
            let text = table(&snapshot, &options(None, None));
            check_lines(&text, None, 2);
            prop_assert_eq!(text.lines().count(), 2);
        }
    }
}

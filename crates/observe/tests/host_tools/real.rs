//! What `ss`, `netstat` and `lsof` of this computer write of sockets that are known.

use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::Command;

use model::{Direction, State};

use super::{List, read};

#[test]
fn the_tools_of_this_computer_tell_of_our_sockets() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let here = listener.local_addr().unwrap();
    #[expect(clippy::disallowed_methods, reason = "it calls itself")]
    let client = TcpStream::connect(here).unwrap();
    let (server, _) = listener.accept().unwrap();
    let datagrams = UdpSocket::bind("[::1]:0").unwrap();
    let (caller, udp) = (
        client.local_addr().unwrap(),
        datagrams.local_addr().unwrap(),
    );
    for (program, arguments) in [
        ("ss", &["-tunape"][..]),
        ("ss", &["-tunapOi"]),
        ("ss", &["-tunapimo"]),
        ("ss", &["-anp"]),
        ("netstat", &["-anp"]),
        ("netstat", &["-tuanpeo"]),
        ("netstat", &["-tuanpW"]),
        ("lsof", &["-nPli"]),
        ("lsof", &["-nP"]),
        ("lsof", &["-nPi", "-Ts"]),
        ("lsof", &["-nPi", "-K"]),
        ("lsof", &["-nPi", "-F"]),
        ("lsof", &["-nPi", "-F0"]),
    ] {
        let asked = format!("{program} {}", arguments.join(" "));
        let Ok(output) = Command::new(program).args(arguments).output() else {
            eprintln!("skipped: {asked}: it is not here");
            continue;
        };
        let list = read(&output.stdout).expect(&asked);
        assert_eq!(list.skipped.count, 0, "{asked}: {:?}", list.skipped);
        let find = |local, remote, state, direction| {
            let found = list.connections.iter().find(|connection| {
                let end = |end: model::Endpoint| Some((end.ip?, end.port?));
                end(connection.local) == Some(local)
                    && connection.remote.and_then(end) == remote
                    && connection.state == state
            });
            let found =
                found.unwrap_or_else(|| panic!("{asked}: {local:?} {state}: {:?}", list.told()));
            assert_eq!(found.direction, direction, "{asked}");
            assert!(is_ours(&list, found), "{asked}: {found:?}");
        };
        let end = |address: std::net::SocketAddr| (address.ip(), address.port());
        find(end(here), None, State::Listen, Direction::Listening);
        find(
            end(here),
            Some(end(caller)),
            State::Established,
            Direction::Inbound,
        );
        find(
            end(caller),
            Some(end(here)),
            State::Established,
            Direction::Outbound,
        );
        find(end(udp), None, State::Open, Direction::Listening);
    }
    drop((client, server));
}

fn is_ours(list: &List, connection: &model::Connection) -> bool {
    let pid = connection.owner.process().map(|process| process.pid);
    pid == Some(std::process::id()) && !list.processes[&std::process::id()].name.is_empty()
}

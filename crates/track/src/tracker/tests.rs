//! What a tracker tells when things happen.

mod bounded;
mod heard;
mod imported;
mod names;
mod restated;
mod seen;
mod told;

use std::sync::Arc;

use model::EventKind::{
    Accepted, Attempt, Closed, Error, FirstPacket, Listening, Opened, OwnerChanged, ProcessEnded,
};
use model::{Phase, Protocol, State};

use self::seen::{all_counts, counts, gap, look, polled, process, seen, socket, tick};
use self::told::{check, millis, run};
use super::Limits;

const SERVER: &str = "203.0.113.9:443";
const HERE: &str = "192.0.2.7:40512";

#[test]
fn an_attempt_without_a_route() {
    check(
        [
            seen(10, Attempt).tcp(1).by(7).to(SERVER),
            seen(11, Error).tcp(1).failed(101, Phase::Connect),
            seen(12, Closed).tcp(1),
        ],
        &[
            "10 opened tcp attempted outbound - > 203.0.113.9:443 by 7",
            "11 closed tcp failed outbound - > 203.0.113.9:443 by 7 error 101 connect",
        ],
    );
}

#[test]
fn an_attempt_of_which_nothing_ever_left() {
    check(
        [
            seen(100, Attempt).tcp(1).by(7).to(SERVER),
            tick(1000),
            tick(2000),
        ],
        &[
            "100 opened tcp attempted outbound - > 203.0.113.9:443 by 7",
            "2000 closed tcp failed outbound - > 203.0.113.9:443 by 7 error none connect",
        ],
    );
    // The socket is closed at once: nothing had left either.
    check(
        [
            seen(100, Attempt).tcp(1).by(7).to(SERVER),
            seen(101, Closed).tcp(1),
        ],
        &[
            "100 opened tcp attempted outbound - > 203.0.113.9:443 by 7",
            "101 closed tcp failed outbound - > 203.0.113.9:443 by 7 error none connect",
        ],
    );
}

#[test]
fn an_attempt_that_waits_for_an_answer_is_left_alone() {
    check(
        [
            seen(100, Attempt).tcp(1).by(7).to(SERVER),
            seen(101, FirstPacket).tcp(1).from(HERE),
            tick(3000),
            seen(4000, Closed).tcp(1),
        ],
        &[
            "100 opened tcp attempted outbound - > 203.0.113.9:443 by 7",
            "101 updated tcp syn_sent outbound 192.0.2.7:40512 > 203.0.113.9:443 by 7",
            "4000 closed tcp failed outbound 192.0.2.7:40512 > 203.0.113.9:443 by 7 error none handshake",
        ],
    );
}

#[test]
fn a_refused_connection() {
    check(
        [
            seen(10, Attempt).tcp(1).by(7).to(SERVER),
            seen(11, FirstPacket).tcp(1).from(HERE),
            seen(12, Error).tcp(1).failed(111, Phase::Handshake),
            seen(13, Closed).tcp(1),
        ],
        &[
            "10 opened tcp attempted outbound - > 203.0.113.9:443 by 7",
            "11 updated tcp syn_sent outbound 192.0.2.7:40512 > 203.0.113.9:443 by 7",
            "12 closed tcp failed outbound 192.0.2.7:40512 > 203.0.113.9:443 by 7 error 111 handshake",
        ],
    );
}

#[test]
fn only_the_end_of_an_attempt_is_told() {
    check(
        [seen(12, Closed)
            .tcp(1)
            .from(HERE)
            .to(SERVER)
            .failed(111, Phase::Connect)],
        &[
            "12 opened tcp attempted outbound 192.0.2.7:40512 > 203.0.113.9:443 by no_holder",
            "12 closed tcp failed outbound 192.0.2.7:40512 > 203.0.113.9:443 by no_holder error 111 connect",
        ],
    );
    // What was open before is not known to have been an attempt.
    check(
        [seen(12, Closed)
            .tcp(1)
            .from(HERE)
            .to(SERVER)
            .failed(104, Phase::Established)],
        &[],
    );
}

#[test]
fn a_connection_from_its_attempt_to_its_end() {
    check(
        [
            seen(10, Attempt).tcp(1).by(7).to(SERVER),
            seen(11, FirstPacket).tcp(1).from(HERE),
            seen(12, Opened).tcp(1).from(HERE).to(SERVER),
            counts(500, 1, None, 100, 200),
            counts(501, 1, None, 100, 200),
            seen(900, Closed).tcp(1).counted(512, 2048),
            // Nothing that comes after the end.
            seen(901, FirstPacket).tcp(1),
            counts(902, 1, None, 600, 3000),
        ],
        &[
            "10 opened tcp attempted outbound - > 203.0.113.9:443 by 7",
            "11 updated tcp syn_sent outbound 192.0.2.7:40512 > 203.0.113.9:443 by 7",
            "12 updated tcp established outbound 192.0.2.7:40512 > 203.0.113.9:443 by 7",
            "500 updated tcp established outbound 192.0.2.7:40512 > 203.0.113.9:443 by 7 100/200",
            "900 closed tcp closed outbound 192.0.2.7:40512 > 203.0.113.9:443 by 7 512/2048",
        ],
    );
}

#[test]
fn a_reset_connection_was_one() {
    check(
        [
            seen(12, Opened).tcp(1).by(7).from(HERE).to(SERVER),
            seen(20, Error).tcp(1).failed(104, Phase::Established),
            seen(21, Closed).tcp(1),
        ],
        &[
            "12 opened tcp established outbound 192.0.2.7:40512 > 203.0.113.9:443 by 7",
            "20 updated tcp established outbound 192.0.2.7:40512 > 203.0.113.9:443 by 7 error 104 established",
            "21 closed tcp closed outbound 192.0.2.7:40512 > 203.0.113.9:443 by 7 error 104 established",
        ],
    );
}

#[test]
fn an_accepted_connection_goes_to_a_worker() {
    check(
        [
            seen(1, Listening).tcp(1).by(7).from("0.0.0.0:80"),
            seen(10, Accepted)
                .tcp(2)
                .by(7)
                .from("192.0.2.7:80")
                .to("203.0.113.9:5000"),
            seen(11, OwnerChanged).tcp(2).by(9),
            seen(12, OwnerChanged).tcp(2).by(9),
            seen(13, Closed).tcp(2),
        ],
        &[
            "1 opened tcp listen listening 0.0.0.0:80 > - by 7",
            "10 opened tcp established inbound 192.0.2.7:80 > 203.0.113.9:5000 by 7",
            "11 updated tcp established inbound 192.0.2.7:80 > 203.0.113.9:5000 by 9 and 7",
            "13 closed tcp closed inbound 192.0.2.7:80 > 203.0.113.9:5000 by 9 and 7",
        ],
    );
}

#[test]
fn a_descriptor_that_is_passed_to_and_fro() {
    check(
        [
            seen(10, Opened).tcp(1).by(7).from(HERE).to(SERVER),
            seen(11, OwnerChanged).tcp(1).by(9),
            seen(12, OwnerChanged).tcp(1).by(8),
            seen(13, OwnerChanged).tcp(1).by(7),
        ],
        &[
            "10 opened tcp established outbound 192.0.2.7:40512 > 203.0.113.9:443 by 7",
            "11 updated tcp established outbound 192.0.2.7:40512 > 203.0.113.9:443 by 9 and 7",
            "12 updated tcp established outbound 192.0.2.7:40512 > 203.0.113.9:443 by 8 and 7, 9",
            "13 updated tcp established outbound 192.0.2.7:40512 > 203.0.113.9:443 by 7 and 8, 9",
        ],
    );
}

#[test]
fn the_peers_of_a_socket_come_and_fall_silent() {
    check(
        [
            seen(1, Listening).udp(1).by(7).from("0.0.0.0:5000"),
            seen(1000, Attempt).udp(1).by(7).to("203.0.113.1:53"),
            seen(1001, FirstPacket)
                .udp(1)
                .from(HERE)
                .to("203.0.113.1:53"),
            seen(2000, Attempt).udp(1).by(7).to("203.0.113.2:53"),
            counts(30_000, 1, Some("203.0.113.1:53"), 40, 0),
            tick(30_000),
            tick(62_000),
            tick(90_000),
            // It answers after all.
            counts(95_000, 1, Some("203.0.113.1:53"), 40, 160),
        ],
        &[
            "1 opened udp open listening 0.0.0.0:5000 > - by 7",
            "1000 opened udp attempted outbound - > 203.0.113.1:53 by 7",
            "1001 updated udp open outbound 192.0.2.7:40512 > 203.0.113.1:53 by 7",
            "2000 opened udp attempted outbound - > 203.0.113.2:53 by 7",
            "30000 updated udp open outbound 192.0.2.7:40512 > 203.0.113.1:53 by 7 40/0",
            "62000 closed udp closed outbound - > 203.0.113.2:53 by 7",
            "90000 closed udp closed outbound 192.0.2.7:40512 > 203.0.113.1:53 by 7 40/0",
            "95000 opened udp open outbound 192.0.2.7:40512 > 203.0.113.1:53 by 7 0/160",
        ],
    );
}

#[test]
fn a_closed_socket_ends_all_its_peers() {
    check(
        [
            seen(1, Listening).udp(1).by(7).from("0.0.0.0:5000"),
            seen(2, Attempt).udp(1).by(7).to("203.0.113.1:53"),
            seen(3, Attempt).udp(1).by(7).to("203.0.113.2:53"),
            seen(4, Attempt).udp(2).by(7).to("203.0.113.2:53"),
            seen(5, Closed).udp(1).counted(80, 160),
            seen(6, Closed).udp(2).counted(8, 16),
        ],
        &[
            "1 opened udp open listening 0.0.0.0:5000 > - by 7",
            "2 opened udp attempted outbound - > 203.0.113.1:53 by 7",
            "3 opened udp attempted outbound - > 203.0.113.2:53 by 7",
            "4 opened udp attempted outbound - > 203.0.113.2:53 by 7",
            "5 closed udp closed listening 0.0.0.0:5000 > - by 7 80/160",
            "5 closed udp closed outbound - > 203.0.113.1:53 by 7",
            "5 closed udp closed outbound - > 203.0.113.2:53 by 7",
            "6 closed udp closed outbound - > 203.0.113.2:53 by 7 8/16",
        ],
    );
}

#[test]
fn a_datagram_without_a_route() {
    check(
        [
            seen(1, Attempt).udp(1).by(7).to("203.0.113.1:53"),
            seen(2, Error)
                .udp(1)
                .to("203.0.113.1:53")
                .failed(101, Phase::Connect),
            seen(3, Attempt).udp(1).by(7).to("203.0.113.1:53"),
            seen(4, FirstPacket).udp(1).from(HERE).to("203.0.113.1:53"),
            seen(5, Error)
                .udp(1)
                .to("203.0.113.1:53")
                .failed(111, Phase::Send),
            seen(6, Closed).udp(1),
        ],
        &[
            "1 opened udp attempted outbound - > 203.0.113.1:53 by 7",
            "2 closed udp failed outbound - > 203.0.113.1:53 by 7 error 101 connect",
            "3 opened udp attempted outbound - > 203.0.113.1:53 by 7",
            "4 updated udp open outbound 192.0.2.7:40512 > 203.0.113.1:53 by 7",
            "5 updated udp open outbound 192.0.2.7:40512 > 203.0.113.1:53 by 7 error 111 send",
            "6 closed udp closed outbound 192.0.2.7:40512 > 203.0.113.1:53 by 7 error 111 send",
        ],
    );
}

#[test]
fn another_process_takes_over_a_socket_with_peers() {
    check(
        [
            seen(1, Listening).udp(1).by(7).from("0.0.0.0:53"),
            seen(2, Attempt).udp(1).by(7).to("203.0.113.1:53"),
            seen(3, OwnerChanged).udp(1).by(8),
            seen(4, Attempt).udp(1).by(9).to("203.0.113.1:53"),
        ],
        &[
            "1 opened udp open listening 0.0.0.0:53 > - by 7",
            "2 opened udp attempted outbound - > 203.0.113.1:53 by 7",
            "3 updated udp open listening 0.0.0.0:53 > - by 8 and 7",
            "3 updated udp attempted outbound - > 203.0.113.1:53 by 8 and 7",
            "4 updated udp attempted outbound - > 203.0.113.1:53 by 9 and 7, 8",
        ],
    );
}

#[test]
fn a_raw_socket_and_a_packet_socket() {
    let raw = Protocol::Raw { ip_protocol: 253 };
    let packet = Protocol::Packet { ethertype: 3 };
    check(
        [
            seen(1, Listening).of(1, raw).by(7).from("0.0.0.0"),
            seen(2, Attempt).of(1, raw).by(7).to("203.0.113.1"),
            seen(3, Listening).of(2, packet).by(8),
            seen(4, FirstPacket).of(2, packet),
            seen(5, Closed).of(1, raw),
        ],
        &[
            "1 opened raw open unknown 0.0.0.0 > - by 7",
            "2 opened raw attempted outbound - > 203.0.113.1 by 7",
            "3 opened packet open unknown - > - by 8",
            "5 closed raw closed unknown 0.0.0.0 > - by 7",
            "5 closed raw closed outbound - > 203.0.113.1 by 7",
        ],
    );
}

#[test]
fn a_socket_that_tries_again_is_another_connection() {
    let steps = [
        seen(1, Attempt).tcp(1).by(7).to("203.0.113.1:443"),
        seen(2, Error).tcp(1).failed(111, Phase::Handshake),
        seen(3, Attempt).tcp(1).by(7).to("203.0.113.2:443"),
        // It never said that the second came to nothing.
        seen(4, Attempt).tcp(1).by(7).to("203.0.113.3:443"),
        seen(5, FirstPacket).tcp(1).from(HERE),
    ];
    let mut run = check(
        steps,
        &[
            "1 opened tcp attempted outbound - > 203.0.113.1:443 by 7",
            "2 closed tcp failed outbound - > 203.0.113.1:443 by 7 error 111 handshake",
            "3 opened tcp attempted outbound - > 203.0.113.2:443 by 7",
            "4 closed tcp failed outbound - > 203.0.113.2:443 by 7 error none connect",
            "4 opened tcp attempted outbound - > 203.0.113.3:443 by 7",
            "5 updated tcp syn_sent outbound 192.0.2.7:40512 > 203.0.113.3:443 by 7",
        ],
    );
    let ids: Vec<_> = run.told.iter().map(|(_, it)| it.id).collect();
    assert_eq!((ids[0], ids[2], ids[4]), (ids[1], ids[3], ids[5]));
    assert!(ids[0] != ids[2] && ids[2] != ids[4] && ids[0] != ids[4]);
    assert_eq!(run.view().connections.len(), 3);
}

#[test]
fn both_ends_of_a_connection_within_this_computer() {
    let (server, client) = ("127.0.0.1:80", "127.0.0.1:40000");
    check(
        [
            seen(1, Attempt).tcp(1).by(7).to(server),
            seen(2, FirstPacket).tcp(1).from(client),
            seen(3, Opened).tcp(1).from(client).to(server),
            seen(3, Accepted).tcp(2).by(8).from(server).to(client),
            seen(5, Closed).tcp(1),
            seen(5, Closed).tcp(2),
        ],
        &[
            "1 opened tcp attempted outbound - > 127.0.0.1:80 by 7",
            "2 updated tcp syn_sent outbound 127.0.0.1:40000 > 127.0.0.1:80 by 7",
            "3 updated tcp established outbound 127.0.0.1:40000 > 127.0.0.1:80 by 7",
            "3 opened tcp established inbound 127.0.0.1:80 > 127.0.0.1:40000 by 8",
            "5 closed tcp closed outbound 127.0.0.1:40000 > 127.0.0.1:80 by 7",
            "5 closed tcp closed inbound 127.0.0.1:80 > 127.0.0.1:40000 by 8",
        ],
    );
}

#[test]
fn the_first_look_and_what_comes_after_it() {
    check(
        [
            look(
                100,
                [
                    socket(1).from("0.0.0.0:80").is(State::Listen).held_by(&[7]),
                    socket(2)
                        .from(HERE)
                        .to(SERVER)
                        .is(State::SynSent)
                        .held_by(&[8]),
                    socket(3).from("192.0.2.7:1").to(SERVER).held_by(&[9, 5]),
                ],
            ),
            // It was on its way when the look was taken.
            seen(99, Attempt).tcp(2).by(8).to(SERVER),
            seen(101, Opened).tcp(2).from(HERE).to(SERVER),
            seen(102, OwnerChanged).tcp(3).by(9),
            seen(103, Closed).tcp(3).counted(1, 2),
            seen(104, Closed).tcp(1),
        ],
        &[
            "100 present tcp listen listening 0.0.0.0:80 > - by 7",
            "100 present tcp syn_sent outbound 192.0.2.7:40512 > 203.0.113.9:443 by 8",
            "100 present tcp established unknown 192.0.2.7:1 > 203.0.113.9:443 by 5 and 9",
            "99 updated tcp syn_sent outbound 192.0.2.7:40512 > 203.0.113.9:443 by 8",
            "101 updated tcp established outbound 192.0.2.7:40512 > 203.0.113.9:443 by 8",
            "102 updated tcp established unknown 192.0.2.7:1 > 203.0.113.9:443 by 9 and 5",
            "103 closed tcp closed unknown 192.0.2.7:1 > 203.0.113.9:443 by 9 and 5 1/2",
            "104 closed tcp closed listening 0.0.0.0:80 > - by 7",
        ],
    );
}

#[test]
fn a_look_mends_what_was_lost() {
    check(
        [
            look(1, []),
            seen(10, Opened).tcp(1).by(7).from("192.0.2.7:1").to(SERVER),
            seen(11, Opened).tcp(2).by(7).from("192.0.2.7:2").to(SERVER),
            seen(12, Attempt).udp(5).by(7).to("203.0.113.1:53"),
            gap(20, 5),
            // Its owner would have been told by an event that was lost.
            seen(21, Opened).tcp(3).from("192.0.2.7:3").to(SERVER),
            seen(31, Opened).tcp(4).by(7).from("192.0.2.7:4").to(SERVER),
            look(
                30,
                [
                    socket(1).from("192.0.2.7:1").to(SERVER).held_by(&[8, 9]),
                    socket(3).from("192.0.2.7:3").to(SERVER).held_by(&[7]),
                    socket(5).udp().from("0.0.0.0:999").held_by(&[7]),
                    socket(6).from("192.0.2.7:6").to(SERVER).held_by(&[7]),
                ],
            ),
            seen(40, Opened).tcp(7).from("192.0.2.7:7").to(SERVER),
        ],
        &[
            "10 opened tcp established outbound 192.0.2.7:1 > 203.0.113.9:443 by 7",
            "11 opened tcp established outbound 192.0.2.7:2 > 203.0.113.9:443 by 7",
            "12 opened udp attempted outbound - > 203.0.113.1:53 by 7",
            "21 opened tcp established outbound 192.0.2.7:3 > 203.0.113.9:443 by lost",
            "31 opened tcp established outbound 192.0.2.7:4 > 203.0.113.9:443 by 7",
            "30 updated tcp established outbound 192.0.2.7:1 > 203.0.113.9:443 by 8 and 9",
            "30 updated tcp established outbound 192.0.2.7:3 > 203.0.113.9:443 by 7",
            "30 present udp open listening 0.0.0.0:999 > - by 7",
            "30 present tcp established unknown 192.0.2.7:6 > 203.0.113.9:443 by 7",
            "30 closed tcp closed outbound 192.0.2.7:2 > 203.0.113.9:443 by 7",
            "40 opened tcp established outbound 192.0.2.7:7 > 203.0.113.9:443 by no_holder",
        ],
    );
}

#[test]
fn one_look_after_the_other() {
    let connected = || socket(1).from(HERE).to(SERVER);
    let without_cookie = || socket(0).from("192.0.2.7:9").to(SERVER).held_by(&[9]);
    check(
        [
            look(1000, [connected().held_by(&[7]), without_cookie()]),
            tick(1500),
            look(2000, [connected().held_by(&[8, 7]), without_cookie()]),
            look(3000, [connected().is(State::TimeWait), without_cookie()]),
            look(4000, []),
            // A table that could not be read once.
            look(5000, [without_cookie()]),
            look(6000, [connected().is(State::TimeWait), without_cookie()]),
        ],
        &[
            "1000 present tcp established unknown 192.0.2.7:40512 > 203.0.113.9:443 by 7",
            "1000 present tcp established unknown 192.0.2.7:9 > 203.0.113.9:443 by 9",
            "2000 updated tcp established unknown 192.0.2.7:40512 > 203.0.113.9:443 by 7 and 8",
            "3000 updated tcp time_wait unknown 192.0.2.7:40512 > 203.0.113.9:443 by 7 and 8",
            "4000 closed tcp closed unknown 192.0.2.7:40512 > 203.0.113.9:443 by 7 and 8",
            "4000 closed tcp closed unknown 192.0.2.7:9 > 203.0.113.9:443 by 9",
            "5000 present tcp established unknown 192.0.2.7:9 > 203.0.113.9:443 by 9",
        ],
    );
}

#[test]
fn what_is_new_in_a_look_began_since_the_one_before() {
    let socket = |cookie, from| socket(cookie).from(from).to(SERVER).held_by(&[7]);
    let (there, short, left) = ("192.0.2.7:1", "192.0.2.7:2", "192.0.2.7:3");
    check(
        [
            polled(1000, [socket(1, there)]),
            polled(2000, [socket(1, there), socket(2, short)]),
            polled(
                3000,
                [
                    socket(1, there),
                    socket(2, short).is(State::TimeWait),
                    socket(3, left).is(State::TimeWait),
                ],
            ),
            polled(
                4000,
                [
                    socket(1, there),
                    socket(2, short).is(State::TimeWait),
                    socket(3, left).is(State::TimeWait),
                ],
            ),
            polled(5000, [socket(1, there)]),
        ],
        &[
            "1000 present tcp established unknown 192.0.2.7:1 > 203.0.113.9:443 by 7",
            "2000 opened tcp established unknown 192.0.2.7:2 > 203.0.113.9:443 by 7",
            "3000 closed tcp closed unknown 192.0.2.7:2 > 203.0.113.9:443 by 7",
            "3000 opened tcp time_wait unknown 192.0.2.7:3 > 203.0.113.9:443 by 7",
            "3000 closed tcp closed unknown 192.0.2.7:3 > 203.0.113.9:443 by 7",
        ],
    );
}

#[test]
fn a_socket_that_a_look_finds_connected_may_be_silent() {
    let connected = || socket(1).udp().from(HERE).to(SERVER).held_by(&[7]);
    check(
        [
            tick(1),
            look(2, [connected()]),
            tick(70_000),
            look(70_001, [connected()]),
            seen(70_002, Closed).udp(1),
        ],
        &[
            "2 present udp open unknown 192.0.2.7:40512 > 203.0.113.9:443 by 7",
            "70002 closed udp closed unknown 192.0.2.7:40512 > 203.0.113.9:443 by 7",
        ],
    );
}

#[test]
fn a_socket_that_went_elsewhere_between_two_looks() {
    let connected = |remote| socket(1).from(HERE).to(remote).held_by(&[7]);
    check(
        [
            look(1000, [connected("203.0.113.1:443")]),
            look(2000, [connected("203.0.113.2:443")]),
        ],
        &[
            "1000 present tcp established unknown 192.0.2.7:40512 > 203.0.113.1:443 by 7",
            "2000 closed tcp closed unknown 192.0.2.7:40512 > 203.0.113.1:443 by 7",
            "2000 present tcp established unknown 192.0.2.7:40512 > 203.0.113.2:443 by 7",
        ],
    );
}

#[test]
fn a_source_without_cookies() {
    check(
        [
            seen(1, Opened)
                .without_cookie(Protocol::Udp)
                .by(7)
                .from(HERE)
                .to(SERVER),
            seen(2, Closed)
                .without_cookie(Protocol::Udp)
                .from(HERE)
                .to(SERVER),
        ],
        &[
            "1 opened udp open outbound 192.0.2.7:40512 > 203.0.113.9:443 by 7",
            "2 closed udp closed outbound 192.0.2.7:40512 > 203.0.113.9:443 by 7",
        ],
    );
}

#[test]
fn what_the_kernel_only_remembers_goes_away() {
    check(
        [
            tick(1),
            look(2, [socket(1).from(HERE).to(SERVER).is(State::TimeWait)]),
            tick(60_000),
            tick(60_010),
        ],
        &[
            "2 present tcp time_wait unknown 192.0.2.7:40512 > 203.0.113.9:443 by no_holder",
            "60010 closed tcp closed unknown 192.0.2.7:40512 > 203.0.113.9:443 by no_holder",
        ],
    );
}

#[test]
fn calls_are_kept_by_program_and_destination() {
    let mut run = run(
        Limits::default(),
        [
            process(7, "/usr/bin/curl"),
            process(8, "/usr/sbin/sshd"),
            look(1, [socket(9).from(HERE).to(SERVER).held_by(&[7])]),
            seen(10, Attempt).tcp(1).by(7).to(SERVER),
            seen(11, Error).tcp(1).failed(111, Phase::Handshake),
            seen(20, Opened).tcp(2).by(7).from("192.0.2.7:2").to(SERVER),
            seen(30, Opened).tcp(3).by(7).from("192.0.2.7:3").to(SERVER),
            seen(40, Closed).tcp(2).counted(5, 6),
            seen(50, Accepted)
                .tcp(4)
                .by(7)
                .from("192.0.2.7:22")
                .to("203.0.113.1:5000"),
            // The connection goes to another program, and its call with it.
            seen(60, OwnerChanged).tcp(4).by(8),
        ],
    );
    let snapshot = run.view();
    let mut pairs: Vec<_> = snapshot.pairs.iter().collect();
    pairs.sort_by_key(|pair| pair.first);
    let [called, caller] = pairs[..] else {
        panic!("{pairs:?}");
    };
    assert_eq!(called.key.program, Some("/usr/bin/curl".into()));
    assert_eq!(called.key.destination, "203.0.113.9");
    assert_eq!(called.key.port, Some(443));
    assert_eq!((called.connections, called.failed, called.open), (4, 1, 2));
    assert_eq!((called.bytes_sent, called.bytes_received), (5, 6));
    let calls: Vec<_> = called
        .calls
        .iter()
        .map(|call| (millis(call.opened), call.closed.map(millis), call.failed))
        .collect();
    assert_eq!(
        calls,
        [
            (10, Some(11), true),
            (20, Some(40), false),
            (30, None, false)
        ]
    );
    assert_eq!(caller.key.program, Some("/usr/sbin/sshd".into()));
    assert_eq!(
        (caller.key.port, caller.connections, caller.open),
        (None, 1, 1)
    );
    assert_eq!(caller.calls.len(), 1);
}

/// All counters are read every two seconds, and that of a socket that ends besides.
#[test]
fn who_sends_all_the_time_never_pauses() {
    let opened = (1..=9).map(|it| {
        let local = format!("192.0.2.7:{it}");
        seen(10, Opened).tcp(it).by(7).from(&local).to(SERVER)
    });
    let readings = (0..20_i64).flat_map(|turn| {
        let at = 2000 + turn * 2000;
        let sent = 100 * u64::try_from(turn + 1).unwrap();
        let steady = (1..=9).map(|it| (it, if it == 1 { sent } else { 0 }));
        let all = all_counts(at, &steady.collect::<Vec<_>>());
        [all, counts(at + 900, 77, None, 5, 5)]
    });
    let things = [process(7, "/usr/bin/call")].into_iter();
    let mut run = run(Limits::default(), things.chain(opened).chain(readings));
    let connections = run.view().connections;
    let talks: Vec<_> = connections
        .iter()
        .filter_map(|it| it.talk.clone())
        .collect();
    let bursts: Vec<_> = talks.iter().map(|it| it.count()).collect();
    assert_eq!(bursts, [1]);
}

#[test]
fn a_process_that_has_ended_stays_with_its_connections() {
    let mut run = check(
        [
            process(7, "/usr/bin/curl"),
            seen(10, Opened).tcp(1).by(7).from(HERE).to(SERVER),
            seen(20, ProcessEnded).by(7),
        ],
        &["10 opened tcp established outbound 192.0.2.7:40512 > 203.0.113.9:443 by 7"],
    );
    let processes = run.view().processes;
    let ended: Vec<_> = processes.values().map(|it| it.ended.map(millis)).collect();
    assert_eq!(ended, [Some(20)]);
}

#[test]
fn a_view_is_shared_until_something_changes() {
    let mut run = check([process(7, "/usr/bin/curl")], &[]);
    let before = run.view();
    run.step(tick(10));
    assert!(Arc::ptr_eq(&before.processes, &run.view().processes));
    run.step(process(8, "/usr/bin/ssh"));
    assert_eq!(before.processes.len(), 1);
    assert_eq!(run.view().processes.len(), 2);
}

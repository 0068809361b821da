//! The cases by name. The first 24 are the published attribution benchmark of picosnitch, taken as
//! a list of situations; the code is ours, and so are the rest.

mod bulk;
mod datagrams;
mod failures;
mod handover;
mod icmp;
mod many;
mod names;
mod namespaces;
mod packet;
mod processes;
mod storm;
mod uring;
mod variants;
mod zero_copy;

use std::io;

use crate::lab::Lab;

pub struct Case {
    pub name: &'static str,
    pub about: &'static str,
    pub run: fn(&Lab) -> io::Result<()>,
}

pub fn find(name: &str) -> Option<&'static Case> {
    ALL.iter().chain(STORMS).find(|case| case.name == name)
}

const fn case(name: &'static str, run: fn(&Lab) -> io::Result<()>, about: &'static str) -> Case {
    Case { name, about, run }
}

pub const ALL: &[Case] = &[
    case("tcp-down", bulk::down, "reads 8 MiB"),
    case("tcp-up", bulk::up, "writes 8 MiB"),
    case("tcp-both", bulk::both, "4 MiB to an echo and back"),
    case(
        "udp-both",
        datagrams::both,
        "2,000 datagrams to an echo and back, not connected",
    ),
    case(
        "icmp-echo-flood",
        icmp::flood,
        "echo requests with content: ping socket, raw socket, IPv6",
    ),
    case("udp-443", datagrams::quic, "connected, port 443, both ways"),
    case("tcp-ipv6", bulk::ipv6, "2 MiB to an echo and back"),
    case("sctp", variants::sctp, "a message over SCTP"),
    case(
        "udp-53-flood",
        datagrams::small_flood,
        "2,000 datagrams of 40 bytes to port 53",
    ),
    case(
        "raw-ip-253",
        packet::experiment,
        "IP protocol 253, both ways",
    ),
    case(
        "short-lived-processes",
        processes::short_lived,
        "50 processes, a connection each",
    ),
    case(
        "af-packet-injection",
        packet::injection,
        "whole frames, past the IP stack",
    ),
    case(
        "io-uring-send",
        uring::send,
        "connects and writes by io_uring: at once, in a worker, by the polling thread",
    ),
    case("sendfile-upload", zero_copy::sendfile, "a file by sendfile"),
    case("sendmmsg", datagrams::sendmmsg, "32 datagrams a call"),
    case("loopback", variants::loopback, "both ends on this computer"),
    case(
        "container",
        namespaces::container,
        "own PID, network and mount namespace",
    ),
    case("low-and-slow-drip", many::drip, "50 bytes each 200 ms"),
    case(
        "many-small-tcp",
        many::small,
        "200 connections one after the other",
    ),
    case(
        "parallel-burst",
        many::burst,
        "8 threads with 10 connections each",
    ),
    case(
        "io-uring-receive",
        uring::receive,
        "connects and reads by io_uring",
    ),
    case(
        "splice-download",
        zero_copy::splice,
        "reads through a pipe by splice",
    ),
    case("recvmmsg", datagrams::recvmmsg, "32 datagrams a call"),
    case(
        "udp-ipv6-down",
        datagrams::ipv6_down,
        "asks once, reads 1,000 datagrams",
    ),
    // Ours.
    case(
        "failed-connect",
        failures::retries,
        "one socket: no route, refused, then it works",
    ),
    case("connect-only-scan", failures::scan, "100 closed ports"),
    case(
        "one-shot-udp",
        datagrams::one_shot,
        "one datagram, and the socket is closed",
    ),
    case(
        "connected-udp",
        datagrams::connected,
        "two peers one after the other on one socket",
    ),
    case(
        "fork-then-exec",
        processes::fork_then_exec,
        "a child that becomes another program: with a new socket, with an inherited one",
    ),
    case(
        "fork-then-exit",
        processes::fork_then_exit,
        "the child goes on with its parent's connection",
    ),
    case("double-fork", processes::double_fork, "a daemon"),
    case(
        "fd-passing",
        handover::passing,
        "a socket goes to another program over a Unix socket",
    ),
    case(
        "pre-fork-accept",
        handover::pre_fork,
        "a listener shared by four workers",
    ),
    case(
        "other-netns",
        namespaces::other,
        "a program that changes its network namespace, a socket that does not",
    ),
    case(
        "offline-name",
        names::offline,
        "asks for a name, with an empty resolv.conf",
    ),
    case(
        "stub-name",
        names::stub,
        "asks for a name, with a resolver on 127.0.0.53",
    ),
    case(
        "online-name",
        names::online,
        "asks for a name, with a resolver at the other end",
    ),
    case("no-route", failures::no_route, "IPv4 and IPv6"),
    case(
        "no-route-udp",
        failures::no_route_udp,
        "IPv4 and IPv6, connected and not",
    ),
    case(
        "unreachable-route",
        failures::unreachable,
        "a route of type unreachable, IPv4 and IPv6",
    ),
    case(
        "prohibit-route",
        failures::prohibited,
        "a route of type prohibit, IPv4 and IPv6",
    ),
    case(
        "blackhole-route",
        failures::blackhole,
        "a route of type blackhole, IPv4 and IPv6",
    ),
    case("refused", failures::refused, "IPv4 and IPv6"),
    case(
        "refused-udp",
        failures::refused_udp,
        "an answer that nobody listens",
    ),
    case("timed-out", failures::timed_out, "never an answer"),
    case(
        "neighbour-silent",
        failures::neighbour_silent,
        "nobody has that address on the local network",
    ),
    case(
        "router-unreachable",
        failures::router_unreachable,
        "a router says unreachable",
    ),
    case("given-up", failures::given_up, "the program stops waiting"),
    case("mptcp", variants::multipath, "100 kB to an echo and back"),
    case("tcp-fast-open", variants::fast_open, "content with the SYN"),
    case(
        "ipv4-mapped",
        variants::mapped,
        "an IPv6 socket to ::ffff:a.b.c.d",
    ),
];

/// What `completeness.sh` counts, and no case of the table.
const STORMS: &[Case] = &[
    case("one-process", storm::one_process, "short connections"),
    case(
        "many-processes",
        storm::many_processes,
        "the same from many programs",
    ),
    case(
        "many-forks",
        storm::many_forks,
        "the same from many children",
    ),
    case(
        "udp-senders",
        storm::udp_senders,
        "one datagram from each of many programs",
    ),
    case("no-route-v4", failures::no_route_v4, ""),
    case("no-route-v6", failures::no_route_v6, ""),
    case("unreachable-v4", failures::unreachable_v4, ""),
];

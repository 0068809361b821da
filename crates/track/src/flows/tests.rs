//! Situations, and whose each packet of them is.

mod random;
mod script;
mod turns;

use self::script::check;

#[test]
fn a_connection_from_its_first_packet_to_what_comes_late() {
    check(
        "
        10.00 attempt tcp #1 by 7 to 203.0.113.9:443
        10.02 first_packet tcp #1 by 7 from 192.0.2.7:40512 to 203.0.113.9:443
        10.03 out tcp 192.0.2.7:40512 > 203.0.113.9:443 S = 7 ebpf
        20.00 in tcp 203.0.113.9:443 > 192.0.2.7:40512 SA = 7
        20.01 opened tcp #1 by 7 from 192.0.2.7:40512 to 203.0.113.9:443
        20.02 out tcp 192.0.2.7:40512 > 203.0.113.9:443 PA = 7
        90.00 closed tcp #1 by 7 from 192.0.2.7:40512 to 203.0.113.9:443
        95.00 in tcp 203.0.113.9:443 > 192.0.2.7:40512 FA = 7
        95.01 out tcp 192.0.2.7:40512 > 203.0.113.9:443 A = 7
        9000 in tcp 203.0.113.9:443 > 192.0.2.7:40512 R = 7
        # Nobody remembers it.
        200000 in tcp 203.0.113.9:443 > 192.0.2.7:40512 R = no_socket
        ",
    );
}

#[test]
fn others_have_nothing_to_do_with_it() {
    check(
        "
        10.02 first_packet tcp #1 by 7 from 192.0.2.7:40512 to 203.0.113.9:443
        20.00 out tcp 192.0.2.7:40513 > 203.0.113.9:443 A = no_socket
        20.00 out tcp 192.0.2.7:40512 > 203.0.113.9:80 A = no_socket
        20.00 out udp 192.0.2.7:40512 > 203.0.113.9:443 = no_socket
        20.00 out tcp 192.0.2.7:40512 > 203.0.113.9:443 A ns 2 = no_socket
        # The other way round.
        20.00 in tcp 192.0.2.7:40512 > 203.0.113.9:443 A = no_socket
        20.00 other tcp 192.0.2.7:40512 > 203.0.113.9:443 A = other_host
        ",
    );
}

#[test]
fn an_attempt_is_tried_again_and_given_up() {
    check(
        "
        10.00 attempt tcp #1 by 7 to 203.0.113.9:443
        10.02 first_packet tcp #1 by 7 from 192.0.2.7:40512 to 203.0.113.9:443
        10.03 out tcp 192.0.2.7:40512 > 203.0.113.9:443 S = 7
        1010 out tcp 192.0.2.7:40512 > 203.0.113.9:443 S = 7
        3010 out tcp 192.0.2.7:40512 > 203.0.113.9:443 S = 7
        4000 closed tcp #1 by 7 from 192.0.2.7:40512 to 203.0.113.9:443
        # Much too late: it is answered by a reset.
        4500 in tcp 203.0.113.9:443 > 192.0.2.7:40512 SA = no_socket
        4500 out tcp 192.0.2.7:40512 > 203.0.113.9:443 R = closed_port
        ",
    );
}

#[test]
fn a_refused_connection() {
    check(
        "
        10.02 first_packet tcp #1 by 7 from 192.0.2.7:40512 to 203.0.113.9:443
        10.03 out tcp 192.0.2.7:40512 > 203.0.113.9:443 S = 7
        10.09 in tcp 203.0.113.9:443 > 192.0.2.7:40512 RA = 7
        10.10 closed tcp #1 by 7 from 192.0.2.7:40512 to 203.0.113.9:443
        ",
    );
}

#[test]
fn a_scan_of_ports_where_nobody_listens() {
    check(
        "
        1 listening tcp #1 by 7 from 0.0.0.0:22
        10 in tcp 203.0.113.9:5000 > 192.0.2.7:23 S = closed_port
        10 out tcp 192.0.2.7:23 > 203.0.113.9:5000 RA = closed_port
        11 in tcp 203.0.113.9:5000 > 192.0.2.7:22 S = 7
        12 in udp 203.0.113.9:5000 > 192.0.2.7:22 = closed_port
        12 out icmp 192.0.2.7 > 203.0.113.9 3 about udp 203.0.113.9:5000 > 192.0.2.7:22 = kernel
        ",
    );
}

#[test]
fn a_handshake_belongs_to_the_listener() {
    check(
        "
        1 listening tcp #1 by 7 from 0.0.0.0:80
        10.00 in tcp 203.0.113.9:5000 > 192.0.2.7:80 S = 7
        10.01 out tcp 192.0.2.7:80 > 203.0.113.9:5000 SA = 7
        40.00 in tcp 203.0.113.9:5000 > 192.0.2.7:80 A = 7
        40.01 accepted tcp #2 by 7 from 192.0.2.7:80 to 203.0.113.9:5000
        41.00 in tcp 203.0.113.9:5000 > 192.0.2.7:80 PA = 7
        41.10 owner_changed tcp #2 by 8 from 192.0.2.7:80 to 203.0.113.9:5000
        41.20 out tcp 192.0.2.7:80 > 203.0.113.9:5000 PA = 8
        50.00 in tcp 203.0.113.9:5000 > 192.0.2.7:80 PA = 8
        # The next one is asked for at the listener again.
        60.00 in tcp 203.0.113.9:5001 > 192.0.2.7:80 S = 7
        ",
    );
}

#[test]
fn a_scan_that_leaves_connections_half_open() {
    check(
        "
        1 listening tcp #1 by 7 from 0.0.0.0:80
        10 in tcp 203.0.113.9:5000 > 192.0.2.7:80 S = 7
        11 out tcp 192.0.2.7:80 > 203.0.113.9:5000 SA = 7
        1011 out tcp 192.0.2.7:80 > 203.0.113.9:5000 SA = 7
        1020 in tcp 203.0.113.9:5000 > 192.0.2.7:80 R = 7
        # Nobody asked.
        1030 in tcp 203.0.113.9:6000 > 192.0.2.7:80 R = no_socket
        1030 in tcp 203.0.113.9:6000 > 192.0.2.7:80 A = no_socket
        ",
    );
}

#[test]
fn a_container_behind_the_same_address() {
    check(
        "
        1 listening tcp #1 by 7 from 0.0.0.0:80
        10 in tcp 203.0.113.9:5000 > 192.0.2.7:80 S = 7
        11 out tcp 192.0.2.7:80 > 203.0.113.9:5000 SA = 7
        30 in tcp 203.0.113.9:5000 > 192.0.2.7:80 PA = no_socket
        31 out tcp 192.0.2.7:80 > 203.0.113.9:5000 PA = no_socket
        # From then on the listener is not trusted to be the one.
        40 in tcp 203.0.113.9:5001 > 192.0.2.7:80 S = no_socket
        # Until it is.
        50 accepted tcp #2 by 7 from 192.0.2.7:80 to 203.0.113.9:5002
        60 in tcp 203.0.113.9:5003 > 192.0.2.7:80 S = 7
        ",
    );
}

#[test]
fn the_same_ends_one_process_after_the_other() {
    check(
        "
        10 first_packet tcp #1 by 7 from 192.0.2.7:40000 to 203.0.113.9:443
        30 closed tcp #1 by 7
        # The last of the first one comes late.
        38.5 in tcp 203.0.113.9:443 > 192.0.2.7:40000 FA = 7
        39.5 out tcp 192.0.2.7:40000 > 203.0.113.9:443 A = 7
        40 first_packet tcp #2 by 8 from 192.0.2.7:40000 to 203.0.113.9:443
        39.99 out tcp 192.0.2.7:40000 > 203.0.113.9:443 S = 8
        40.01 out tcp 192.0.2.7:40000 > 203.0.113.9:443 S = 8
        41 in tcp 203.0.113.9:443 > 192.0.2.7:40000 SA = 8
        20 out tcp 192.0.2.7:40000 > 203.0.113.9:443 PA = 7
        50 closed tcp #2 by 8
        60 in tcp 203.0.113.9:443 > 192.0.2.7:40000 A = 8
        ",
    );
}

#[test]
fn the_same_ends_at_a_server_that_was_started_again() {
    check(
        "
        1 listening tcp #1 by 7 from 0.0.0.0:80
        10 accepted tcp #2 by 7 from 192.0.2.7:80 to 203.0.113.9:5000
        20 closed tcp #2 by 7
        21 closed tcp #1 by 7
        30 listening tcp #3 by 8 from 0.0.0.0:80
        39 in tcp 203.0.113.9:5000 > 192.0.2.7:80 S = 8
        39.1 out tcp 192.0.2.7:80 > 203.0.113.9:5000 SA = 8
        39.2 in tcp 203.0.113.9:5000 > 192.0.2.7:80 FA = 8
        39.3 accepted tcp #4 by 8 from 192.0.2.7:80 to 203.0.113.9:5000
        40 in tcp 203.0.113.9:5000 > 192.0.2.7:80 PA = 8
        ",
    );
}

#[test]
fn somebody_else_begins_with_the_ends_of_one_that_is_over() {
    check(
        "
        10 first_packet tcp #1 by 7 from 192.0.2.7:40000 to 203.0.113.9:443
        30 closed tcp #1 by 7
        # A container behind the same address: no socket here.
        50 out tcp 192.0.2.7:40000 > 203.0.113.9:443 S = no_socket
        51 in tcp 203.0.113.9:443 > 192.0.2.7:40000 SA = no_socket
        52 out tcp 192.0.2.7:40000 > 203.0.113.9:443 PA = no_socket
        ",
    );
}

#[test]
fn a_pid_that_is_used_again_is_another_process() {
    check(
        "
        10 first_packet tcp #1 by 7 from 192.0.2.7:40000 to 203.0.113.9:443
        20 process_ended by 7
        # The kernel goes on with what it has left.
        20.1 out tcp 192.0.2.7:40000 > 203.0.113.9:443 FA = 7
        25 first_packet tcp #2 by 7b from 192.0.2.7:40001 to 203.0.113.9:443
        26 in tcp 203.0.113.9:443 > 192.0.2.7:40000 FA = 7
        26 in tcp 203.0.113.9:443 > 192.0.2.7:40001 SA = 7b
        ",
    );
}

#[test]
fn a_pid_that_is_used_again_within_a_tick_has_its_own_packets() {
    check(
        "
        10 first_packet udp #1 by 7 from 192.0.2.7:40000 to 203.0.113.9:53
        20 process_ended by 7
        20.1 process_started by 7
        21 first_packet udp #2 by 7 from 192.0.2.7:40001 to 203.0.113.9:53
        21.1 out udp 192.0.2.7:40001 > 203.0.113.9:53 = 7
        22 process_ended by 7
        22.1 out udp 192.0.2.7:40001 > 203.0.113.9:53 = 7
        ",
    );
}

#[test]
fn a_listener_that_its_process_left_to_another_one() {
    check(
        "
        1 listening tcp #1 by 7 from 0.0.0.0:80
        10 process_ended by 7
        20 in tcp 203.0.113.9:5000 > 192.0.2.7:80 S = no_holder
        20.1 accepted tcp #2 by 7 from 192.0.2.7:80 to 203.0.113.9:5000
        20.2 in tcp 203.0.113.9:5000 > 192.0.2.7:80 PA = no_holder
        21 owner_changed tcp #2 by 8 from 192.0.2.7:80 to 203.0.113.9:5000
        22 out tcp 192.0.2.7:80 > 203.0.113.9:5000 PA = 8
        ",
    );
    // It was closed with its process.
    check(
        "
        1 listening tcp #1 by 7 from 0.0.0.0:80
        10 process_ended by 7
        10.5 in tcp 203.0.113.9:5000 > 192.0.2.7:80 S = 7
        11 closed tcp #1 by 7
        20 in tcp 203.0.113.9:5000 > 192.0.2.7:80 S = closed_port
        ",
    );
}

#[test]
fn several_processes_listen_at_one_port() {
    check(
        "
        1 listening tcp #1 by 7 from 0.0.0.0:80
        1 listening tcp #2 by 8 from 0.0.0.0:80
        # Nobody tells whom the kernel has chosen.
        10 in tcp 203.0.113.9:5000 > 192.0.2.7:80 S = several
        # It is known soon.
        20.0 in tcp 203.0.113.9:5001 > 192.0.2.7:80 S = 8
        20.1 out tcp 192.0.2.7:80 > 203.0.113.9:5001 SA = 8
        21 accepted tcp #3 by 8 from 192.0.2.7:80 to 203.0.113.9:5001
        30 closed tcp #2 by 8
        40 in tcp 203.0.113.9:5002 > 192.0.2.7:80 S = 7
        ",
    );
    // Several sockets of one process.
    check(
        "
        1 listening tcp #1 by 7 from 0.0.0.0:80
        1 listening tcp #2 by 7 from 0.0.0.0:80
        10 in tcp 203.0.113.9:5000 > 192.0.2.7:80 S = 7
        ",
    );
}

#[test]
fn the_closest_listener() {
    check(
        "
        1 listening tcp #1 by 7 from [::]:80 both
        10 in tcp 203.0.113.9:5000 > 192.0.2.7:80 S = 7
        10 in tcp [2001:db8::9]:5000 > [2001:db8::1]:80 S = 7
        20 listening tcp #2 by 8 from 0.0.0.0:80
        30 in tcp 203.0.113.9:5000 > 192.0.2.7:80 S = 8
        30 in tcp [2001:db8::9]:5000 > [2001:db8::1]:80 S = 7
        40 listening tcp #3 by 9 from 192.0.2.7:80
        50 in tcp 203.0.113.9:5000 > 192.0.2.7:80 S = 9
        50 in tcp 203.0.113.9:5000 > 192.0.2.8:80 S = 8
        # Of IPv4 only.
        50 listening tcp #4 by 9 from 0.0.0.0:81
        60 in tcp [2001:db8::9]:5000 > [2001:db8::1]:81 S = closed_port
        ",
    );
}

#[test]
fn what_listens_for_ipv6_only_takes_nothing_of_ipv4() {
    check(
        "
        1 listening tcp #1 by 7 from [::]:80 only_ipv6
        10 in tcp 203.0.113.9:5000 > 192.0.2.7:80 S = closed_port
        10 out tcp 192.0.2.7:80 > 203.0.113.9:5000 RA = closed_port
        10 in tcp [2001:db8::9]:5000 > [2001:db8::1]:80 S = 7
        # Another one takes both.
        20 listening tcp #2 by 8 from [::]:80 both
        30 in tcp 203.0.113.9:5001 > 192.0.2.7:80 S = 8
        30 in tcp [2001:db8::9]:5001 > [2001:db8::1]:80 S = several
        ",
    );
    check(
        "
        100 look listen #1 by 7 from [::]:80 only_ipv6 & listen #2 by 8 from [::]:81 both
        110 in tcp 203.0.113.9:5000 > 192.0.2.7:80 S = closed_port
        110 in tcp 203.0.113.9:5000 > 192.0.2.7:81 S = 8
        ",
    );
    check(
        "
        polling
        1 tick
        100 look udp #1 by 7 from [::]:53 only_ipv6 & udp #2 by 8 from [::]:54 both
        200 look udp #1 by 7 from [::]:53 only_ipv6 & udp #2 by 8 from [::]:54 both
        150 in udp 203.0.113.9:5000 > 192.0.2.7:53 = closed_port
        150 in udp [2001:db8::9]:5000 > [2001:db8::1]:53 = 7
        150 in udp 203.0.113.9:5000 > 192.0.2.7:54 = 8
        ",
    );
}

#[test]
fn it_is_not_told_whether_a_listener_takes_ipv4() {
    check(
        "
        1 listening tcp #1 by 7 from [::]:80
        10 in tcp 203.0.113.9:5000 > 192.0.2.7:80 S = no_socket
        10 in tcp [2001:db8::9]:5000 > [2001:db8::1]:80 S = 7
        # Somebody else has accepted it.
        20 accepted tcp #2 by 9 from 192.0.2.7:80 to 203.0.113.9:5001
        30 in tcp 203.0.113.9:5002 > 192.0.2.7:80 S = no_socket
        # It has shown that it does.
        40 accepted tcp #3 by 7 from 192.0.2.7:80 to 203.0.113.9:5003
        50 in tcp 203.0.113.9:5004 > 192.0.2.7:80 S = 7
        ",
    );
    // What a closer one has accepted shows nothing.
    check(
        "
        1 listening tcp #1 by 7 from [::]:80
        1 listening tcp #2 by 7 from 0.0.0.0:80
        10 accepted tcp #3 by 7 from 192.0.2.7:80 to 203.0.113.9:5000
        20 closed tcp #2 by 7
        30 in tcp 203.0.113.9:5001 > 192.0.2.7:80 S = no_socket
        ",
    );
}

#[test]
fn ipv4_within_a_socket_of_ipv6() {
    check(
        "
        10 first_packet tcp #1 by 7 from [::ffff:192.0.2.7]:40000 to [::ffff:203.0.113.9]:443
        11 out tcp 192.0.2.7:40000 > 203.0.113.9:443 S = 7
        ",
    );
}

#[test]
fn over_loopback_the_sender_counts() {
    check(
        "
        1 listening tcp #1 by 8 from 127.0.0.1:80
        10.00 first_packet tcp #2 by 7 from 127.0.0.1:40000 to 127.0.0.1:80
        10.01 lo tcp 127.0.0.1:40000 > 127.0.0.1:80 S = 7
        10.02 lo tcp 127.0.0.1:80 > 127.0.0.1:40000 SA = 8
        10.03 opened tcp #2 by 7 from 127.0.0.1:40000 to 127.0.0.1:80
        10.04 lo tcp 127.0.0.1:40000 > 127.0.0.1:80 A = 7
        10.05 accepted tcp #3 by 8 from 127.0.0.1:80 to 127.0.0.1:40000
        11 lo tcp 127.0.0.1:40000 > 127.0.0.1:80 PA = 7
        11 lo tcp 127.0.0.1:80 > 127.0.0.1:40000 PA = 8
        # Nobody listens there.
        20 first_packet tcp #4 by 7 from 127.0.0.1:40001 to 127.0.0.1:81
        20.1 lo tcp 127.0.0.1:40001 > 127.0.0.1:81 S = 7
        20.2 lo tcp 127.0.0.1:81 > 127.0.0.1:40001 RA = closed_port
        ",
    );
}

#[test]
fn datagrams_to_many_peers_from_one_socket() {
    check(
        "
        9.99 attempt udp #1 by 7 to 203.0.113.1:53
        10.00 first_packet udp #1 by 7 from 192.0.2.7:40000 to 203.0.113.1:53
        10.01 out udp 192.0.2.7:40000 > 203.0.113.1:53 = 7
        11.00 first_packet udp #1 by 7 from 192.0.2.7:40000 to 203.0.113.2:53
        12.00 in udp 203.0.113.2:53 > 192.0.2.7:40000 = 7
        12.00 in udp 203.0.113.1:53 > 192.0.2.7:40000 = 7
        # Stamped a little before the kernel told of it.
        14.00 in udp 203.0.113.3:53 > 192.0.2.7:40000 = 7
        14.05 accepted udp #1 by 7 from 192.0.2.7:40000 to 203.0.113.3:53
        # No socket got this one.
        15 in udp 203.0.113.4:53 > 192.0.2.7:40000 = no_socket
        20 closed udp #1 by 7
        21 in udp 203.0.113.1:53 > 192.0.2.7:40000 = 7
        30 in udp 203.0.113.1:53 > 192.0.2.7:40000 = closed_port
        30 in udp 203.0.113.9:53 > 192.0.2.7:40000 = closed_port
        ",
    );
}

#[test]
fn the_same_port_for_datagrams_one_process_after_the_other() {
    check(
        "
        10 first_packet udp #1 by 7 from 192.0.2.7:40000 to 203.0.113.1:53
        20 closed udp #1 by 7
        30 first_packet udp #2 by 8 from 192.0.2.7:40000 to 203.0.113.1:53
        15 in udp 203.0.113.1:53 > 192.0.2.7:40000 = 7
        25 in udp 203.0.113.1:53 > 192.0.2.7:40000 = closed_port
        # It waited on its way out, or the clocks differ: nobody knows.
        28.5 out udp 192.0.2.7:40000 > 203.0.113.1:53 = several
        30.01 out udp 192.0.2.7:40000 > 203.0.113.1:53 = 8
        31 in udp 203.0.113.1:53 > 192.0.2.7:40000 = 8
        ",
    );
}

#[test]
fn several_processes_take_datagrams_at_one_port() {
    check(
        "
        1 listening udp #1 by 7 from 0.0.0.0:53
        1 listening udp #2 by 8 from 0.0.0.0:53
        10.00 in udp 203.0.113.1:5000 > 192.0.2.7:53 = 7
        10.01 accepted udp #1 by 7 from 192.0.2.7:53 to 203.0.113.1:5000
        10.10 out udp 192.0.2.7:53 > 203.0.113.1:5000 = 7
        10.20 in udp 203.0.113.1:5001 > 192.0.2.7:53 = 8
        10.21 accepted udp #2 by 8 from 192.0.2.7:53 to 203.0.113.1:5001
        # The other one answers the first, too.
        20 first_packet udp #2 by 8 from 192.0.2.7:53 to 203.0.113.1:5000
        21 out udp 192.0.2.7:53 > 203.0.113.1:5000 = several
        ",
    );
}

#[test]
fn a_datagram_for_a_group() {
    check(
        "
        1 listening udp #1 by 7 from 0.0.0.0:5353
        10.00 many udp 192.0.2.9:5353 > 224.0.0.251:5353 = 7
        10.01 accepted udp #1 by 7 from 224.0.0.251:5353 to 192.0.2.9:5353
        # Two sockets get it.
        20.00 many udp 192.0.2.8:5353 > 224.0.0.251:5353 = several
        20.01 accepted udp #1 by 7 from 224.0.0.251:5353 to 192.0.2.8:5353
        20.02 accepted udp #2 by 8 from 224.0.0.251:5353 to 192.0.2.8:5353
        # Nobody here belongs to the group.
        30 many udp 192.0.2.8:5353 > 224.0.0.252:5353 = no_socket
        # Sent from here.
        40 first_packet udp #1 by 7 from 192.0.2.7:5353 to 224.0.0.251:5353
        41 out udp 192.0.2.7:5353 > 224.0.0.251:5353 = 7
        ",
    );
}

#[test]
fn a_port_that_is_closed_answers_a_datagram() {
    check(
        "
        10 first_packet udp #1 by 7 from 192.0.2.7:40000 to 203.0.113.1:53
        11 in icmp 203.0.113.1 > 192.0.2.7 3 about udp 192.0.2.7:40000 > 203.0.113.1:53 = 7
        # About something that nobody here has sent.
        12 in icmp 203.0.113.1 > 192.0.2.7 3 about udp 192.0.2.7:40001 > 203.0.113.1:53 = kernel
        ",
    );
}

#[test]
fn who_pings() {
    check(
        "
        1 listening raw1 #1 by 7 from 0.0.0.0
        10 first_packet raw1 #1 by 7 from 192.0.2.7 to 203.0.113.1
        10.1 out icmp 192.0.2.7 > 203.0.113.1 8 = 7
        11 in icmp 203.0.113.1 > 192.0.2.7 0 = 7
        # Somebody asks us: the kernel answers, and the socket gets a copy.
        20.0 in icmp 203.0.113.2 > 192.0.2.7 8 = kernel
        20.1 accepted raw1 #1 by 7 from 192.0.2.7 to 203.0.113.2
        20.2 out icmp 192.0.2.7 > 203.0.113.2 0 = kernel
        # Nobody is known to have asked.
        30 out icmp 192.0.2.7 > 203.0.113.3 8 = no_socket
        ",
    );
}

#[test]
fn a_forged_packet_is_its_forgers() {
    check(
        "
        10 first_packet raw255 #1 by 7 from 192.0.2.7 to 203.0.113.1
        10.1 out tcp 192.0.2.7:1234 > 203.0.113.1:22 S = 7
        # The kernel knows nothing of it and resets it.
        11 in tcp 203.0.113.1:22 > 192.0.2.7:1234 SA = no_socket
        11.1 out tcp 192.0.2.7:1234 > 203.0.113.1:22 R = closed_port
        ",
    );
}

#[test]
fn later_parts_follow_the_first_one() {
    check(
        "
        10 first_packet udp #1 by 7 from 192.0.2.7:40000 to 203.0.113.1:53
        10.1 out udp 192.0.2.7:40000 > 203.0.113.1:53 first 5 = 7
        10.2 out udp 192.0.2.7 > 203.0.113.1 later 5 = 7
        10.2 out udp 192.0.2.7 > 203.0.113.1 later 6 = no_socket
        10.2 out udp 192.0.2.7 > 203.0.113.2 later 5 = no_socket
        # The number may be of another packet.
        9000 out udp 192.0.2.7 > 203.0.113.1 later 5 = no_socket
        ",
    );
}

#[test]
fn what_only_passes_through() {
    check(
        "
        interface 192.0.2.7 fe80::1
        10 in tcp 198.51.100.1:5000 > 203.0.113.1:80 S = forwarded
        10 out tcp 198.51.100.1:5000 > 203.0.113.1:80 S = forwarded
        10 in icmp 198.51.100.1 > 203.0.113.1 8 = forwarded
        10 in tcp 198.51.100.1:5000 > 192.0.2.7:80 S = closed_port
        10 out tcp 192.0.2.7:5000 > 203.0.113.1:80 A = no_socket
        10 out arp = kernel
        # Another namespace, of which nothing is known.
        10 in tcp 198.51.100.1:5000 > 203.0.113.1:80 S ns 2 = closed_port
        # Somebody has a socket with an address that is not ours.
        9 first_packet udp #1 by 7 from 198.51.100.1:5 to 203.0.113.1:80
        10 out udp 198.51.100.1:5 > 203.0.113.1:80 = 7
        ",
    );
}

#[test]
fn sockets_that_were_there_before() {
    check(
        "
        100 look tcp #1 by 7 from 192.0.2.7:40000 to 203.0.113.9:443 & listen #2 by 8 from [::]:80 both \
            & udp #3 by 9 from 0.0.0.0:53 & tcp #4 from 192.0.2.7:1 to 203.0.113.9:1
        50 out tcp 192.0.2.7:40000 > 203.0.113.9:443 PA = 7
        101 in tcp 203.0.113.9:5 > 192.0.2.7:80 S = 8
        101 in tcp 203.0.113.9:1 > 192.0.2.7:1 A = no_holder
        # Before it was known whose it is, a packet of it was taken for the kernel's own.
        102 accepted udp #3 kernel from 192.0.2.7:53 to 203.0.113.9:5
        101.9 in udp 203.0.113.9:5 > 192.0.2.7:53 = 9
        110 owner_changed tcp #1 by 6 from 192.0.2.7:40000 to 203.0.113.9:443
        120 out tcp 192.0.2.7:40000 > 203.0.113.9:443 PA = 6
        ",
    );
}

#[test]
fn a_look_mends_what_was_lost() {
    check(
        "
        1 look
        2 tick
        100 lost 90
        120 out tcp 192.0.2.7:40000 > 203.0.113.9:443 PA = lost
        120 in tcp 203.0.113.9:443 > 192.0.2.7:80 S = lost
        80 out tcp 192.0.2.7:40000 > 203.0.113.9:443 PA = no_socket
        200 look tcp #1 by 7 from 192.0.2.7:40000 to 203.0.113.9:443
        250 out tcp 192.0.2.7:40000 > 203.0.113.9:443 PA = 7
        9000 out tcp 192.0.2.7:40001 > 203.0.113.9:443 PA = no_socket
        ",
    );
}

#[test]
fn why_a_process_is_not_known() {
    check(
        "
        10 first_packet udp #1 kernel from 192.0.2.7:4789 to 203.0.113.9:4789 nowhere
        11 out udp 192.0.2.7:4789 > 203.0.113.9:4789 = kernel
        11 in udp 203.0.113.9:4789 > 192.0.2.7:4789 = kernel
        10 first_packet tcp #2 outside from 192.0.2.7:1 to 203.0.113.9:80
        11 out tcp 192.0.2.7:1 > 203.0.113.9:80 S = outside_namespace
        10 first_packet tcp #3 from 192.0.2.7:2 to 203.0.113.9:80
        11 out tcp 192.0.2.7:2 > 203.0.113.9:80 S = no_holder
        ",
    );
}

#[test]
fn between_looks_only_what_stands_in_both_is_known() {
    check(
        "
        polling
        1 tick
        1000 look tcp #1 by 7 from 192.0.2.7:1 to 203.0.113.9:80 & tcp #2 by 7 from 192.0.2.7:2 to 203.0.113.9:80 \
            & tcp #3 by 7,8 from 192.0.2.7:3 to 203.0.113.9:80
        1500 closed tcp #2
        2000 look tcp #1 by 7 from 192.0.2.7:1 to 203.0.113.9:80
        1400 out tcp 192.0.2.7:1 > 203.0.113.9:80 PA = 7
        1400 out tcp 192.0.2.7:2 > 203.0.113.9:80 PA = 7
        1600 in tcp 203.0.113.9:80 > 192.0.2.7:2 A = 7
        # Two hold it, and it was not seen again.
        1400 out tcp 192.0.2.7:3 > 203.0.113.9:80 PA = no_holder
        2100 out tcp 192.0.2.7:1 > 203.0.113.9:80 PA = no_holder
        1400 out tcp 192.0.2.7:4 > 203.0.113.9:80 PA = no_socket
        ",
    );
}

/// A process that was one of several, and is the only one again, stays itself when others come.
#[test]
fn who_holds_a_socket_alone_again() {
    check(
        "
        polling
        1 tick
        1000 look tcp #1 by 7 from 192.0.2.7:1 to 203.0.113.9:80
        2000 look tcp #1 by 7,8 from 192.0.2.7:1 to 203.0.113.9:80
        3000 look tcp #1 by 7 from 192.0.2.7:1 to 203.0.113.9:80 & tcp #2 by 9 from 192.0.2.7:2 to 203.0.113.9:80
        4000 look tcp #1 by 7 from 192.0.2.7:1 to 203.0.113.9:80 & tcp #2 by 9 from 192.0.2.7:2 to 203.0.113.9:80
        2500 out tcp 192.0.2.7:1 > 203.0.113.9:80 PA = several
        3500 out tcp 192.0.2.7:1 > 203.0.113.9:80 PA = 7
        3500 out tcp 192.0.2.7:2 > 203.0.113.9:80 PA = 9
        ",
    );
}

#[test]
fn a_socket_that_tries_again() {
    check(
        "
        10 attempt tcp #1 by 7 to 203.0.113.9:443
        10.1 first_packet tcp #1 by 7 from 192.0.2.7:40000 to 203.0.113.9:443
        20 closed tcp #1 by 7
        30 attempt tcp #1 by 7 to 203.0.113.9:80
        30.1 first_packet tcp #1 by 7 from 192.0.2.7:40001 to 203.0.113.9:80
        31 out tcp 192.0.2.7:40001 > 203.0.113.9:80 S = 7
        # Another one takes the first port.
        40 first_packet tcp #2 by 8 from 192.0.2.7:40000 to 203.0.113.9:443
        41 out tcp 192.0.2.7:40000 > 203.0.113.9:443 S = 8
        ",
    );
}

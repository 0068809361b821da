//! Processes that share a socket: one after the other, and several at once.

use super::check;

#[test]
fn a_socket_goes_from_hand_to_hand() {
    check(
        "
        10 first_packet udp #1 by 7 from 192.0.2.7:40000 to 203.0.113.1:53
        11 out udp 192.0.2.7:40000 > 203.0.113.1:53 = 7
        # Who sent it is told a moment after it was sent.
        19.9 out udp 192.0.2.7:40000 > 203.0.113.1:53 = several
        20 owner_changed udp #1 by 8 from 192.0.2.7:40000 to 203.0.113.1:53
        21 out udp 192.0.2.7:40000 > 203.0.113.1:53 = 8
        12 out udp 192.0.2.7:40000 > 203.0.113.1:53 = 7
        ",
    );
}

#[test]
fn who_sends_with_a_socket_of_several() {
    check(
        "
        10 first_packet udp #1 by 7 from 192.0.2.7:40000 to 203.0.113.1:53
        11 out udp 192.0.2.7:40000 > 203.0.113.1:53 = 7
        19.5 out udp 192.0.2.7:40000 > 203.0.113.1:53 = 7
        # Within what the clocks may differ by.
        19.95 out udp 192.0.2.7:40000 > 203.0.113.1:53 = several
        20 owner_changed udp #1 by 8 from 192.0.2.7:40000 to 203.0.113.1:53 sends
        20.01 out udp 192.0.2.7:40000 > 203.0.113.1:53 = 8
        20.50 in udp 203.0.113.1:53 > 192.0.2.7:40000 = 8
        20.60 out udp 192.0.2.7:40000 > 203.0.113.1:53 = 8
        21 owner_changed udp #1 by 7 from 192.0.2.7:40000 to 203.0.113.1:53 sends
        21.01 out udp 192.0.2.7:40000 > 203.0.113.1:53 = 7
        # When the next one sent is not known.
        29 out udp 192.0.2.7:40000 > 203.0.113.1:53 = several
        29.10 owner_changed udp #1 by 9 from 192.0.2.7:40000 to 203.0.113.1:53
        ",
    );
}

#[test]
fn who_wrote_to_a_connection_is_known_by_where_in_the_stream() {
    check(
        "
        10 first_packet tcp #1 by 7 from 192.0.2.7:5 to 203.0.113.9:443
        # Told of a moment after he wrote 500 bytes.
        19.8 out tcp 192.0.2.7:5 > 203.0.113.9:443 A seq 900+100 = 7
        19.8 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 990+10 = 7
        19.9 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 1000+500 = 8
        19.9 out tcp 192.0.2.7:5 > 203.0.113.9:443 A seq 1200+100 = 8
        # Of more than 64 KiB: the header does not say how long it is.
        19.9 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 1000 = 8
        19.9 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 999 = several
        # Has something of both.
        19.9 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 990+11 = several
        # Carries nothing: of whose turn it was.
        19.9 out tcp 192.0.2.7:5 > 203.0.113.9:443 A seq 1000+0 = 7
        19.9 in tcp 203.0.113.9:443 > 192.0.2.7:5 PA seq 5000+10 = 7
        20 owner_changed tcp #1 by 8 from 192.0.2.7:5 to 203.0.113.9:443 wrote 1000
        20.1 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 1500+10 = 8
        # Where it is not told, it is not known.
        29.9 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 1510+10 = several
        30 owner_changed tcp #1 by 9 from 192.0.2.7:5 to 203.0.113.9:443
        ",
    );
}

#[test]
fn who_may_be_sending_to_a_connection_makes_unsure_whose_it_is() {
    check(
        "
        10 first_packet tcp #1 by 7 from 192.0.2.7:5 to 203.0.113.9:443
        19.8 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 900+100 = 7
        20 owner_changed tcp #1 by 8 from 192.0.2.7:5 to 203.0.113.9:443 may_send
        20 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 1000+100 = several
        25 owner_changed tcp #1 by 8 from 192.0.2.7:5 to 203.0.113.9:443 may_send
        400 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 1100+100 = several
        # What he has not written is of whose turn it was.
        400 out tcp 192.0.2.7:5 > 203.0.113.9:443 A seq 1200+0 = 7
        400 in tcp 203.0.113.9:443 > 192.0.2.7:5 PA seq 5000+10 = 7
        497 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 1200+100 = several
        499.5 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 1300+100 = 8
        500 owner_changed tcp #1 by 8 from 192.0.2.7:5 to 203.0.113.9:443 wrote 1000
        510 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 1400+100 = 8
        # A short call.
        519 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 1500+100 = 8
        520 owner_changed tcp #1 by 9 from 192.0.2.7:5 to 203.0.113.9:443 may_send
        520 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 1600+100 = 9
        520.1 owner_changed tcp #1 by 9 from 192.0.2.7:5 to 203.0.113.9:443 wrote 1600
        530 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 1700+100 = 9
        # Two at once: one is still at it when the other is done.
        540 owner_changed tcp #1 by 8 from 192.0.2.7:5 to 203.0.113.9:443 may_send
        541 owner_changed tcp #1 by 7 from 192.0.2.7:5 to 203.0.113.9:443 may_send
        560 owner_changed tcp #1 by 8 from 192.0.2.7:5 to 203.0.113.9:443 wrote 1800
        570 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 1900+100 = several
        580 owner_changed tcp #1 by 7 from 192.0.2.7:5 to 203.0.113.9:443 wrote 1800
        590 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 2000+100 = 7
        ",
    );
}

#[test]
fn the_numbers_of_a_stream_go_round() {
    check(
        "
        10 first_packet tcp #1 by 7 from 192.0.2.7:5 to 203.0.113.9:443
        19.8 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 4294967200+90 = 7
        19.8 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 4294967290+10 = 8
        19.9 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 4+10 = 8
        20 owner_changed tcp #1 by 8 from 192.0.2.7:5 to 203.0.113.9:443 wrote 4294967290
        # This one began behind the end of the numbers.
        29.8 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 4294967290+16 = 8
        29.9 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 4294967290+17 = several
        29.9 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 10+1 = 9
        30 owner_changed tcp #1 by 9 from 192.0.2.7:5 to 203.0.113.9:443 wrote 10
        ",
    );
}

#[test]
fn several_write_to_a_connection_one_right_after_the_other() {
    check(
        "
        10 first_packet tcp #1 by 7 from 192.0.2.7:5 to 203.0.113.9:443
        19.1 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 900+100 = 7
        19.2 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 1000+100 = 8
        19.3 owner_changed tcp #1 by 8 from 192.0.2.7:5 to 203.0.113.9:443 wrote 1000
        19.4 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 1100+100 = 9
        19.5 owner_changed tcp #1 by 9 from 192.0.2.7:5 to 203.0.113.9:443 wrote 1100
        19.6 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 1200+100 = 7
        19.7 owner_changed tcp #1 by 7 from 192.0.2.7:5 to 203.0.113.9:443 wrote 1200
        # These two wrote at the same time, and so their numbers are not sure.
        29.2 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 1300+10 = several
        29.3 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 1310+10 = several
        29.4 owner_changed tcp #1 by 8 from 192.0.2.7:5 to 203.0.113.9:443 wrote 1310
        29.5 owner_changed tcp #1 by 9 from 192.0.2.7:5 to 203.0.113.9:443 wrote 1310
        # One of these does not say.
        39.2 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 1320+10 = several
        39.4 owner_changed tcp #1 by 7 from 192.0.2.7:5 to 203.0.113.9:443 wrote 1320
        39.5 owner_changed tcp #1 by 8 from 192.0.2.7:5 to 203.0.113.9:443
        ",
    );
}

#[test]
fn a_socket_at_which_several_take_turns_faster_than_is_told() {
    let mut script = "1 first_packet udp #1 by 7 from 192.0.2.7:5 to 203.0.113.1:53\n".to_owned();
    for turn in 0..20_u32 {
        let (at, pid) = (10 + 10 * turn, 7 + turn % 2);
        script.push_str(&format!(
            "{at} owner_changed udp #1 by {pid} from 192.0.2.7:5 to 203.0.113.1:53\n"
        ));
    }
    // The kernel tells 16 in a second. (Those of the script that came later it would not tell.)
    script.push_str(
        "
        55 out udp 192.0.2.7:5 > 203.0.113.1:53 = 7
        165 out udp 192.0.2.7:5 > 203.0.113.1:53 = several
        900 out udp 192.0.2.7:5 > 203.0.113.1:53 = several
        1100 owner_changed udp #1 by 7 from 192.0.2.7:5 to 203.0.113.1:53
        1200 out udp 192.0.2.7:5 > 203.0.113.1:53 = 7
        ",
    );
    check(&script);
}

#[test]
fn who_was_at_a_connection_when_he_ended_is_at_it_no_longer() {
    check(
        "
        10 first_packet tcp #1 by 7 from 192.0.2.7:5 to 203.0.113.9:443
        20 owner_changed tcp #1 by 8 from 192.0.2.7:5 to 203.0.113.9:443 may_send
        400 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 1000+100 = several
        499.9 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 1000+100 = several
        500 process_ended x by 8
        501 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 1100+100 = 7
        # His number is another's now.
        600 process_started x by 8
        700 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 1200+100 = 7
        ",
    );
}

#[test]
fn so_many_are_at_a_connection_that_not_all_are_told() {
    let mut script = "
        1 first_packet tcp #1 by 7 from 192.0.2.7:5 to 203.0.113.9:443
        5 owner_changed tcp #1 by 7 from 192.0.2.7:5 to 203.0.113.9:443\n"
        .to_owned();
    for (turn, pid) in (0..8_u32).zip([8, 7].into_iter().cycle()) {
        let (begins, ends) = (10 + 20 * turn, 20 + 20 * turn);
        script.push_str(&format!(
            "{begins} owner_changed tcp #1 by {pid} from 192.0.2.7:5 to 203.0.113.9:443 may_send
            {ends} owner_changed tcp #1 by {pid} from 192.0.2.7:5 to 203.0.113.9:443 wrote {ends}\n",
        ));
    }
    script.push_str(
        "
        149 out tcp 192.0.2.7:5 > 203.0.113.9:443 A seq 150+0 = 8
        # The kernel tells 16 in a second: others may be at it for the rest of it.
        151 out tcp 192.0.2.7:5 > 203.0.113.9:443 A seq 150+0 = several
        1000 out tcp 192.0.2.7:5 > 203.0.113.9:443 A seq 160+0 = several
        1100 owner_changed tcp #1 by 8 from 192.0.2.7:5 to 203.0.113.9:443 wrote 2000
        1200 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 2000+10 = 8
        ",
    );
    check(&script);
}

#[test]
fn who_was_at_a_connection_is_not_at_the_next_one_of_its_socket() {
    check(
        "
        10 attempt tcp #1 by 7 to 203.0.113.9:443
        11 first_packet tcp #1 by 7 from 192.0.2.7:5 to 203.0.113.9:443
        20 owner_changed tcp #1 by 8 from 192.0.2.7:5 to 203.0.113.9:443 may_send
        99.9 out tcp 192.0.2.7:5 > 203.0.113.9:443 PA seq 1000+100 = several
        100 closed tcp #1 by 7 from 192.0.2.7:5 to 203.0.113.9:443
        200 attempt tcp #1 by 7 to 203.0.113.9:443
        201 first_packet tcp #1 by 7 from 192.0.2.7:6 to 203.0.113.9:443
        300 out tcp 192.0.2.7:6 > 203.0.113.9:443 PA seq 9000+100 = 7
        ",
    );
}

//! What is known of one conversation between two ends, packet by packet: who opened it, what went
//! over it, how it ended.
//!
//! Bytes are those of the payload; what TCP sends again counts once. A part that is missing in the
//! capture does not count.

use std::time::Duration;

use model::{ConnectionError, IcmpKind, Phase, State, Talk, Timestamp};

use super::processes::Index;

pub(super) const FIN: u8 = 1;
pub(super) const SYN: u8 = 2;
pub(super) const RST: u8 = 4;
pub(super) const ACK: u8 = 16;

const SECOND: i64 = 1_000_000_000;
/// Datagrams after so long a silence are a new connection.
pub(super) const SILENCE: i64 = 60 * SECOND;
/// The longest pause between two attempts of Linux is 64 seconds: after this nobody asks any more.
pub(super) const PATIENCE: i64 = 180 * SECOND;
/// So long a connection that is over waits for packets that are late.
pub(super) const LATE: i64 = 300 * SECOND;
/// Of what is shorter nobody asks how it talked.
const LASTED: i64 = 3 * SECOND;

const ECONNRESET: i32 = 104;
const ECONNREFUSED: i32 = 111;

/// More claim no connection.
const MOST_CLAIMS: usize = 16;

/// Which of the two ends: 0 or 1.
pub(super) type End = usize;

/// What one end has sent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sent {
    pub(super) packets: u64,
    pub(super) bytes: u64,
    /// With all headers, as the packets stood in the capture.
    pub(super) frame_bytes: u64,
    /// The sequence number that its TCP began with.
    pub(super) began: Option<u32>,
    /// The sequence number that comes next. `None`: none was seen yet.
    next: Option<u32>,
    /// Bytes that were left out so far; they may come late.
    missing: u32,
    has_ended: bool,
}

/// A TCP segment, without its payload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) flags: u8,
    pub(super) sequence: u32,
    /// Bytes of its payload, also where less of it was captured.
    pub(super) length: u32,
}

/// A process that packets are said to belong to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    pub(super) process: Index,
    /// How many of the packets of each end.
    pub(super) packets: [u64; 2],
    /// The tool that says so is often wrong.
    pub(super) is_doubtful: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Conversation {
    /// That of the packet which began it, counted over the file.
    pub(super) number: u64,
    /// In nanoseconds since 1970, by the clock of the file.
    pub(super) first: i64,
    pub(super) last: i64,
    /// Times are told.
    pub(super) is_timed: bool,
    pub(super) sent: [Sent; 2],
    /// Who sent the first packet.
    pub(super) first_sender: End,
    /// Who opened it. `None`: it was there before.
    pub(super) opener: Option<End>,
    is_established: bool,
    first_ended: Option<End>,
    reset_by: Option<End>,
    /// The reset came while both were still talking.
    was_cut: bool,
    pub(super) closed: Option<i64>,
    /// What an ICMP error said of it, and when.
    error: Option<(i32, i64)>,
    /// Of ICMP.
    pub(super) kind: IcmpKind,
    /// How often the source said that this end is its own.
    pub(super) local: [u64; 2],
    pub(super) claims: Vec<Claim>,
    /// Stands in the place of a socket, once it was asked for.
    pub(super) cookie: Option<u64>,
    /// When the end that opened it sent, by the clock of the file; of one that has lasted.
    pub(super) talk: Option<Box<Talk>>,
}

/// How a conversation stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) state: State,
    pub(super) error: Option<ConnectionError>,
    pub(super) closed: Option<i64>,
}

impl Conversation {
    /// Begins with the packet of this number. `opens`: whoever sent it opened, as far as it is known.
    /// `now`: the time where it has none.
    pub(super) fn begin(
        number: u64,
        sender: End,
        opens: bool,
        time: Option<i64>,
        now: i64,
    ) -> Self {
        Self {
            number,
            first: time.unwrap_or(now),
            last: time.unwrap_or(now),
            is_timed: time.is_some(),
            first_sender: sender,
            opener: opens.then_some(sender),
            ..Self::default()
        }
    }

    /// Whether a segment that opens a connection opens another one than this.
    pub(super) fn is_reopened(&self, sender: End, segment: Segment) -> bool {
        if segment.flags & (SYN | ACK) != SYN {
            return false;
        }
        let sent = self.of(sender);
        sent.packets > 0 && sent.began != Some(segment.sequence)
    }

    /// Counts a packet. `frame_bytes`: as long as it was when it passed by.
    #[inline]
    pub(super) fn packet(&mut self, sender: End, time: Option<i64>, frame_bytes: u32) {
        if let Some(time) = time {
            self.last = self.last.max(time);
            self.first = self.first.min(time);
        }
        if let Some(sent) = self.sent.get_mut(sender) {
            sent.packets += 1;
            sent.frame_bytes += u64::from(frame_bytes);
        }
    }

    /// Counts payload of a protocol that does not number it.
    pub(super) fn payload(&mut self, sender: End, bytes: u32, time: i64) {
        if let Some(sent) = self.sent.get_mut(sender) {
            sent.bytes += u64::from(bytes);
        }
        self.has_sent(sender, u64::from(bytes), time);
    }

    #[inline]
    fn has_sent(&mut self, sender: End, bytes: u64, time: i64) {
        let lasted = time.saturating_sub(self.first) >= LASTED;
        if bytes > 0 && lasted && self.is_timed && sender == self.caller() {
            let talk = self
                .talk
                .get_or_insert_with(|| Talk::new(Duration::ZERO).into());
            talk.sent(Timestamp::from_unix_nanos(time), bytes);
        }
    }

    /// Who opened it, as far as it is known.
    pub(super) fn caller(&self) -> End {
        self.opener.unwrap_or(self.first_sender)
    }

    #[inline]
    pub(super) fn segment(&mut self, sender: End, segment: Segment, time: i64) {
        let flags = segment.flags;
        let other = 1 - sender;
        if flags & RST != 0 {
            if self.closed.is_none() {
                self.closed = Some(time);
                self.reset_by = Some(sender);
                self.was_cut = self.first_ended.is_none();
            }
            return;
        }
        if flags & SYN != 0 {
            // Both may open it at once; then it is the first of them.
            if self.opener.is_none() && !self.is_established {
                let answers = flags & ACK != 0;
                self.opener = Some(if answers { other } else { sender });
            }
        } else {
            self.is_established = true;
        }
        let mut new = 0;
        if let Some(sent) = self.sent.get_mut(sender) {
            let before = sent.bytes;
            sent.segment(segment);
            new = sent.bytes.saturating_sub(before);
            if flags & FIN != 0 {
                sent.has_ended = true;
                self.first_ended.get_or_insert(sender);
            }
        }
        if self.closed.is_none() && self.sent.iter().all(|sent| sent.has_ended) {
            self.closed = Some(time);
        }
        self.has_sent(sender, new, time);
    }

    /// An ICMP error said that a packet of it did not arrive, and why (errno(3)).
    pub(super) fn failed(&mut self, errno: i32, time: i64) {
        self.error.get_or_insert((errno, time));
    }

    pub(super) fn claim(&mut self, process: Index, sender: End, is_doubtful: bool) {
        let found = self
            .claims
            .iter_mut()
            .find(|claim| claim.process == process);
        let count = |claim: &mut Claim| {
            if let Some(count) = claim.packets.get_mut(sender) {
                *count += 1;
            }
        };
        if let Some(claim) = found {
            claim.is_doubtful &= is_doubtful;
            count(claim);
        } else if self.claims.len() < MOST_CLAIMS {
            let mut claim = Claim {
                process,
                packets: [0; 2],
                is_doubtful,
            };
            count(&mut claim);
            self.claims.push(claim);
        }
    }

    pub(super) fn of(&self, end: End) -> Sent {
        self.sent.get(end).copied().unwrap_or_default()
    }

    /// How long after its last packet it is certain that it is over.
    pub(super) fn ends_after(&self, is_tcp: bool) -> i64 {
        match (is_tcp, self.closed, self.is_established) {
            (false, ..) => SILENCE,
            (true, Some(_), _) => LATE,
            (true, None, false) => PATIENCE,
            (true, None, true) => i64::MAX,
        }
    }

    /// How it stands. `is_over`: it was silent for longer than it can be.
    pub(super) fn standing(&self, is_tcp: bool, local: End, is_over: bool) -> Standing {
        if is_tcp {
            return self.of_tcp(local, is_over);
        }
        let is_answered = self.sent.iter().all(|sent| sent.packets > 0);
        let closed = is_over.then_some(self.last);
        let error = self.error.map(|(errno, _)| ConnectionError {
            errno: Some(errno),
            phase: Phase::Send,
        });
        match self.error {
            Some((_, time)) if !is_answered => Standing {
                state: State::Failed,
                error,
                closed: Some(time.max(self.last)),
            },
            _ => Standing {
                state: if is_over { State::Closed } else { State::Open },
                error,
                closed,
            },
        }
    }

    fn of_tcp(&self, local: End, is_over: bool) -> Standing {
        let failed = |errno, phase, closed| Standing {
            state: State::Failed,
            error: Some(ConnectionError { errno, phase }),
            closed: Some(closed),
        };
        if !self.is_established {
            let is_answered = self.sent.iter().all(|sent| sent.began.is_some());
            return match (self.closed, self.error) {
                (Some(closed), _) => {
                    let errno = (self.reset_by != self.opener).then_some(ECONNREFUSED);
                    failed(errno, Phase::Handshake, closed)
                }
                (None, Some((errno, time))) => failed(Some(errno), Phase::Handshake, time),
                // Whoever asked gave up.
                (None, None) if is_over => failed(None, Phase::Handshake, self.last),
                (None, None) => Standing {
                    state: if is_answered {
                        State::SynReceived
                    } else {
                        State::SynSent
                    },
                    error: None,
                    closed: None,
                },
            };
        }
        let state = match (self.closed, self.first_ended) {
            (Some(_), _) => State::Closed,
            (None, Some(first)) if first == local => State::FinWait2,
            (None, Some(_)) => State::CloseWait,
            (None, None) => State::Established,
        };
        let was_cut = self.was_cut && self.reset_by == Some(1 - local);
        Standing {
            state,
            error: was_cut.then_some(ConnectionError {
                errno: Some(ECONNRESET),
                phase: Phase::Established,
            }),
            closed: self.closed,
        }
    }
}

impl Sent {
    #[inline]
    fn segment(&mut self, segment: Segment) {
        let Segment {
            flags,
            sequence,
            length,
        } = segment;
        let mut begin = sequence;
        if flags & SYN != 0 {
            self.began.get_or_insert(sequence);
            begin = begin.wrapping_add(1);
        }
        let next = *self.next.get_or_insert(begin);
        let end = begin.wrapping_add(length);
        let ahead = begin.wrapping_sub(next).cast_signed();
        let beyond = end.wrapping_sub(next).cast_signed();
        let new = if ahead >= 0 {
            self.missing = self.missing.saturating_add(ahead.unsigned_abs());
            length
        } else {
            // It was sent before, or comes late.
            let beyond = u32::try_from(beyond).unwrap_or(0).min(length);
            let late = (length - beyond).min(self.missing);
            self.missing -= late;
            beyond + late
        };
        self.bytes += u64::from(new);
        if beyond >= 0 {
            // The end counts as one.
            self.next = Some(end.wrapping_add(u32::from(flags & FIN != 0)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn segment(flags: u8, sequence: u32, length: u32) -> Segment {
        Segment {
            flags,
            sequence,
            length,
        }
    }

    /// Each: who sent it, its flags, its number and how long its payload is. One a second.
    fn talk(segments: &[(End, u8, u32, u32)]) -> Conversation {
        let mut conversation = Conversation::default();
        for (second, (sender, flags, sequence, length)) in (0..).zip(segments) {
            let segment = segment(*flags, *sequence, *length);
            conversation.packet(*sender, Some(second), 60);
            conversation.segment(*sender, segment, second);
        }
        conversation
    }

    fn check(segments: &[(End, u8, u32, u32)], state: State, error: Option<(Option<i32>, Phase)>) {
        let standing = talk(segments).standing(true, 0, false);
        let error = error.map(|(errno, phase)| ConnectionError { errno, phase });
        assert_eq!((standing.state, standing.error), (state, error));
    }

    const OPENED: [(End, u8, u32, u32); 3] =
        [(0, SYN, 100, 0), (1, SYN | ACK, 500, 0), (0, ACK, 101, 0)];

    #[test]
    fn a_connection_opens_and_closes() {
        check(&OPENED[..1], State::SynSent, None);
        check(&OPENED[..2], State::SynReceived, None);
        check(&OPENED, State::Established, None);
        let with = |more: &[(End, u8, u32, u32)]| [&OPENED, more].concat();
        check(&with(&[(0, FIN | ACK, 101, 0)]), State::FinWait2, None);
        check(&with(&[(1, FIN | ACK, 501, 0)]), State::CloseWait, None);
        let both = with(&[(0, FIN | ACK, 101, 0), (1, FIN | ACK, 501, 0)]);
        check(&both, State::Closed, None);
        assert_eq!(talk(&both).closed, Some(4));
        assert_eq!(talk(&both).opener, Some(0));
    }

    #[test]
    fn a_reset_is_an_error_where_it_cuts() {
        let reset = |sender| [&OPENED[..], &[(sender, RST, 0, 0)]].concat();
        let cut = Some((Some(ECONNRESET), Phase::Established));
        check(&reset(1), State::Closed, cut);
        check(&reset(0), State::Closed, None);
        let after = [(1, FIN | ACK, 501, 0), (1, RST, 0, 0)];
        check(&[&OPENED[..], &after].concat(), State::Closed, None);
    }

    #[test]
    fn what_does_not_come_about_has_failed() {
        let refused = Some((Some(ECONNREFUSED), Phase::Handshake));
        let segments = [(0, SYN, 100, 0), (1, RST | ACK, 0, 0)];
        check(&segments, State::Failed, refused);
        let given_up = Some((None, Phase::Handshake));
        let segments = [OPENED[0], OPENED[1], (0, RST, 101, 0)];
        check(&segments, State::Failed, given_up);
        let mut asked = talk(&OPENED[..1]);
        assert_eq!(asked.standing(true, 0, true).state, State::Failed);
        asked.failed(113, 7);
        let error = asked.standing(true, 0, false).error.expect("an error");
        assert_eq!(error.errno, Some(113));
    }

    #[test]
    fn a_new_number_opens_another_connection() {
        let conversation = talk(&OPENED);
        let opens =
            |sender, flags, sequence| conversation.is_reopened(sender, segment(flags, sequence, 0));
        assert!(opens(0, SYN, 200));
        assert!(!opens(0, SYN, 100), "it was sent again");
        assert!(!opens(1, SYN | ACK, 500));
        // Both open at once.
        assert!(!talk(&OPENED[..1]).is_reopened(1, segment(SYN, 9, 0)));
    }

    #[test]
    fn datagrams_without_an_answer_fail_when_somebody_says_so() {
        let mut asked = Conversation::default();
        asked.packet(0, Some(1), 60);
        assert_eq!(asked.standing(false, 0, false).state, State::Open);
        assert_eq!(asked.standing(false, 0, true).state, State::Closed);
        asked.failed(ECONNREFUSED, 2);
        let standing = asked.standing(false, 0, false);
        assert_eq!((standing.state, standing.closed), (State::Failed, Some(2)));
        asked.packet(1, Some(3), 60);
        assert_eq!(asked.standing(false, 0, false).state, State::Open);
    }

    #[test]
    fn what_is_sent_again_counts_once() {
        let bytes = |more: &[(End, u8, u32, u32)]| {
            let segments = [&OPENED[..], more].concat();
            talk(&segments).of(0).bytes
        };
        assert_eq!(bytes(&[(0, ACK, 101, 10), (0, ACK, 101, 10)]), 10);
        assert_eq!(bytes(&[(0, ACK, 101, 10), (0, ACK, 106, 10)]), 15);
        // Late, and then again.
        let late = [(0, ACK, 111, 5), (0, ACK, 101, 10), (0, ACK, 101, 10)];
        assert_eq!(bytes(&late), 15);
        // A keepalive.
        assert_eq!(bytes(&[(0, ACK, 101, 10), (0, ACK, 110, 1)]), 10);
        // Never captured.
        assert_eq!(bytes(&[(0, ACK, 201, 10)]), 10);
    }

    proptest! {
        #[test]
        fn never_panics_and_counts_no_more_than_came(
            segments in prop::collection::vec(
                (0_usize..2, 0_u8..32, any::<u32>(), any::<u16>()),
                0..50,
            )
        ) {
            let segments: Vec<_> = segments
                .into_iter()
                .map(|(sender, flags, sequence, length)| {
                    (sender, flags, sequence, u32::from(length))
                })
                .collect();
            let conversation = talk(&segments);
            for end in 0..2 {
                let came = segments.iter().filter(|segment| segment.0 == end);
                let came: u64 = came.map(|segment| u64::from(segment.3)).sum();
                prop_assert!(conversation.of(end).bytes <= came);
                for is_over in [false, true] {
                    let _ = conversation.standing(true, end, is_over);
                    let _ = conversation.standing(false, end, is_over);
                }
            }
        }
    }
}

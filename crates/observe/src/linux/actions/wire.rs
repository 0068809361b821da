//! What goes over the socket: each request and each answer is one packet of fixed size, in the byte
//! order of this computer.

use std::net::{IpAddr, Ipv6Addr};

use model::{Endpoint, NetworkNamespace, Timestamp};

use crate::actions::{ActionError, ConnectionTarget, Done, How, Outcome, ProcessTarget};

pub(super) const REQUEST: usize = 56;
/// Status, errno, time.
pub(super) const ANSWER: usize = 16;

/// What may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Close(ConnectionTarget),
    End(ProcessTarget, How),
}

const CLOSE: u32 = 1;
const END: u32 = 2;

impl Request {
    pub(super) fn bytes(&self) -> [u8; REQUEST] {
        // Kind, namespace or pid, cookie or start, both addresses, both ports, how.
        let (kind, number, long, ends, how) = match self {
            Self::Close(target) => {
                let ends = Some([target.local, target.remote]);
                (CLOSE, target.netns.0, target.cookie, ends, 0)
            }
            Self::End(target, how) => {
                let how = match how {
                    How::Asked => 1_u32,
                    How::Hard => 2,
                };
                (END, target.pid, target.start_ticks, None, how)
            }
        };
        let address = |end: Endpoint| match end.ip {
            Some(IpAddr::V4(ip)) => ip.to_ipv6_mapped().octets(),
            Some(IpAddr::V6(ip)) => ip.octets(),
            None => [0; 16],
        };
        let [local, remote] = ends.unwrap_or([Endpoint::NONE; 2]);
        let parts: [&[u8]; 8] = [
            &kind.to_ne_bytes(),
            &number.to_ne_bytes(),
            &long.to_ne_bytes(),
            &address(local),
            &address(remote),
            &local.port.unwrap_or(0).to_ne_bytes(),
            &remote.port.unwrap_or(0).to_ne_bytes(),
            &how.to_ne_bytes(),
        ];
        let mut bytes = [0; REQUEST];
        for (byte, value) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
            *byte = *value;
        }
        bytes
    }

    /// `None`: that is none. What a request does not use has to be 0.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (&kind, rest) = bytes.split_first_chunk()?;
        let (&number, rest) = rest.split_first_chunk()?;
        let (&long, rest) = rest.split_first_chunk()?;
        let (ends, rest) = rest.split_first_chunk::<36>()?;
        let how: [u8; 4] = rest.try_into().ok()?;
        let (number, long) = (u32::from_ne_bytes(number), u64::from_ne_bytes(long));
        match (u32::from_ne_bytes(kind), u32::from_ne_bytes(how)) {
            (CLOSE, 0) => {
                let (&local, rest) = ends.split_first_chunk::<16>()?;
                let (&remote, rest) = rest.split_first_chunk::<16>()?;
                let (&local_port, rest) = rest.split_first_chunk()?;
                let remote_port: [u8; 2] = rest.try_into().ok()?;
                let end =
                    |ip, port| Endpoint::new(Ipv6Addr::from(ip).into(), u16::from_ne_bytes(port));
                let netns = NetworkNamespace(number);
                let (local, remote) = (end(local, local_port), end(remote, remote_port));
                ConnectionTarget::new(netns, local, remote, long).map(Self::Close)
            }
            (END, how) if *ends == [0; 36] => {
                let how = match how {
                    1 => How::Asked,
                    2 => How::Hard,
                    _ => return None,
                };
                let (pid, start_ticks) = (number, long);
                Some(Self::End(ProcessTarget { pid, start_ticks }, how))
            }
            _ => None,
        }
    }
}

pub(super) type Answer = Result<Done, ActionError>;

pub(super) fn answer_bytes(answer: &Answer) -> [u8; ANSWER] {
    let (status, errno, at) = match answer {
        Ok(done) => {
            let status = match done.outcome {
                Outcome::Closed => 1,
                Outcome::Ended => 2,
                Outcome::StillRuns => 3,
            };
            (status, 0, done.at.unix_nanos())
        }
        Err(error) => {
            let (status, errno) = error_code(*error);
            (status, errno, 0)
        }
    };
    let parts: [&[u8]; 3] = [
        &status.to_ne_bytes(),
        &errno.to_ne_bytes(),
        &at.to_ne_bytes(),
    ];
    let mut bytes = [0; ANSWER];
    for (byte, value) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
        *byte = *value;
    }
    bytes
}

/// `None`: that is none.
pub(super) fn parse_answer(bytes: &[u8]) -> Option<Answer> {
    let (&status, rest) = bytes.split_first_chunk()?;
    let (&errno, rest) = rest.split_first_chunk()?;
    let at = i64::from_ne_bytes(rest.try_into().ok()?);
    let done = |outcome| {
        let at = Timestamp::from_unix_nanos(at);
        Ok(Done { at, outcome })
    };
    Some(match u32::from_ne_bytes(status) {
        1 => done(Outcome::Closed),
        2 => done(Outcome::Ended),
        3 => done(Outcome::StillRuns),
        status => Err(error_of(status, i32::from_ne_bytes(errno))?),
    })
}

/// Those that somebody else than we can find.
fn error_code(error: ActionError) -> (u32, i32) {
    let code = match error {
        ActionError::NotTcp => 16,
        ActionError::Listener => 17,
        ActionError::ConnectionGone => 18,
        ActionError::NotExact => 19,
        ActionError::ProcessGone => 20,
        ActionError::FirstProcess => 21,
        ActionError::Ourselves => 22,
        ActionError::KernelThread => 23,
        ActionError::NoRightToClose => 24,
        ActionError::NoRightToEnd => 25,
        ActionError::NoRightToEnter => 26,
        ActionError::NamespaceGone => 27,
        ActionError::KernelCannotClose => 28,
        ActionError::KernelCannotEnd => 29,
        ActionError::NobodyToDoIt => 30,
        ActionError::Unanswered => 31,
        ActionError::OnlyIpv4 => 32,
        ActionError::StillOpen => 34,
        ActionError::NoWindow => 35,
        ActionError::DoesNotListen => 36,
        ActionError::Failed(errno) => return (33, errno),
    };
    (code, 0)
}

fn error_of(code: u32, errno: i32) -> Option<ActionError> {
    Some(match code {
        16 => ActionError::NotTcp,
        17 => ActionError::Listener,
        18 => ActionError::ConnectionGone,
        19 => ActionError::NotExact,
        20 => ActionError::ProcessGone,
        21 => ActionError::FirstProcess,
        22 => ActionError::Ourselves,
        23 => ActionError::KernelThread,
        24 => ActionError::NoRightToClose,
        25 => ActionError::NoRightToEnd,
        26 => ActionError::NoRightToEnter,
        27 => ActionError::NamespaceGone,
        28 => ActionError::KernelCannotClose,
        29 => ActionError::KernelCannotEnd,
        30 => ActionError::NobodyToDoIt,
        31 => ActionError::Unanswered,
        32 => ActionError::OnlyIpv4,
        33 => ActionError::Failed(errno),
        34 => ActionError::StillOpen,
        35 => ActionError::NoWindow,
        36 => ActionError::DoesNotListen,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(local: &str, remote: &str) -> Request {
        let end = |text: &str| {
            let address: std::net::SocketAddr = text.parse().unwrap();
            Endpoint::new(address.ip(), address.port())
        };
        Request::Close(ConnectionTarget {
            netns: NetworkNamespace(7),
            local: end(local),
            remote: end(remote),
            cookie: 9,
        })
    }

    fn ending(how: How) -> Request {
        let target = ProcessTarget {
            pid: 8,
            start_ticks: 9,
        };
        Request::End(target, how)
    }

    #[test]
    fn requests_come_back_as_they_were() {
        for request in [
            close("192.0.2.1:1", "192.0.2.2:443"),
            close("[2001:db8::1]:1", "[2001:db8::2]:65535"),
            ending(How::Asked),
            ending(How::Hard),
        ] {
            assert_eq!(Request::parse(&request.bytes()), Some(request));
        }
    }

    #[test]
    fn nothing_else_is_a_request() {
        let good = ending(How::Asked).bytes();
        for (at, value) in [(0, 3), (0, 0), (0, 1), (16, 1), (51, 1), (52, 0), (52, 3)] {
            let mut bytes = good;
            bytes[at] = value;
            assert_eq!(Request::parse(&bytes), None, "{at}");
        }
        assert_eq!(Request::parse(&good[1..]), None);
        assert_eq!(Request::parse(&[&good[..], &[0]].concat()), None);
        let mut any = close("192.0.2.1:1", "192.0.2.2:443").bytes();
        any[8..16].fill(0xff);
        assert_eq!(Request::parse(&any), None, "the cookie of any socket");
    }

    #[test]
    fn answers_come_back_as_they_were() {
        let at = Timestamp::from_unix_nanos(1);
        for outcome in [Outcome::Closed, Outcome::Ended, Outcome::StillRuns] {
            let answer = Ok(Done { at, outcome });
            assert_eq!(parse_answer(&answer_bytes(&answer)), Some(answer));
        }
        let errors = (0..64).filter_map(|code| error_of(code, 5));
        assert_eq!(errors.clone().count(), 21);
        for error in errors {
            let answer = Err(error);
            assert_eq!(parse_answer(&answer_bytes(&answer)), Some(answer));
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..70)) {
            let _ = Request::parse(&bytes);
            let _ = parse_answer(&bytes);
        }

        #[test]
        fn what_is_a_request_is_read_exactly(
            mut bytes in proptest::collection::vec(any::<u8>(), REQUEST),
            kind in 1_u32..=2,
        ) {
            bytes[..4].copy_from_slice(&kind.to_ne_bytes());
            bytes[52..].fill(0);
            if let Some(request) = Request::parse(&bytes) {
                prop_assert_eq!(Request::parse(&request.bytes()), Some(request));
            }
        }
    }
}

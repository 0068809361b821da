//! News of the kernel's process connector: `struct cn_msg` (include/uapi/linux/connector.h) around
//! `struct proc_event` (include/uapi/linux/cn_proc.h; kernel: drivers/connector/cn_proc.c).

use std::collections::HashMap;

use model::Text;

use super::attributes::{u16_at, u32_at, u64_at};

/// CN_IDX_PROC and CN_VAL_PROC are both 1.
const PROCESSES: u64 = 1 | 1 << 32;
/// Length of `struct cn_msg`.
const HEADER: usize = 20;
const PROC_CN_MCAST_LISTEN: u32 = 1;
const PROC_EVENT_NONE: u32 = 0;
const PROC_EVENT_FORK: u32 = 1;
const PROC_EVENT_EXEC: u32 = 2;
const PROC_EVENT_UID: u32 = 4;
const PROC_EVENT_COMM: u32 = 0x200;
const PROC_EVENT_EXIT: u32 = 0x8000_0000;

/// What a process did. `timestamp_ns` is CLOCK_MONOTONIC: since boot, time asleep not counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ProcessNews {
    Started {
        timestamp_ns: u64,
        parent: u32,
        pid: u32,
    },
    Executed {
        timestamp_ns: u64,
        pid: u32,
    },
    /// It runs as another user now.
    UserChanged {
        timestamp_ns: u64,
        pid: u32,
        /// The effective one.
        uid: u32,
    },
    /// It gave itself another name (PR_SET_NAME); an exec does so unsaid.
    Renamed {
        timestamp_ns: u64,
        pid: u32,
        name: Text,
    },
    Ended {
        timestamp_ns: u64,
        pid: u32,
        /// As wait(2) gives it.
        status: i32,
    },
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// Which processor sent it. `None`: an answer of an older kernel, which counts those apart.
    pub(crate) cpu: Option<u32>,
    /// Each processor counts what it sends.
    pub(crate) sequence: u32,
    pub(crate) content: Content,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    News(ProcessNews),
    /// One thread ended; of a process with a single thread, it is the process. Another thread may
    /// still run on, or have taken its place by an exec.
    FirstThreadEnded(End),
    OtherThreadEnded(End),
    /// Answers a [`subscription`], ours or another's, with its `answer_to` and an errno or 0.
    Answer {
        answer_to: u32,
        errno: u32,
    },
    /// Threads, groups, sessions, core dumps.
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) timestamp_ns: u64,
    /// The process it belongs to.
    pub(crate) pid: u32,
    pub(crate) status: i32,
}

/// Asks for the news. Who sends it and hears no answer is in a PID or user namespace of its own.
pub(crate) fn subscription(answer_to: u32) -> Vec<u8> {
    let mut message = PROCESSES.to_ne_bytes().to_vec();
    message.extend(0_u32.to_ne_bytes());
    message.extend(answer_to.to_ne_bytes());
    message.extend(4_u16.to_ne_bytes());
    message.extend(0_u16.to_ne_bytes());
    message.extend(PROC_CN_MCAST_LISTEN.to_ne_bytes());
    message
}

/// Reads a `struct cn_msg`. `None` when it is cut short, or not about processes.
pub(crate) fn message(bytes: &[u8]) -> Option<Message> {
    if connector_id(bytes)? != PROCESSES {
        return None;
    }
    let sequence = u32_at(bytes, 8)?;
    let answer_to = u32_at(bytes, 12)?.wrapping_sub(1);
    let length = usize::from(u16_at(bytes, 16)?);
    let event = bytes.get(HEADER..)?.get(..length)?;
    let what = u32_at(event, 0)?;
    let cpu = u32_at(event, 4)?;
    let timestamp_ns = u64_at(event, 8)?;
    let data = event.get(16..)?;
    let content = if what == PROC_EVENT_NONE {
        let errno = u32_at(data, 0)?;
        Content::Answer { answer_to, errno }
    } else {
        content(what, timestamp_ns, data)?
    };
    Some(Message {
        cpu: (cpu != u32::MAX).then_some(cpu),
        sequence,
        content,
    })
}

/// Both numbers of `struct cb_id`, the first in the low half.
fn connector_id(bytes: &[u8]) -> Option<u64> {
    Some(u64::from(u32_at(bytes, 0)?) | u64::from(u32_at(bytes, 4)?) << 32)
}

/// A thread has a number of its own, and that of its process, which is the first thread's.
fn content(what: u32, timestamp_ns: u64, data: &[u8]) -> Option<Content> {
    let (thread, pid) = (u32_at(data, 0)?, u32_at(data, 4)?);
    let news = match what {
        PROC_EVENT_FORK => {
            let (thread, started) = (u32_at(data, 8)?, u32_at(data, 12)?);
            if thread != started {
                return Some(Content::Other);
            }
            ProcessNews::Started {
                timestamp_ns,
                parent: pid,
                pid: started,
            }
        }
        PROC_EVENT_EXIT => {
            let end = End {
                timestamp_ns,
                pid,
                status: u32_at(data, 8)?.cast_signed(),
            };
            return Some(if thread == pid {
                Content::FirstThreadEnded(end)
            } else {
                Content::OtherThreadEnded(end)
            });
        }
        _ if thread != pid => return Some(Content::Other),
        PROC_EVENT_EXEC => ProcessNews::Executed { timestamp_ns, pid },
        PROC_EVENT_UID => ProcessNews::UserChanged {
            timestamp_ns,
            pid,
            uid: u32_at(data, 12)?,
        },
        PROC_EVENT_COMM => {
            let name = data.get(8..24)?;
            let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
            ProcessNews::Renamed {
                timestamp_ns,
                pid,
                name: name.into(),
            }
        }
        _ => return Some(Content::Other),
    };
    Some(Content::News(news))
}

/// Counts the messages that never came: each processor numbers its own.
#[derive(Debug, Default)]
pub(crate) struct Missing {
    next: HashMap<u32, u32>,
    /// So far.
    pub(crate) messages: u64,
}

impl Missing {
    pub(crate) fn note(&mut self, message: &Message) {
        let Some(cpu) = message.cpu else {
            return;
        };
        let next = message.sequence.wrapping_add(1);
        if let Some(expected) = self.next.insert(cpu, next) {
            let missing = message.sequence.wrapping_sub(expected);
            // More is a step back: the kernel counts anew.
            if missing <= u32::MAX / 2 {
                self.messages = self.messages.saturating_add(u64::from(missing));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // All of Linux 6.18, on x86-64.
    const ANSWER: &str = "0100000001000000000000000a00000028000000\
        000000000100000038d7f1dd960b0000000000000000000000000000000000000000000000000000";
    const FORK: &str = "0100000001000000d90300000000000028000000\
        0100000001000000dd1f6893cd0b0000ad5f0000ad5f0000da5f0000da5f00000000000000000000";
    const EXEC: &str = "0100000001000000da0300000000000028000000\
        02000000010000003dcb6d93cd0b0000da5f0000da5f000000000000000000000000000000000000";
    const UID: &str = "0100000001000000dd0300000000000028000000\
        0400000001000000692a47bdcd0b0000db5f0000db5f0000e8030000e80300000000000000000000";
    const CORE_DUMP: &str = "0100000001000000de0300000000000028000000\
        0000004001000000a79f47bdcd0b0000db5f0000db5f0000ad5f0000ad5f00000000000000000000";
    const KILLED: &str = "0100000001000000df0300000000000028000000\
        00000080010000006df64fbdcd0b0000db5f0000db5f00000b00000011000000ad5f0000ad5f0000";
    const NAME: &str = "0100000001000000e10300000000000028000000\
        000200000100000034d85ac9cd0b0000dc5f0000dc5f00006576696c206e616d6500000000000000";
    const RETURNED: &str = "0100000001000000e20300000000000028000000\
        00000080010000005af160c9cd0b0000dc5f0000dc5f00000007000011000000ad5f0000ad5f0000";

    fn bytes(hexadecimal: &str) -> Vec<u8> {
        let digits: Vec<_> = hexadecimal
            .chars()
            .map(|digit| u8::try_from(digit.to_digit(16).unwrap()).unwrap())
            .collect();
        digits
            .chunks_exact(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect()
    }

    fn check(hexadecimal: &str, expected: Content) {
        let read = message(&bytes(hexadecimal)).unwrap();
        assert_eq!(read.content, expected);
        assert!(matches!(read.cpu, Some(0 | 1)));
    }

    #[test]
    fn reads_what_happened() {
        check(
            FORK,
            Content::News(ProcessNews::Started {
                timestamp_ns: 12_977_569_275_869,
                parent: 24493,
                pid: 24538,
            }),
        );
        check(
            EXEC,
            Content::News(ProcessNews::Executed {
                timestamp_ns: 12_977_569_647_421,
                pid: 24538,
            }),
        );
        check(
            UID,
            Content::News(ProcessNews::UserChanged {
                timestamp_ns: 12_978_271_758_953,
                pid: 24539,
                uid: 1000,
            }),
        );
        check(
            NAME,
            Content::News(ProcessNews::Renamed {
                timestamp_ns: 12_978_474_375_220,
                pid: 24540,
                name: "evil name".into(),
            }),
        );
        check(CORE_DUMP, Content::Other);
    }

    #[test]
    fn reads_how_it_ended() {
        let ended = |timestamp_ns, pid, status| {
            Content::FirstThreadEnded(End {
                timestamp_ns,
                pid,
                status,
            })
        };
        check(KILLED, ended(12_978_272_335_469, 24539, 11));
        check(RETURNED, ended(12_978_474_774_874, 24540, 7 << 8));
    }

    #[test]
    fn knows_its_answer() {
        let (answer_to, errno) = (9, 0);
        check(ANSWER, Content::Answer { answer_to, errno });
        let mut of_old_kernel = bytes(ANSWER);
        of_old_kernel[24..28].fill(0xff);
        assert_eq!(message(&of_old_kernel).unwrap().cpu, None);
    }

    #[test]
    fn threads_are_not_processes() {
        // The number of the thread is another than that of the process.
        for (event, at) in [(FORK, 44), (EXEC, 36), (UID, 36), (NAME, 36)] {
            let mut bytes = bytes(event);
            bytes[at] ^= 1;
            assert_eq!(message(&bytes).unwrap().content, Content::Other);
        }
        let mut bytes = bytes(RETURNED);
        bytes[36] ^= 1;
        let content = message(&bytes).unwrap().content;
        assert!(matches!(content, Content::OtherThreadEnded(_)));
    }

    #[test]
    fn leaves_short_ones_and_others_alone() {
        let fork = bytes(FORK);
        for length in 0..fork.len() {
            assert_eq!(message(&fork[..length]), None);
        }
        let mut of_another = fork;
        of_another[0] = 7;
        assert_eq!(message(&of_another), None);
    }

    #[test]
    fn a_subscription_is_a_connector_message() {
        let subscription = subscription(9);
        assert_eq!(connector_id(&subscription), Some(PROCESSES));
        assert_eq!(u32_at(&subscription, 12), Some(9));
        assert_eq!(u16_at(&subscription, 16), Some(4));
        assert_eq!(subscription.len(), HEADER + 4);
    }

    #[test]
    fn counts_what_is_missing() {
        let check = |given: &[(Option<u32>, u32)], expected: u64| {
            let mut missing = Missing::default();
            for (cpu, sequence) in given.iter().copied() {
                missing.note(&Message {
                    cpu,
                    sequence,
                    content: Content::Other,
                });
            }
            assert_eq!(missing.messages, expected);
        };
        check(
            &[
                (Some(0), 5),
                (Some(1), 90),
                (Some(0), 6),
                (None, 1),
                (Some(1), 91),
            ],
            0,
        );
        check(
            &[(Some(0), 5), (Some(1), 90), (Some(0), 9), (Some(1), 92)],
            4,
        );
        check(&[(Some(0), u32::MAX), (Some(0), 1)], 1);
        check(&[(Some(0), 1000), (Some(0), 3), (Some(0), 5)], 1);
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = message(&bytes);
        }

        #[test]
        fn never_panics_on_any_event(what: u32, data in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut bytes = bytes(FORK);
            bytes[20..24].copy_from_slice(&what.to_ne_bytes());
            bytes.truncate(36);
            bytes.extend(data);
            let _ = message(&bytes);
        }

        #[test]
        fn reads_back_what_was_sent(parent: u32, pid: u32, timestamp_ns: u64, cpu in 0..u32::MAX, sequence: u32) {
            let mut sent = PROCESSES.to_ne_bytes().to_vec();
            sent.extend([sequence, 0].map(u32::to_ne_bytes).concat());
            sent.extend([40_u16, 0].map(u16::to_ne_bytes).concat());
            sent.extend([PROC_EVENT_FORK, cpu].map(u32::to_ne_bytes).concat());
            sent.extend(timestamp_ns.to_ne_bytes());
            sent.extend([parent, parent, pid, pid, 0, 0].map(u32::to_ne_bytes).concat());
            let content = Content::News(ProcessNews::Started { timestamp_ns, parent, pid });
            prop_assert_eq!(message(&sent), Some(Message { cpu: Some(cpu), sequence, content }));
        }
    }
}

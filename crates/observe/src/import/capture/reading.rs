//! Reads names out of one conversation, for as long as there may be any.

use model::NameSeen;

use super::conversation::{Conversation, End};
use super::table::Key;
use crate::names::{Side, TcpNames, UdpNames};

/// Where reading stands.
#[derive(Default)]
pub(super) enum Reading {
    /// Nothing was said yet.
    #[default]
    Before,
    Tcp(Box<TcpNames>, End),
    Udp(Box<UdpNames>, End),
    /// There will be no more names.
    Over,
}

impl Reading {
    /// Something was said: what there is of it in the capture. `true`: that was all that is looked at,
    /// and the client's greeting was not understood.
    pub(super) fn said(
        &mut self,
        key: Key,
        conversation: &Conversation,
        sender: End,
        sequence: Option<u32>,
        bytes: &[u8],
        seen: &mut Vec<NameSeen>,
    ) -> bool {
        if matches!(self, Self::Before) {
            *self = Self::begin(key, conversation);
        }
        let told = &mut |name| seen.push(name);
        let (is_over, is_unread) = match self {
            Self::Tcp(names, client) => {
                let side = side(sender, *client);
                if names.wants(side) {
                    names.data(side, sequence, bytes, told);
                }
                let is_over = !names.wants(Side::Client) && !names.wants(Side::Server);
                (is_over, is_unread(names, *client, conversation))
            }
            Self::Udp(names, client) => {
                let side = side(sender, *client);
                if names.wants(side) {
                    names.data(side, bytes, told);
                }
                let is_over = !names.wants(Side::Client) && !names.wants(Side::Server);
                (is_over, false)
            }
            Self::Before | Self::Over => return false,
        };
        if is_over {
            *self = Self::Over;
        }
        is_over && is_unread
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Over)
    }

    /// The conversation is over: what was not whole is read as far as it came. `true`: the client's
    /// greeting was not understood.
    pub(super) fn end(self, conversation: &Conversation, seen: &mut Vec<NameSeen>) -> bool {
        let told = &mut |name| seen.push(name);
        match self {
            Self::Tcp(mut names, client) => {
                names.end(told);
                return is_unread(&names, client, conversation);
            }
            Self::Udp(mut names, _) => names.end(told),
            Self::Before | Self::Over => {}
        }
        false
    }

    fn begin(key: Key, conversation: &Conversation) -> Self {
        let client = client(key, conversation);
        let (from, to) = (key.port(client), key.port(1 - client));
        if key.is_tcp() {
            let mut names = Box::new(TcpNames::new(to));
            for end in [0, 1] {
                if let Some(sequence) = conversation.of(end).began {
                    names.syn(side(end, client), sequence);
                }
            }
            Self::Tcp(names, client)
        } else if key.is_udp() {
            Self::Udp(Box::new(UdpNames::new(from, to)), client)
        } else {
            Self::Over
        }
    }
}

/// What stands in the middle of a conversation need not be understood.
fn is_unread(names: &TcpNames, client: End, conversation: &Conversation) -> bool {
    names.is_unread() && conversation.of(client).began.is_some()
}

/// Who asks. Where nobody saw who opened, the one with the higher port: servers have low ones.
pub(super) fn client(key: Key, conversation: &Conversation) -> End {
    conversation.opener.unwrap_or_else(|| {
        let (first, second) = (key.port(0), key.port(1));
        match first.cmp(&second) {
            std::cmp::Ordering::Greater => 0,
            std::cmp::Ordering::Less => 1,
            std::cmp::Ordering::Equal => conversation.first_sender,
        }
    })
}

fn side(end: End, client: End) -> Side {
    if end == client {
        Side::Client
    } else {
        Side::Server
    }
}

//! One event of Windows, whichever form it was written in.

use std::borrow::Cow;

/// Which log it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Provider {
    Sysmon,
    Security,
    Other,
}

impl Provider {
    pub(super) fn named(name: &[u8]) -> Self {
        match name {
            b"Microsoft-Windows-Sysmon" | b"Linux-Sysmon" => Self::Sysmon,
            b"Microsoft-Windows-Security-Auditing" => Self::Security,
            _ => Self::Other,
        }
    }
}

/// A name and what stands there.
pub(super) type Field<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// An event.
#[derive(Clone, Debug)]
pub(super) struct Record<'a> {
    pub(super) provider: Provider,
    /// Of its kind.
    pub(super) event: u64,
    /// When it was written, in nanoseconds since 1970.
    pub(super) written: Option<i64>,
    pub(super) computer: Cow<'a, [u8]>,
    pub(super) fields: Vec<Field<'a>>,
    /// The event in words, of which some forms keep fields that they lost.
    pub(super) message: Cow<'a, [u8]>,
}

impl Record<'_> {
    /// Whether anything is taken from it.
    pub(super) fn is_wanted(provider: Provider, event: u64) -> bool {
        match provider {
            Provider::Sysmon => matches!(event, 1 | 3 | 5 | 22),
            Provider::Security => event == 5156,
            Provider::Other => false,
        }
    }

    /// `None`: it has no such field, or nothing stands in it.
    pub(super) fn field(&self, name: &str) -> Option<&[u8]> {
        let mut fields = self
            .fields
            .iter()
            .filter(|(key, _)| **key == *name.as_bytes());
        let written = fields.next().map(|(_, value)| &**value);
        let value = written.or_else(|| self.in_message(name))?.trim_ascii();
        (!value.is_empty() && value != b"-").then_some(value)
    }

    /// Of `ProcessId: 716` on a line of its own.
    fn in_message(&self, name: &str) -> Option<&[u8]> {
        let mut lines = self.message.split(|byte| matches!(byte, b'\n' | b'\r'));
        lines.find_map(|line| line.strip_prefix(name.as_bytes())?.strip_prefix(b": "))
    }
}

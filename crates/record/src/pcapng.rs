//! Packets with their processes, as pcapng (draft-ietf-opsawg-pcapng), and back. Packets and whose
//! they are go in; bytes come out that every reader of captures knows, and are read again here.
//!
//! A process is written the way Apple's systems do it: one block for each, and its number on each of
//! its packets. Wireshark shows that from 4.6 on, and older readers skip it.

mod block;
mod blocks;
mod display_filter;
mod export;
mod flow;
mod mix;
mod read;
#[cfg(test)]
mod tests;
mod text;
mod write;

pub use display_filter::display_filter;
pub use export::{Exporter, Form, JournalEntry, export};
pub use read::{
    Error, InterfaceRead, Item, NamesRead, PacketRead, ProcessRead, Reader, Section,
    StatisticsRead, Stop, StopReason,
};
pub use text::RecordText;
pub use write::{Header, Statistics, Writer};

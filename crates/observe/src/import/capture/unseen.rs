//! What of packets does not show in the connections that are made of them.

use std::net::IpAddr;

use model::{Gap, Imported, Source};

use super::super::format::Out;

/// So many tunnels are named.
const MOST_NAMED: usize = 3;

#[derive(Default)]
pub(super) struct Unseen {
    /// Packets that were captured in part only.
    pub(super) cut: u64,
    /// Later parts of packets whose first was not captured before them.
    pub(super) fragments: u64,
    /// Packets that were sent in parts, as far as the first of these is there.
    pub(super) in_parts: u64,
    /// Packets that are neither IP nor ARP, in no wrapping that is looked into.
    pub(super) others: u64,
    /// Packets that carried another one, and the first ends between which they went.
    tunnelled: u64,
    tunnels: Vec<(IpAddr, IpAddr)>,
}

impl Unseen {
    /// A packet between these two carried another.
    pub(super) fn tunnelled(&mut self, source: IpAddr, destination: IpAddr) {
        self.tunnelled += 1;
        if self.tunnels.len() < MOST_NAMED {
            let ends = (source.min(destination), source.max(destination));
            if !self.tunnels.contains(&ends) {
                self.tunnels.push(ends);
            }
        }
    }

    pub(super) fn tell(&self, out: &mut Out) {
        let between: Vec<_> = self
            .tunnels
            .iter()
            .map(|(a, b)| format!("{a} and {b}"))
            .collect();
        let gaps = [
            (
                "packets_cut",
                self.cut,
                "the capture has only the beginning of these packets".to_owned(),
                "what was said behind it, and names in that",
            ),
            (
                "fragments_without_beginning",
                self.fragments,
                "ports stand only in the first part of a packet, which was not captured before these"
                    .to_owned(),
                "these parts and their bytes, which belong to no connection",
            ),
            (
                "packets_in_parts",
                self.in_parts,
                "these packets were sent in parts (IP fragments), which are counted and not put \
                 together"
                    .to_owned(),
                "what was said in them, and names in that",
            ),
            (
                "packets_not_ip",
                self.others,
                "these packets are neither IP nor ARP: something that only neighbours say to each \
                 other, or a wrapping that is not looked into"
                    .to_owned(),
                "what they carry, and between whom",
            ),
            (
                "tunnel_ends",
                self.tunnelled,
                format!(
                    "packets were in tunnels (GRE, IP in IP), the first of them between {}; they are \
                     shown as what was in them",
                    between.join(", ")
                ),
                "the tunnels themselves as connections",
            ),
        ];
        for (id, count, why, missed) in gaps {
            if count > 0 {
                out.seen.push(Imported::Gap(Gap {
                    count: Some(count),
                    ..Gap::standing(id, Source::Capture, why, missed)
                }));
            }
        }
    }
}

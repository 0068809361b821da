//! Networks that an address lies in. Blocks of addresses lie beside each other or within each other and
//! never half in one another; so the places where a block begins or ends, in order, each with the
//! innermost block that holds from there on, answer with one search.

use std::net::IpAddr;

use model::Network;

#[derive(Debug, Default)]
pub(super) struct Networks {
    v4: Family,
    v6: Family,
}

#[derive(Debug, Default)]
struct Family {
    /// First and last address, the entry, and the block around it: its place here.
    blocks: Vec<Block>,
    /// From which address on which block is the innermost.
    breaks: Vec<(u128, Option<u32>)>,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    first: u128,
    last: u128,
    entry: u32,
    around: Option<u32>,
}

impl Networks {
    pub(super) fn add(&mut self, network: Network, entry: u32) {
        self.family(network.first()).blocks.push(Block {
            first: number(network.first()),
            last: number(network.last()),
            entry,
            around: None,
        });
    }

    fn family(&mut self, address: IpAddr) -> &mut Family {
        match address {
            IpAddr::V4(_) => &mut self.v4,
            IpAddr::V6(_) => &mut self.v6,
        }
    }

    /// To be called when all are there.
    pub(super) fn sort(&mut self) {
        self.v4.sort();
        self.v6.sort();
    }

    /// The entries of the networks that it lies in, the narrowest first.
    pub(super) fn around(&self, address: IpAddr) -> impl Iterator<Item = u32> + '_ {
        let family = match address {
            IpAddr::V4(_) => &self.v4,
            IpAddr::V6(_) => &self.v6,
        };
        let innermost = family.innermost(number(address));
        let outwards = move |block: &&Block| family.block(block.around);
        std::iter::successors(family.block(innermost), outwards).map(|block| block.entry)
    }
}

impl Family {
    fn sort(&mut self) {
        // An outer block comes before those in it.
        self.blocks
            .sort_by_key(|block| (block.first, std::cmp::Reverse(block.last)));
        self.breaks.clear();
        let mut open: Vec<(u128, u32)> = Vec::new();
        for place in 0..self.blocks.len() {
            let (Some(block), Ok(number)) = (self.blocks.get(place).copied(), u32::try_from(place))
            else {
                return;
            };
            self.close(&mut open, Some(block.first));
            if let Some(block) = self.blocks.get_mut(place) {
                block.around = open.last().map(|(_, around)| *around);
            }
            self.begin(block.first, Some(number));
            open.push((block.last, number));
        }
        self.close(&mut open, None);
    }

    /// Ends the blocks that end before a place, or all.
    fn close(&mut self, open: &mut Vec<(u128, u32)>, before: Option<u128>) {
        while let Some((last, _)) = open.last().copied() {
            if before.is_some_and(|before| last >= before) {
                return;
            }
            open.pop();
            if let Some(next) = last.checked_add(1) {
                let around = open.last().map(|(_, around)| *around);
                self.begin(next, around);
            }
        }
    }

    fn begin(&mut self, at: u128, block: Option<u32>) {
        match self.breaks.last_mut() {
            Some(last) if last.0 == at => last.1 = block,
            _ => self.breaks.push((at, block)),
        }
    }

    fn innermost(&self, address: u128) -> Option<u32> {
        let at = self.breaks.partition_point(|(from, _)| *from <= address);
        self.breaks.get(at.checked_sub(1)?)?.1
    }

    fn block(&self, number: Option<u32>) -> Option<&Block> {
        self.blocks.get(usize::try_from(number?).ok()?)
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn check(networks: &[Network], addresses: &[IpAddr]) {
        let mut tree = Networks::default();
        for (network, entry) in networks.iter().zip(0..) {
            tree.add(*network, entry);
        }
        tree.sort();
        for address in addresses {
            let mut found: Vec<u32> = tree.around(*address).collect();
            found.sort_unstable();
            let holding = (0..).zip(networks).filter(|(_, it)| it.contains(*address));
            let expected: Vec<u32> = holding.map(|(entry, _)| entry).collect();
            assert_eq!(found, expected, "{address} of {networks:?}");
        }
    }

    proptest! {
        #[test]
        fn finds_what_a_scan_finds(
            v4 in vec((0_u32..64, 24_u8..=32), 0..20),
            v6 in vec((0_u128..64, 120_u8..=128), 0..10),
            wide in 0_u8..=32,
        ) {
            let ends = |number: u32| [number, u32::MAX - number];
            let mut networks = vec![Network::new(IpAddr::from([0, 0, 0, 0]), wide).unwrap()];
            for (number, prefix) in v4 {
                for number in ends(number * 3) {
                    let address = IpAddr::from(number.to_be_bytes());
                    networks.extend(Network::new(address, prefix));
                }
            }
            for (number, prefix) in v6 {
                networks.extend(Network::new(IpAddr::from(number.to_be_bytes()), prefix));
                let last = IpAddr::from((u128::MAX - number).to_be_bytes());
                networks.extend(Network::new(last, prefix));
            }
            let addresses: Vec<IpAddr> = (0..256_u32)
                .flat_map(ends)
                .map(|it| IpAddr::from(it.to_be_bytes()))
                .chain((0..80_u128).flat_map(|it| [it, u128::MAX - it]).map(|it| IpAddr::from(it.to_be_bytes())))
                .collect();
            check(&networks, &addresses);
        }
    }
}

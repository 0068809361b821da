//! One block of a ring of packets (`struct tpacket_block_desc`, include/uapi/linux/if_packet.h,
//! TPACKET_V3). A block goes in; what the kernel says of each packet comes out, with its bytes.
//! Every offset and length is taken from the block once, and has to lie within it.

use model::{LinkType, Way};

use super::attributes::{u16_at, u32_at};

/// Where `block_status` stands: the kernel and whoever reads give the block to each other by it.
pub(crate) const STATUS_AT: usize = 8;
/// TP_STATUS_USER in it: the kernel has closed the block and leaves it alone.
pub(crate) const CLOSED: u32 = 1;
/// TP_STATUS_KERNEL: it may be filled anew.
pub(crate) const GIVEN_BACK: u32 = 0;

const COUNT_AT: usize = 12;
const FIRST_AT: usize = 16;
/// Length of `struct tpacket3_hdr`; a `struct sockaddr_ll` of 20 bytes follows.
const HEADER: usize = 48;
const ADDRESS: usize = 20;
/// TP_STATUS_VLAN_VALID and TP_STATUS_VLAN_TPID_VALID.
const TAGGED: u32 = 1 << 4;
const TAG_KIND_KNOWN: u32 = 1 << 6;
/// ETH_P_8021Q
const USUAL_TAG: u16 = 0x8100;
/// Both addresses of an Ethernet header; a tag comes behind them.
const TAG_BEHIND: usize = 12;

/// include/uapi/linux/if_arp.h
const ARPHRD_ETHER: u16 = 1;
const ARPHRD_RAWIP: u16 = 519;
const ARPHRD_TUNNEL: u16 = 768;
const ARPHRD_TUNNEL6: u16 = 769;
pub(crate) const ARPHRD_LOOPBACK: u16 = 772;
const ARPHRD_SIT: u16 = 776;
const ARPHRD_IEEE80211: u16 = 801;
const ARPHRD_IEEE80211_PRISM: u16 = 802;
const ARPHRD_IEEE80211_RADIOTAP: u16 = 803;
const ARPHRD_NONE: u16 = 0xfffe;

/// What the bytes begin with that an interface of this kind (ARPHRD_...) gives.
pub(crate) fn link_type(kind: u16) -> LinkType {
    match kind {
        ARPHRD_ETHER | ARPHRD_LOOPBACK => LinkType::ETHERNET,
        ARPHRD_RAWIP | ARPHRD_TUNNEL | ARPHRD_TUNNEL6 | ARPHRD_SIT | ARPHRD_NONE => {
            LinkType::RAW_IP
        }
        ARPHRD_IEEE80211 => LinkType(105),
        ARPHRD_IEEE80211_PRISM => LinkType(119),
        ARPHRD_IEEE80211_RADIOTAP => LinkType(127),
        _ => LinkType::LINUX_SLL2,
    }
}

/// One packet of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) seconds: u32,
    pub(crate) nanos: u32,
    /// Before it was cut.
    pub(crate) length: u32,
    pub(crate) interface: u32,
    /// Of the interface: ARPHRD_...
    pub(crate) kind: u16,
    pub(crate) way: Way,
    /// Kind and value of the VLAN tag that was taken off.
    pub(crate) tag: Option<(u16, u16)>,
    /// From the link's header on.
    bytes: &'a [u8],
    /// How long that header is.
    header: usize,
    address: &'a [u8; ADDRESS],
}

impl<'a> Frame<'a> {
    pub(crate) fn link(&self) -> LinkType {
        link_type(self.kind)
    }

    /// As it passed the interface, and how long it was: with the tag that the kernel took off; of a
    /// link without a name, with the header of version 2 that Linux has for such. `room` holds
    /// what is not in the block in one piece.
    pub(crate) fn whole<'b>(&self, room: &'b mut Vec<u8>) -> (&'b [u8], u32)
    where
        'a: 'b,
    {
        let link = self.link();
        if link == LinkType::LINUX_SLL2 {
            room.clear();
            self.cooked(room);
            let header = u32::try_from(self.header).unwrap_or(u32::MAX);
            let added = u32::try_from(super::packet::SLL2).unwrap_or(0);
            let length = self.length.saturating_sub(header).saturating_add(added);
            return (room, length);
        }
        let split = self.bytes.split_at_checked(TAG_BEHIND);
        let (Some((kind, value)), LinkType::ETHERNET, Some((before, behind))) =
            (self.tag, link, split)
        else {
            return (self.bytes, self.length);
        };
        room.clear();
        for part in [before, &kind.to_be_bytes(), &value.to_be_bytes(), behind] {
            room.extend_from_slice(part);
        }
        (room, self.length.saturating_add(4))
    }

    /// `struct sll2_header` and what follows the header of the link.
    fn cooked(&self, room: &mut Vec<u8>) {
        let [_, _, high, low, .., way, length, a, b, c, d, e, f, g, h] = *self.address;
        room.extend([high, low, 0, 0]);
        room.extend(self.interface.to_be_bytes());
        room.extend(self.kind.to_be_bytes());
        room.extend([way, length, a, b, c, d, e, f, g, h]);
        room.extend_from_slice(self.bytes.get(self.header..).unwrap_or_default());
    }
}

/// What stands in the block is not what the kernel writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken;

/// The packets of a block, in their order. Ends after the first that is broken.
pub(crate) fn frames(block: &[u8]) -> impl Iterator<Item = Result<Frame<'_>, Broken>> {
    let mut left = u32_at(block, COUNT_AT).unwrap_or(0);
    let mut at = offset(block, FIRST_AT);
    std::iter::from_fn(move || {
        left = left.checked_sub(1)?;
        let frame = at.and_then(|at| Some((block.get(at..)?, at)));
        let found = frame.and_then(|(rest, here)| {
            let next = offset(rest, 0)?;
            // Each begins behind the header of the one before, so that there is an end.
            at = (next >= HEADER).then(|| here.checked_add(next)).flatten();
            read(rest)
        });
        if found.is_none() {
            left = 0;
        }
        Some(found.ok_or(Broken))
    })
}

fn read(rest: &[u8]) -> Option<Frame<'_>> {
    let address: &[u8; ADDRESS] = rest.get(HEADER..)?.first_chunk()?;
    let kept = offset(rest, 12)?;
    let status = u32_at(rest, 20)?;
    let link_at = usize::from(u16_at(rest, 24)?);
    let network_at = usize::from(u16_at(rest, 26)?);
    let bytes = rest.get(link_at..link_at.checked_add(kept)?)?;
    let way = match *address.get(10)? {
        0 => Way::In,
        1 => Way::Broadcast,
        2 => Way::Multicast,
        3 => Way::OtherHost,
        4 => Way::Out,
        _ => return None,
    };
    let kind_of_tag = if status & TAG_KIND_KNOWN == 0 {
        USUAL_TAG
    } else {
        u16_at(rest, 36)?
    };
    // The upper half of the field is unused.
    let tag = (status & TAGGED != 0).then_some((kind_of_tag, u16_at_low(rest, 32)?));
    Some(Frame {
        seconds: u32_at(rest, 4)?,
        nanos: u32_at(rest, 8)?,
        length: u32_at(rest, 16)?,
        interface: u32_at(address, 4)?,
        kind: u16_at(address, 8)?,
        way,
        tag,
        bytes,
        header: network_at.saturating_sub(link_at).min(bytes.len()),
        address,
    })
}

fn u16_at_low(bytes: &[u8], at: usize) -> Option<u16> {
    u16::try_from(u32_at(bytes, at)? & 0xffff).ok()
}

fn offset(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32_at(bytes, at)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A packet as the kernel writes it; `next` is where the one after it begins.
    fn written(next: u32, kind: u16, way: u8, tag: Option<u16>, bytes: &[u8]) -> Vec<u8> {
        let link_at = u16::try_from(HEADER + ADDRESS).unwrap();
        let length = u32::try_from(bytes.len()).unwrap();
        let status = if tag.is_some() { TAGGED | 1 } else { 1 };
        let mut frame = Vec::new();
        for number in [next, 5, 6, length, length + 100, status] {
            frame.extend(number.to_ne_bytes());
        }
        frame.extend(link_at.to_ne_bytes());
        frame.extend((link_at + 14).to_ne_bytes());
        frame.extend([0; 4]);
        frame.extend(u32::from(tag.unwrap_or(0)).to_ne_bytes());
        frame.resize(HEADER, 0);
        frame.extend([17, 0, 8, 0, 3, 0, 0, 0]);
        frame.extend(kind.to_ne_bytes());
        frame.extend([way, 6, 2, 0, 0, 0, 0, 1, 0, 0]);
        frame.extend(bytes);
        frame.resize(frame.len().max(usize::try_from(next).unwrap()), 0);
        frame
    }

    fn block(count: u32, frames: &[Vec<u8>]) -> Vec<u8> {
        let mut block = vec![0; COUNT_AT];
        block.extend(count.to_ne_bytes());
        block.extend(48_u32.to_ne_bytes());
        block.resize(48, 0);
        block.extend(frames.concat());
        block
    }

    fn bytes() -> Vec<u8> {
        (0..40).collect()
    }

    #[test]
    fn packets_come_in_their_order() {
        let both = [
            written(128, ARPHRD_ETHER, 4, None, &bytes()),
            written(0, ARPHRD_LOOPBACK, 0, None, b"x"),
        ];
        let block = block(2, &both);
        let found: Vec<_> = frames(&block).map(Result::unwrap).collect();
        let ways: Vec<_> = found.iter().map(|frame| frame.way).collect();
        assert_eq!(ways, [Way::Out, Way::In]);
        let first = found[0];
        assert_eq!((first.seconds, first.nanos, first.interface), (5, 6, 3));
        let mut room = Vec::new();
        assert_eq!(first.whole(&mut room), (&bytes()[..], 140));
        assert_eq!(first.link(), LinkType::ETHERNET);
    }

    #[test]
    fn a_tag_is_put_back() {
        let block = block(1, &[written(0, ARPHRD_ETHER, 0, Some(0x2007), &bytes())]);
        let frame = frames(&block).next().unwrap().unwrap();
        let mut room = Vec::new();
        let (whole, length) = frame.whole(&mut room);
        let (before, behind) = (&bytes()[..12], &bytes()[12..]);
        let expected = [before, &[0x81, 0, 0x20, 7], behind].concat();
        assert_eq!((whole, length), (&expected[..], 144));
    }

    #[test]
    fn an_unknown_link_gets_a_header_of_linux() {
        let block = block(1, &[written(0, 512, 4, None, &bytes())]);
        let frame = frames(&block).next().unwrap().unwrap();
        assert_eq!(frame.link(), LinkType::LINUX_SLL2);
        let mut room = Vec::new();
        let (whole, length) = frame.whole(&mut room);
        let header = [8, 0, 0, 0, 0, 0, 0, 3, 2, 0, 4, 6, 2, 0, 0, 0, 0, 1, 0, 0];
        let expected = [&header, &bytes()[14..]].concat();
        assert_eq!((whole, length), (&expected[..], 140 - 14 + 20));
    }

    #[test]
    fn what_leads_out_of_the_block_is_broken() {
        let good = written(128, ARPHRD_ETHER, 4, None, &bytes());
        let check = |at: usize, value: u32| {
            let mut frame = good.clone();
            frame[at..at + 4].copy_from_slice(&value.to_ne_bytes());
            let block = block(2, &[frame]);
            let found: Vec<_> = frames(&block).collect();
            assert_eq!(found.last(), Some(&Err(Broken)), "{at} {value}");
        };
        // The next one, how much is kept, and where it begins.
        check(0, u32::MAX);
        check(0, 0);
        check(12, 1_000);
        check(12, u32::MAX);
        check(24, u32::MAX);
        // More packets than there are.
        assert_eq!(frames(&block(9, &[])).last(), Some(Err(Broken)));
        assert_eq!(frames(&[]).count(), 0);
    }

    proptest! {
        #[test]
        fn never_panics(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..2_000),
            count in 0..50_u32,
            steps in proptest::collection::vec(0..200_u32, 50),
        ) {
            // Most numbers lead out at once.
            let mut place = |at: usize, value: u32| {
                if let Some(field) = bytes.get_mut(at..at + 4) {
                    field.copy_from_slice(&value.to_ne_bytes());
                }
            };
            place(COUNT_AT, count);
            place(FIRST_AT, 48);
            let mut at = 48;
            for step in steps {
                place(at, step);
                place(at + 12, step / 2);
                place(at + 24, 68 | 82 << 16);
                at += usize::try_from(step).unwrap().max(48);
            }
            let mut room = Vec::new();
            for frame in frames(&bytes).flatten() {
                let (whole, _) = frame.whole(&mut room);
                prop_assert!(whole.len() <= bytes.len() + super::super::packet::SLL2);
            }
            prop_assert!(frames(&bytes).count() <= bytes.len() / HEADER + 1);
        }
    }
}

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
        for part in [
            before,
            &kind.to_be_bytes(),
            &value.to_be_bytes(),
            behind,
        ] {
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

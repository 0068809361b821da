//! `/proc/PID/net/packet` (kernel: net/packet/af_packet.c, packet_seq_show): who reads packets; and the
//! tables that tell what an interface is called.

use model::Text;

use super::proc_pid::decimal;

/// One socket that reads packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PacketSocket {
    /// The EtherType that it wants. 3 (ETH_P_ALL): all of them.
    pub(crate) protocol: u16,
    /// The index of the interface. 0: all of them.
    pub(crate) interface: u32,
    /// It gets packets.
    pub(crate) runs: bool,
    pub(crate) inode: u64,
}

/// `None`: the heading, or not such a line.
pub(crate) fn packet_line(line: &[u8]) -> Option<PacketSocket> {
    let mut fields = words(line);
    // The address of the socket, how often it is used, its type.
    let protocol = std::str::from_utf8(fields.nth(3)?).ok()?;
    Some(PacketSocket {
        protocol: u16::from_str_radix(protocol, 16).ok()?,
        interface: decimal(fields.next()?)?,
        runs: fields.next()? != b"0",
        // Memory, user.
        inode: decimal(fields.nth(2)?)?,
    })
}

/// Index and name of an interface, as the lines of `/proc/PID/net/igmp` and `dev_mcast` begin (kernel:
/// net/ipv4/igmp.c, igmp_mc_seq_show; net/core/net-procfs.c, dev_mc_seq_show).
pub(crate) fn interface_line(line: &[u8]) -> Option<(u32, Text)> {
    let mut fields = words(line);
    let index = decimal(fields.next()?)?;
    Some((index, fields.next()?.into()))
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let words = line.split(u8::is_ascii_whitespace);
    words.filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_a_socket() {
        let line = b"000000007c8e9188 3      3    0003   4     1 0      0      81961 ";
        let expected = PacketSocket {
            protocol: 3,
            interface: 4,
            runs: true,
            inode: 81961,
        };
        assert_eq!(packet_line(line), Some(expected));
        let heading = b"sk       RefCnt Type Proto  Iface R Rmem   User   Inode";
        assert_eq!(packet_line(heading), None);
        assert_eq!(packet_line(b""), None);
    }

    #[test]
    fn reads_names() {
        let check = |line: &[u8], expected: Option<(u32, &str)>| {
            let found = interface_line(line);
            let found = found
                .as_ref()
                .map(|(index, name)| (*index, name.as_utf8().unwrap()));
            assert_eq!(found, expected);
        };
        check(b"4\teth0      :     1      V3", Some((4, "eth0")));
        check(b"\t\t\t\t010000E0     1 0:00000000\t\t0", None);
        check(
            b"4    eth0            1     0     333300000001",
            Some((4, "eth0")),
        );
        check(b"Idx\tDevice    : Count Querier", None);
    }

    proptest! {
        #[test]
        fn never_panics(line: Vec<u8>) {
            packet_line(&line);
            interface_line(&line);
        }
    }
}

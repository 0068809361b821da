//! The netlink sockets of a network namespace: `/proc/PID/net/netlink` (kernel:
//! net/netlink/af_netlink.c, netlink_native_seq_show).

/// How many messages the kernel dropped for want of room in the socket with this inode. `None`: it
/// is not in the table.
pub(crate) fn dropped(table: &[u8], inode: u64) -> Option<u64> {
    let table = str::from_utf8(table).ok()?;
    table.lines().find_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        // Address, family, number, groups, memory twice, dump, locks.
        let dropped = fields.nth(8)?.parse().ok()?;
        (fields.next()?.parse() == Ok(inode)).then_some(dropped)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Linux 6.18.
    const TABLE: &str = "\
sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
0000000083d79adc 0   0          00000000 0        0        0     2        0        4       
000000005a434065 11  3021       00000001 8448     0        0     2        317      20478   
";

    #[test]
    fn finds_the_socket() {
        assert_eq!(dropped(TABLE.as_bytes(), 4), Some(0));
        assert_eq!(dropped(TABLE.as_bytes(), 20478), Some(317));
        assert_eq!(dropped(TABLE.as_bytes(), 317), None);
        assert_eq!(dropped(b"", 0), None);
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>, inode: u64) {
            let _ = dropped(&bytes, inode);
        }
    }
}

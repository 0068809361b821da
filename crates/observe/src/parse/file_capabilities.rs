//! Capabilities that a file gives to whoever starts it: the extended attribute `security.capability`
//! (capabilities(7); kernel: struct vfs_cap_data, include/uapi/linux/capability.h).

/// The kernel's names by number (include/uapi/linux/capability.h), without `CAP_`.
const NAMES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// VFS_CAP_REVISION_MASK and the revisions: 1 has 32 capabilities, 2 and 3 have 64.
const REVISION: u32 = 0xff00_0000;
const REVISION_1: u32 = 0x0100_0000;
const REVISION_2: u32 = 0x0200_0000;
const REVISION_3: u32 = 0x0300_0000;

/// Which capabilities a program has when it begins, or may have if who starts it has them to give
/// (inheritable), one bit each. `None`: no such attribute.
pub(crate) fn capabilities(attribute: &[u8]) -> Option<u64> {
    let mut words = attribute.chunks_exact(4).map(|word| {
        let word = <[u8; 4]>::try_from(word);
        u32::from_le_bytes(word.unwrap_or_default())
    });
    let magic = words.next()?;
    let low = words.next()? | words.next()?;
    let high = match magic & REVISION {
        REVISION_1 => 0,
        REVISION_2 | REVISION_3 => words.next()? | words.next()?,
        _ => return None,
    };
    Some(u64::from(high) << 32 | u64::from(low))
}

/// Their names, as getcap(8) writes them; a number where there is none.
pub(crate) fn names(capabilities: u64) -> String {
    let all = (0..64_usize).filter(|number| capabilities >> number & 1 == 1);
    let names = all.map(|number| match NAMES.get(number) {
        Some(name) => format!("cap_{name}"),
        None => format!("{number}"),
    });
    names.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn as_setcap_writes_it() {
        // setcap cap_net_raw,cap_net_admin=ep
        let attribute = [
            1, 0, 0, 2, 0, 0x30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ];
        let found = capabilities(&attribute);
        assert_eq!(found.map(names), Some("cap_net_admin,cap_net_raw".into()));
        assert_eq!(capabilities(&attribute[..16]), None);
        let bpf = [
            1, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0x80, 1, 0, 0, 0,
        ];
        assert_eq!(capabilities(&bpf).map(names), Some("cap_bpf,63".into()));
        let old = [1, 0, 0, 1, 1, 0, 0, 0, 2, 0, 0, 0];
        assert_eq!(
            capabilities(&old).map(names),
            Some("cap_chown,cap_dac_override".into())
        );
        assert_eq!(capabilities(b""), None);
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = capabilities(&bytes).map(names);
        }
    }
}

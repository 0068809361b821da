//! Which computer this is, and where on it whocalls stands.

use std::fs;
use std::io;
use std::path::Path;

use model::{BootId, Host, Text};

/// Inode of the first PID namespace (PROC_PID_INIT_INO, include/linux/proc_ns.h).
const FIRST_PID_NAMESPACE: &str = "pid:[4026531836]";

pub(crate) fn host_name() -> Text {
    Text::from(rustix::system::uname().nodename().to_bytes().to_vec())
}

/// Name and boot of this computer.
///
/// Error: the boot cannot be told (no /proc).
pub(crate) fn host() -> io::Result<Host> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    let boot = BootId::parse(&boot).ok_or_else(|| io::Error::other("not a boot id"))?;
    Ok(Host {
        name: host_name(),
        boot,
    })
}

/// How far the time since boot that /proc shows to us is ahead of the kernel's own, in nanoseconds
/// (time_namespaces(7)); 0 but in a time namespace.
pub(crate) fn boot_time_shift() -> i64 {
    let offsets = fs::read_to_string("/proc/self/timens_offsets").unwrap_or_default();
    let shift = offsets.lines().find_map(|line| {
        let mut fields = line.strip_prefix("boottime")?.split_ascii_whitespace();
        let seconds: i64 = fields.next()?.parse().ok()?;
        let nanos: i64 = fields.next()?.parse().ok()?;
        seconds.checked_mul(1_000_000_000)?.checked_add(nanos)
    });
    shift.unwrap_or(0)
}

/// Whether there may be processes outside the PID namespace of whocalls.
pub(crate) fn in_nested_pid_namespace() -> bool {
    let link = fs::read_link("/proc/self/ns/pid");
    link.is_ok_and(|link| link != Path::new(FIRST_PID_NAMESPACE))
}

//! Whether this computer has a way to anywhere: a default route over an interface that is connected.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::parse::routes::{defaults_of_ipv4, defaults_of_ipv6};

/// Default routes stand in front; a router of the internet has a million others.
const MOST_BYTES: u64 = 1 << 18;

/// `None`: it cannot be asked.
pub(crate) fn is_online() -> Option<bool> {
    let ipv4 = table("/proc/net/route")?;
    let ipv6 = table("/proc/net/ipv6_route").unwrap_or_default();
    let ways = defaults_of_ipv4(&ipv4).chain(defaults_of_ipv6(&ipv6));
    let ways: Vec<Option<bool>> = ways.map(is_connected).collect();
    if ways.contains(&Some(true)) {
        Some(true)
    } else if ways.contains(&None) {
        None
    } else {
        Some(false)
    }
}

fn table(path: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let file = File::open(path).ok()?;
    file.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// A pulled cable leaves its routes behind. `None`: it cannot be asked.
fn is_connected(interface: &str) -> Option<bool> {
    let plain = Path::new(interface).components().count() == 1 && !interface.starts_with('.');
    let carrier = Path::new("/sys/class/net").join(interface).join("carrier");
    match std::fs::read(carrier).map(|text| text.first() != Some(&b'0')) {
        _ if !plain => None,
        Ok(connected) => Some(connected),
        // The interface is switched off (Documentation/ABI/testing/sysfs-class-net).
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::INVAL.raw_os_error()) => {
            Some(false)
        }
        Err(_) => None,
    }
}

//! Those who make systems, browsers and what protects them. Every computer with something of theirs calls
//! them at a steady pace, as steady as no malware does.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use model::{KnownAddress, NetworkKind};

/// A name that they registered, and a word of those who announce their networks. Empty: it lies with
/// others.
const MAKERS: [(&str, &str); 44] = [
    ("windows.com", "microsoft"),
    ("microsoft.com", "microsoft"),
    ("windowsupdate.com", "microsoft"),
    ("live.com", "microsoft"),
    ("office.com", "microsoft"),
    ("office365.com", "microsoft"),
    ("office.net", "microsoft"),
    ("msn.com", "microsoft"),
    ("skype.com", "microsoft"),
    ("bing.com", "microsoft"),
    ("msftconnecttest.com", "microsoft"),
    ("msftncsi.com", "microsoft"),
    ("microsoftonline.com", "microsoft"),
    ("apple.com", "apple"),
    ("icloud.com", "apple"),
    ("mzstatic.com", "apple"),
    ("google.com", "google"),
    ("gstatic.com", "google"),
    ("googleapis.com", "google"),
    ("gvt1.com", "google"),
    ("gvt2.com", "google"),
    ("android.com", "google"),
    ("mozilla.com", "mozilla"),
    ("mozilla.org", "mozilla"),
    ("mozilla.net", "mozilla"),
    ("firefox.com", "mozilla"),
    ("brave.com", ""),
    ("opera.com", "opera"),
    ("ubuntu.com", "canonical"),
    ("canonical.com", "canonical"),
    ("snapcraft.io", "canonical"),
    ("debian.org", ""),
    ("fedoraproject.org", "red hat"),
    ("redhat.com", "red hat"),
    ("opensuse.org", "suse"),
    ("archlinux.org", ""),
    ("gnome.org", ""),
    ("kde.org", ""),
    ("eset.com", "eset"),
    ("avast.com", "avast"),
    ("kaspersky.com", "kaspersky"),
    ("bitdefender.com", "bitdefender"),
    ("sophos.com", "sophos"),
    ("symantec.com", "symantec"),
];

/// Of those who run the machines of a cloud: in each of them, and nobody else can be there.
/// Azure: <https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16>; the others,
/// and where machines ask about themselves: AWS, Google Cloud, Azure, Oracle and Alibaba.
const PLATFORM: [IpAddr; 6] = [
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 123)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

pub(super) fn is_platform(ip: IpAddr) -> bool {
    PLATFORM.contains(&ip)
}

/// Whether the name is one of theirs, and the addresses are in their networks or in those that carry
/// pages for others.
pub(super) fn are(registrable: &str, known: &[Arc<KnownAddress>]) -> bool {
    let maker = MAKERS.iter().find(|(name, _)| *name == registrable);
    let Some((_, word)) = maker else {
        return false;
    };
    known.iter().all(|known| {
        let announced = known.facts.announced_by.as_ref();
        let by = announced.map(|it| it.organisation.lossy().to_ascii_lowercase());
        let theirs = by.is_some_and(|by| !word.is_empty() && by.contains(word));
        theirs || known.facts.kinds.contains(&NetworkKind::Cdn)
    })
}

//! Indicators: known addresses, names, hashes and files, and the lists that publish them.

use std::net::IpAddr;
use std::sync::Arc;

use crate::{Confidence, Timestamp};

/// One entry of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indicator {
    pub value: IndicatorValue,
    /// What it belongs to, in the words of the list: a malware, an app, a comment.
    pub about: Option<Arc<str>>,
    /// How sure its publisher is, or how much this kind of entry tells.
    pub confidence: Confidence,
    /// When it was published or last changed. `None`: the list does not say.
    pub published: Option<Timestamp>,
}

/// What is compared with what was seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IndicatorValue {
    Address(IpAddr),
    Network(Network),
    /// As it is on the wire: lower case, A-labels (RFC 5890, 2.3.2.1), no dot at the end.
    Name {
        name: String,
        /// Names below it are meant too.
        below: bool,
    },
    /// Whole, with its host as a name or an address in text.
    Url {
        url: String,
        host: String,
    },
    Hash(FileHash),
    ProcessName(String),
    /// A file, or a folder and all that is below it.
    Path(String),
    /// The last part of a path.
    FileName(String),
    /// Kept and counted, and not checked.
    Unchecked {
        kind: UncheckedKind,
        value: String,
    },
}

impl IndicatorValue {
    pub fn kind(&self) -> IndicatorKind {
        match self {
            Self::Address(_) => IndicatorKind::Address,
            Self::Network(_) => IndicatorKind::Network,
            Self::Name { .. } => IndicatorKind::Name,
            Self::Url { .. } => IndicatorKind::Url,
            Self::Hash(_) => IndicatorKind::Hash,
            Self::ProcessName(_) => IndicatorKind::ProcessName,
            Self::Path(_) => IndicatorKind::Path,
            Self::FileName(_) => IndicatorKind::FileName,
            Self::Unchecked { kind, .. } => IndicatorKind::Unchecked(*kind),
        }
    }
}

impl std::fmt::Display for IndicatorValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Network(network) => write!(f, "{network}"),
            Self::Hash(hash) => write!(f, "{hash}"),
            Self::Name { name: text, .. }
            | Self::Url { url: text, .. }
            | Self::ProcessName(text)
            | Self::Path(text)
            | Self::FileName(text)
            | Self::Unchecked { value: text, .. } => f.write_str(text),
        }
    }
}

/// What sort of value an indicator is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IndicatorKind {
    Address,
    Network,
    Name,
    Url,
    Hash,
    ProcessName,
    Path,
    FileName,
    Unchecked(UncheckedKind),
}

impl IndicatorKind {
    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Network => "network",
            Self::Name => "name",
            Self::Url => "url",
            Self::Hash => "hash",
            Self::ProcessName => "process_name",
            Self::Path => "path",
            Self::FileName => "file_name",
            Self::Unchecked(kind) => kind.word(),
        }
    }

    /// Whether anything that is seen here can be compared with it.
    pub fn is_checked(self) -> bool {
        !matches!(self, Self::Unchecked(_))
    }
}

/// Kinds that nothing seen on this computer can be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UncheckedKind {
    /// An app of a telephone.
    App,
    /// A certificate that an app is signed with, or that a server shows.
    Certificate,
    Email,
    /// A profile of settings of a telephone.
    Profile,
    /// A property of Android.
    Property,
    /// Part of a name or a value, anywhere in it: too blunt for a match.
    Part,
    /// Its publisher says that it is not for detection.
    NotForDetection,
    Other,
}

impl UncheckedKind {
    pub const ALL: [Self; 8] = [
        Self::App,
        Self::Certificate,
        Self::Email,
        Self::Profile,
        Self::Property,
        Self::Part,
        Self::NotForDetection,
        Self::Other,
    ];

    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Certificate => "certificate",
            Self::Email => "email",
            Self::Profile => "profile",
            Self::Property => "property",
            Self::Part => "part",
            Self::NotForDetection => "not_for_detection",
            Self::Other => "other",
        }
    }
}

/// A block of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    first: IpAddr,
    prefix: u8,
}

impl Network {
    /// Bits behind the prefix are cut off. `None`: more bits than the address has.
    pub fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        let first = match address {
            IpAddr::V4(address) => {
                let mask = mask(prefix.checked_add(96)?)?;
                let bits = u128::from(u32::from(address)) & mask;
                IpAddr::from(u32::try_from(bits).ok()?.to_be_bytes())
            }
            IpAddr::V6(address) => {
                IpAddr::from((u128::from(address) & mask(prefix)?).to_be_bytes())
            }
        };
        Some(Self { first, prefix })
    }

    pub fn first(self) -> IpAddr {
        self.first
    }

    pub fn last(self) -> IpAddr {
        match self.first {
            IpAddr::V4(first) => {
                let host = u32::MAX.checked_shr(self.prefix.into()).unwrap_or(0);
                IpAddr::from((u32::from(first) | host).to_be_bytes())
            }
            IpAddr::V6(first) => {
                let host = u128::MAX.checked_shr(self.prefix.into()).unwrap_or(0);
                IpAddr::from((u128::from(first) | host).to_be_bytes())
            }
        }
    }

    pub fn prefix(self) -> u8 {
        self.prefix
    }

    /// Whether it is a single address.
    pub fn is_single(self) -> bool {
        self.first == self.last()
    }

    pub fn contains(self, address: IpAddr) -> bool {
        self.first.is_ipv4() == address.is_ipv4() && (self.first..=self.last()).contains(&address)
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

/// `None`: more than 128 bits.
fn mask(prefix: u8) -> Option<u128> {
    let host = 128_u32.checked_sub(u32::from(prefix))?;
    Some(u128::MAX.checked_shl(host).unwrap_or(0))
}

/// A hash of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileHash {
    Md5([u8; 16]),
    Sha1([u8; 20]),
    Sha256([u8; 32]),
    Sha512([u8; 64]),
}

impl FileHash {
    /// Reads hexadecimal digits of either case; their number says which hash it is. `None`: it is
    /// none of these.
    pub fn parse(text: &str) -> Option<Self> {
        fn digits<const N: usize>(text: &str) -> Option<[u8; N]> {
            let mut bytes = [0; N];
            let (pairs, rest) = text.as_bytes().as_chunks::<2>();
            if pairs.len() != N || !rest.is_empty() {
                return None;
            }
            for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
                let digit = |digit: &u8| char::from(*digit).to_digit(16);
                *byte = u8::try_from(digit(high)? << 4 | digit(low)?).ok()?;
            }
            Some(bytes)
        }
        match text.len() {
            32 => digits(text).map(Self::Md5),
            40 => digits(text).map(Self::Sha1),
            64 => digits(text).map(Self::Sha256),
            128 => digits(text).map(Self::Sha512),
            _ => None,
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Md5(bytes) => bytes,
            Self::Sha1(bytes) => bytes,
            Self::Sha256(bytes) => bytes,
            Self::Sha512(bytes) => bytes,
        }
    }
}

impl std::fmt::Display for FileHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.bytes()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Indicators that were published together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndicatorList {
    pub name: String,
    /// Who published it. `None`: nobody said.
    pub publisher: Option<String>,
    pub licence: Option<String>,
    /// Where it is published.
    pub link: Option<String>,
    /// The newest time that it gives itself. `None`: it gives none.
    pub published: Option<Timestamp>,
    pub meaning: ListMeaning,
    /// What form it has: `STIX 2`, `MISP event`.
    pub format: &'static str,
    pub origin: ListOrigin,
    pub indicators: Vec<Indicator>,
    /// Entries that were not understood.
    pub skipped: u64,
}

impl IndicatorList {
    /// How many there are of each kind that it has, in the order of the kinds.
    pub fn counts(&self) -> Vec<(IndicatorKind, usize)> {
        let mut counts = std::collections::BTreeMap::new();
        for indicator in &self.indicators {
            *counts.entry(indicator.value.kind()).or_insert(0) += 1;
        }
        counts.into_iter().collect()
    }
}

/// Where a list comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListOrigin {
    /// It is in the program.
    Embedded,
    /// A person added it.
    Added {
        at: Timestamp,
        /// Name of the file as it was.
        file: String,
        /// SHA-256 of the file as it was, in hexadecimal digits.
        sha256: String,
    },
}

/// What it means to be on a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ListMeaning {
    /// Used for an attack or by spying software, says the publisher.
    KnownBad,
    /// No traffic should go there at all (Spamhaus DROP).
    Drop,
    Tor,
    Vpn,
    Hosting,
    DynamicDns,
    /// Taken over from attackers by those who fight them.
    Sinkhole,
    /// Tells whoever asks which address they come from.
    AddressEcho,
    /// Anybody may publish there under a name of the platform.
    SharedPlatform,
    /// Usual, or often wrongly on other lists.
    Ordinary,
}

impl ListMeaning {
    pub const ALL: [Self; 10] = [
        Self::KnownBad,
        Self::Drop,
        Self::Tor,
        Self::Vpn,
        Self::Hosting,
        Self::DynamicDns,
        Self::Sinkhole,
        Self::AddressEcho,
        Self::SharedPlatform,
        Self::Ordinary,
    ];

    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::KnownBad => "known_bad",
            Self::Drop => "drop",
            Self::Tor => "tor",
            Self::Vpn => "vpn",
            Self::Hosting => "hosting",
            Self::DynamicDns => "dynamic_dns",
            Self::Sinkhole => "sinkhole",
            Self::AddressEcho => "address_echo",
            Self::SharedPlatform => "shared_platform",
            Self::Ordinary => "ordinary",
        }
    }
}

/// How something that was seen fits an indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchedBy {
    Address,
    /// It lies in the network.
    InNetwork,
    /// The very name.
    Name,
    /// The name lies in the domain that somebody registered.
    RegisteredDomain,
    /// The name lies below the one that is listed.
    NameBelow,
    Url,
    /// Only the host of the URL; which page was asked for is not known.
    UrlHost,
    Hash,
    ProcessName,
    Path,
    /// The file lies in the folder.
    PathBelow,
    FileName,
}

impl MatchedBy {
    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::InNetwork => "in_network",
            Self::Name => "name",
            Self::RegisteredDomain => "registered_domain",
            Self::NameBelow => "name_below",
            Self::Url => "url",
            Self::UrlHost => "url_host",
            Self::Hash => "hash",
            Self::ProcessName => "process_name",
            Self::Path => "path",
            Self::PathBelow => "path_below",
            Self::FileName => "file_name",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(network: &str, first: &str, last: &str) {
        let (address, prefix) = network.split_once('/').expect("a slash");
        let network = Network::new(address.parse().unwrap(), prefix.parse().unwrap()).unwrap();
        assert_eq!(network.first().to_string(), first);
        assert_eq!(network.last().to_string(), last);
        assert!(network.contains(network.first()) && network.contains(network.last()));
    }

    #[test]
    fn a_network_goes_from_its_first_to_its_last_address() {
        check("192.0.2.77/24", "192.0.2.0", "192.0.2.255");
        check("192.0.2.77/32", "192.0.2.77", "192.0.2.77");
        check("192.0.2.77/0", "0.0.0.0", "255.255.255.255");
        check(
            "2001:db8::7/32",
            "2001:db8::",
            "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
        );
        check("2001:db8::7/128", "2001:db8::7", "2001:db8::7");
        check("::1/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
        assert_eq!(Network::new(IpAddr::from([192, 0, 2, 1]), 33), None);
        assert_eq!(Network::new(IpAddr::from([0; 16]), 129), None);
        assert_eq!(Network::new(IpAddr::from([192, 0, 2, 1]), 255), None);
    }

    #[test]
    fn families_do_not_mix() {
        let all = Network::new(IpAddr::from([0; 16]), 0).unwrap();
        assert!(!all.contains(IpAddr::from([192, 0, 2, 1])));
    }

    proptest! {
        #[test]
        fn a_hash_reads_back(bytes: [u8; 32], upper: bool) {
            let hash = FileHash::Sha256(bytes);
            let text = if upper { hash.to_string().to_uppercase() } else { hash.to_string() };
            prop_assert_eq!(FileHash::parse(&text), Some(hash));
        }

        #[test]
        fn parsing_a_hash_never_panics(text in ".{0,130}") {
            FileHash::parse(&text);
        }
    }
}

//! What is known of an address without asking anybody.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::{OnlineSource, Text, Timestamp};

/// What is known of an address. The tables never tell who holds it: blocks are passed on, and only a
/// registry can be asked for the holder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressFacts {
    /// Who announces the block to the internet: often a carrier, and not who uses the address.
    /// `None`: nobody is known to.
    pub announced_by: Option<Announcer>,
    /// Where the large block was allocated. `None`: not known, or it would mislead, since the
    /// address is in many places at once or stands for computers elsewhere.
    pub block_country: Option<Country>,
    /// What the addresses around it are for, each once; empty when no list has it.
    pub kinds: Vec<NetworkKind>,
    /// `None`: an address like any other.
    pub special: Option<SpecialUse>,
    /// `None`: no registry was asked, or none tells.
    pub holder: Option<RegisteredHolder>,
}

/// Whose a registry says that an address is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredHolder {
    /// Of the organisation; where the registry names none, that of the network.
    pub name: Text,
    /// Two letters, as the registry has them.
    pub country: Option<Text>,
    pub source: OnlineSource,
    pub asked: Timestamp,
}

/// The IPv4 address that a translator (NAT64) calls for this one, where it has the prefix that all
/// know (RFC 6052, 2.1). `None`: it stands for itself.
pub fn translated(ip: IpAddr) -> Option<IpAddr> {
    const PREFIX: [u16; 6] = [0x64, 0xff9b, 0, 0, 0, 0];
    let IpAddr::V6(ip) = ip else {
        return None;
    };
    let low = u32::try_from(ip.to_bits() & u128::from(u32::MAX)).ok()?;
    ip.segments()
        .starts_with(&PREFIX)
        .then(|| IpAddr::from(low.to_be_bytes()))
}

/// An autonomous system: a network that announces addresses to the others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Announcer {
    pub asn: u32,
    /// As its registry or the list calls it; empty when it does not.
    pub organisation: Text,
}

/// The code of a country (ISO 3166-1), or of a region that a registry writes in its place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// `None`: not two letters.
    pub fn new(code: [u8; 2]) -> Option<Self> {
        let letters = code.iter().all(u8::is_ascii_alphabetic);
        letters.then(|| Self(code.map(|it| it.to_ascii_uppercase())))
    }

    pub fn code(self) -> [u8; 2] {
        self.0
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = self.0.map(char::from);
        write!(f, "{first}{second}")
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A range that a standard sets apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpecialUse {
    pub name: &'static str,
    /// Where it is written: `RFC 1918`.
    pub defined_in: &'static str,
    /// Whether packets with it may cross the internet.
    pub is_global: bool,
}

/// What a network, a name or a file is for, in the words of the public contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NetworkKind {
    Cloud,
    Cdn,
    Hosting,
    Vpn,
    Relay,
    Tor,
    Anycast,
    PublicResolver,
    Sinkhole,
    DynamicDns,
    AddressEcho,
    SharedPlatform,
    UrlShortener,
    LinkPage,
    Service,
    Gateway,
    Scanner,
    Mail,
    Parking,
    CertificateStatus,
    CaptivePortal,
    BlockPage,
    KnownFile,
}

impl NetworkKind {
    pub const ALL: [Self; 23] = [
        Self::Cloud,
        Self::Cdn,
        Self::Hosting,
        Self::Vpn,
        Self::Relay,
        Self::Tor,
        Self::Anycast,
        Self::PublicResolver,
        Self::Sinkhole,
        Self::DynamicDns,
        Self::AddressEcho,
        Self::SharedPlatform,
        Self::UrlShortener,
        Self::LinkPage,
        Self::Service,
        Self::Gateway,
        Self::Scanner,
        Self::Mail,
        Self::Parking,
        Self::CertificateStatus,
        Self::CaptivePortal,
        Self::BlockPage,
        Self::KnownFile,
    ];

    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Cloud => "cloud",
            Self::Cdn => "cdn",
            Self::Hosting => "hosting",
            Self::Vpn => "vpn",
            Self::Relay => "relay",
            Self::Tor => "tor",
            Self::Anycast => "anycast",
            Self::PublicResolver => "public_resolver",
            Self::Sinkhole => "sinkhole",
            Self::DynamicDns => "dynamic_dns",
            Self::AddressEcho => "address_echo",
            Self::SharedPlatform => "shared_platform",
            Self::UrlShortener => "url_shortener",
            Self::LinkPage => "link_page",
            Self::Service => "service",
            Self::Gateway => "gateway",
            Self::Scanner => "scanner",
            Self::Mail => "mail",
            Self::Parking => "parking",
            Self::CertificateStatus => "certificate_status",
            Self::CaptivePortal => "captive_portal",
            Self::BlockPage => "block_page",
            Self::KnownFile => "known_file",
        }
    }

    /// Whether an address of this kind is in many places at once, or stands for computers
    /// elsewhere: then the country of its block says nothing.
    pub fn hides_country(self) -> bool {
        matches!(self, Self::Cdn | Self::Relay | Self::Tor | Self::Anycast)
    }

    /// Whether others than the network's owner use addresses of this kind.
    pub fn is_used_by_others(self) -> bool {
        matches!(
            self,
            Self::Cloud | Self::Cdn | Self::Hosting | Self::Vpn | Self::Relay | Self::Tor
        )
    }
}

impl fmt::Display for NetworkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Who knows addresses. A verb that shows connections asks it, without knowing who answers.
pub trait KnowsAddresses: Send + Sync {
    fn address(&self, ip: IpAddr) -> AddressFacts;
}

/// What can be asked of addresses, handed on with a snapshot. The default knows of none.
#[derive(Clone, Default)]
pub struct Addresses(Option<Arc<dyn KnowsAddresses>>);

impl Addresses {
    pub fn known_by(source: Arc<dyn KnowsAddresses>) -> Self {
        Self(Some(source))
    }

    /// `None`: nobody was asked.
    pub fn of(&self, ip: IpAddr) -> Option<AddressFacts> {
        self.0.as_ref().map(|source| source.address(ip))
    }

    /// Whether anything can be asked.
    pub fn is_known(&self) -> bool {
        self.0.is_some()
    }
}

impl fmt::Debug for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Addresses(known: {})", self.is_known())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_two_letters() {
        assert_eq!(Country::new(*b"us").unwrap().to_string(), "US");
        assert_eq!(Country::new(*b"U1"), None);
    }

    #[test]
    fn a_translator_is_known_by_its_prefix() {
        let check = |ip: &str, expected: Option<&str>| {
            let translated = translated(ip.parse().unwrap()).map(|it| it.to_string());
            assert_eq!(translated.as_deref(), expected, "{ip}");
        };
        check("64:ff9b::c000:221", Some("192.0.2.33"));
        check("64:ff9b:0:0:0:1:c000:221", None);
        check("64:ff9b:1::c000:221", None);
        check("192.0.2.33", None);
        check("::ffff:192.0.2.33", None);
    }

    #[test]
    fn each_kind_has_a_word_of_its_own() {
        let words: std::collections::BTreeSet<_> =
            NetworkKind::ALL.iter().map(|it| it.word()).collect();
        assert_eq!(words.len(), NetworkKind::ALL.len());
    }
}

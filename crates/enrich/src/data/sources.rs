//! What the tables are made of: each file, who publishes it, on what terms, and what it means that
//! something stands in it.
//!
//! Left out on purpose: Tor exits (the only list at hand is years old), MISP's list of VPNs for IPv4
//! (it mixes them with hosting, which other lists tell apart) and GitHub's ranges (they hold whole
//! parts of Microsoft's cloud).

use model::NetworkKind;
use model::NetworkKind::{
    AddressEcho, BlockPage, CaptivePortal, Cdn, CertificateStatus, Cloud, DynamicDns, Gateway,
    Hosting, KnownFile, LinkPage, Mail, Parking, PublicResolver, Relay, Scanner, Service,
    SharedPlatform, Sinkhole, UrlShortener, Vpn,
};

/// A file that is read.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Its path in the folder; it may have `.zst` behind it.
    pub file: &'static str,
    pub(super) title: &'static str,
    pub(super) publisher: Publisher,
    /// Whose network it is; empty when it is of many.
    pub(super) provider: &'static str,
    pub(super) form: Form,
    /// When the file with this hash (the first 16 digits of its SHA-256) was made. Files that say it
    /// themselves need none.
    pub(super) known: Option<(&'static str, &'static str)>,
}

/// How it is written, and what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `first,last,number,organisation`.
    Announcers,
    /// `network,country`.
    Countries,
    /// A network or an address on each line.
    Networks(NetworkKind),
    /// A warning list of MISP: networks, names, or hashes.
    MispNetworks(NetworkKind),
    MispNames(NetworkKind),
    MispHashes(NetworkKind),
    /// The public suffix list.
    Suffixes,
}

impl Form {
    pub(super) fn kind(self) -> Option<NetworkKind> {
        match self {
            Self::Networks(kind)
            | Self::MispNetworks(kind)
            | Self::MispNames(kind)
            | Self::MispHashes(kind) => Some(kind),
            Self::Announcers | Self::Countries | Self::Suffixes => None,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Publisher {
    pub(super) name: &'static str,
    pub(super) licence: &'static str,
    /// What the licence asks to be said.
    pub(super) credit: &'static str,
}

const IP_LOCATION_DB: Publisher = Publisher {
    name: "ip-location-db (sapics)",
    licence: "CC-BY-4.0",
    credit: "IP to ASN by DB-IP (https://db-ip.com), RouteViews (https://www.routeviews.org) and \
             the Number Resource Organization (https://www.nro.net), merged by ip-location-db; \
             changed here: ranges joined, packed",
};
const IPVERSE: Publisher = Publisher {
    name: "ipverse",
    licence: "CC0-1.0",
    credit: "",
};
const IPRANGES: Publisher = Publisher {
    name: "lord-alfred/ipranges",
    licence: "CC0-1.0",
    credit: "",
};
const X4BNET: Publisher = Publisher {
    name: "X4BNet/lists_vpn",
    licence: "MIT",
    credit: "Copyright (c) X4B, lists_vpn (https://github.com/X4BNet/lists_vpn)",
};
const MISP: Publisher = Publisher {
    name: "MISP warning lists",
    licence: "CC0-1.0",
    credit: "",
};
const MOZILLA: Publisher = Publisher {
    name: "Mozilla Foundation, publicsuffix.org",
    licence: "MPL-2.0",
    credit: "Public Suffix List (https://publicsuffix.org/list/public_suffix_list.dat), where its \
             source is",
};

/// All files that are read, in the order in which they stand in the tables.
pub fn wanted() -> impl Iterator<Item = Wanted> {
    let told = TABLES.iter().copied();
    let ranges = RANGES.iter().map(|(file, provider, kind, hash)| Wanted {
        file,
        title: "networks as their provider publishes them",
        publisher: IPRANGES,
        provider,
        form: Form::Networks(*kind),
        known: Some(("2026-08-22", hash)),
    });
    let lists = LISTS.iter().map(|(file, title, provider, form)| Wanted {
        file,
        title,
        publisher: MISP,
        provider,
        form: *form,
        known: None,
    });
    told.chain(ranges).chain(lists)
}

const TABLES: [Wanted; 6] = [
    Wanted {
        file: "offline/asn-ipv4.csv",
        title: "who announces IPv4 addresses",
        publisher: IP_LOCATION_DB,
        provider: "",
        form: Form::Announcers,
        known: Some(("2026-06-17", "76afd7f575bc22d3")),
    },
    Wanted {
        file: "offline/asn-ipv6.csv",
        title: "who announces IPv6 addresses",
        publisher: IP_LOCATION_DB,
        provider: "",
        form: Form::Announcers,
        known: Some(("2026-06-17", "c91289d4d5dba149")),
    },
    Wanted {
        file: "offline/ipverse-country.csv",
        title: "country that a large block was allocated to",
        publisher: IPVERSE,
        provider: "",
        form: Form::Countries,
        known: Some(("2026-02-01", "d9033cb429416cf4")),
    },
    Wanted {
        file: "psl/public_suffix_list.dat",
        title: "public suffixes",
        publisher: MOZILLA,
        provider: "",
        form: Form::Suffixes,
        known: Some(("2026-08-19", "df6306ec61971424")),
    },
    Wanted {
        file: "ip-lists/datacenter-ipv4.txt",
        title: "networks of data centres, by who announces them: wide",
        publisher: X4BNET,
        provider: "",
        form: Form::Networks(Hosting),
        known: Some(("2026-08-22", "3d24d6e3c0b0aece")),
    },
    Wanted {
        file: "ip-lists/vpn-ipv4.txt",
        title: "exits of VPN providers",
        publisher: X4BNET,
        provider: "",
        form: Form::Networks(Vpn),
        known: Some(("2026-08-22", "d9c11123704770e3")),
    },
];

/// File, provider, kind, hash.
#[rustfmt::skip]
const RANGES: [(&str, &str, NetworkKind, &str); 16] = [
    ("ip-lists/ranges-amazon-ipv4_merged.txt", "Amazon Web Services", Cloud, "e35b5562f9a93dd3"),
    ("ip-lists/ranges-amazon-ipv6_merged.txt", "Amazon Web Services", Cloud, "e546fb09e637b1ec"),
    ("ip-lists/ranges-apple-proxy-ipv4_merged.txt", "Apple iCloud Private Relay", Relay, "53a14ca0a8ca0a0d"),
    ("ip-lists/ranges-cloudflare-ipv4_merged.txt", "Cloudflare", Cdn, "db746a8739a51088"),
    ("ip-lists/ranges-cloudflare-ipv6_merged.txt", "Cloudflare", Cdn, "b5a4d2ace280530e"),
    ("ip-lists/ranges-digitalocean-ipv4_merged.txt", "DigitalOcean", Cloud, "8f428a9a53910761"),
    ("ip-lists/ranges-facebook-ipv4_merged.txt", "Meta", Service, "f81e353a19d2507f"),
    ("ip-lists/ranges-google-ipv4_merged.txt", "Google", Service, "ebd52a9c91009f46"),
    ("ip-lists/ranges-google-ipv6_merged.txt", "Google", Service, "1ce4e0505f309c4c"),
    ("ip-lists/ranges-linode-ipv4_merged.txt", "Akamai Linode", Cloud, "b0743f76c5109443"),
    ("ip-lists/ranges-microsoft-ipv4_merged.txt", "Microsoft", Cloud, "9246d5265fdf419d"),
    ("ip-lists/ranges-microsoft-ipv6_merged.txt", "Microsoft", Cloud, "979aa15b0df495d5"),
    ("ip-lists/ranges-oracle-ipv4_merged.txt", "Oracle Cloud", Cloud, "c8683c34e54e482e"),
    ("ip-lists/ranges-protonvpn-ipv4_merged.txt", "Proton VPN", Vpn, "69f310342818e39f"),
    ("ip-lists/ranges-telegram-ipv4_merged.txt", "Telegram", Service, "987cbb8341b797cc"),
    ("ip-lists/ranges-vultr-ipv4_merged.txt", "Vultr", Cloud, "1d3d50e8b1b3aceb"),
];

/// File, title, provider, form.
#[rustfmt::skip]
const LISTS: [(&str, &str, &str, Form); 45] = [
    ("misp-warninglists/akamai.json", "networks of Akamai", "Akamai", Form::MispNetworks(Cdn)),
    ("misp-warninglists/bunny-net.json", "servers of Bunny.net", "Bunny.net", Form::MispNetworks(Cdn)),
    ("misp-warninglists/cloudflare.json", "networks of Cloudflare", "Cloudflare", Form::MispNetworks(Cdn)),
    ("misp-warninglists/fastly.json", "networks of Fastly", "Fastly", Form::MispNetworks(Cdn)),
    ("misp-warninglists/stackpath.json", "networks of StackPath", "StackPath", Form::MispNetworks(Cdn)),
    ("misp-warninglists/amazon-aws.json", "networks of AWS", "Amazon Web Services", Form::MispNetworks(Cloud)),
    ("misp-warninglists/google-gcp.json", "networks of Google Cloud", "Google Cloud", Form::MispNetworks(Cloud)),
    ("misp-warninglists/microsoft-azure.json", "networks of Azure", "Microsoft Azure", Form::MispNetworks(Cloud)),
    ("misp-warninglists/microsoft-azure-china.json", "networks of Azure in China", "Microsoft Azure China (21Vianet)", Form::MispNetworks(Cloud)),
    ("misp-warninglists/microsoft-azure-us-gov.json", "networks of Azure for the US government", "Microsoft Azure US Government", Form::MispNetworks(Cloud)),
    ("misp-warninglists/oracle-oci.json", "networks of Oracle Cloud", "Oracle Cloud", Form::MispNetworks(Cloud)),
    ("misp-warninglists/ovh-cluster.json", "shared web hosting of OVH", "OVHcloud", Form::MispNetworks(Hosting)),
    ("misp-warninglists/vpn-ipv6.json", "VPN providers and data centres, IPv6", "", Form::MispNetworks(Hosting)),
    ("misp-warninglists/icloud-private-relay.json", "exits of iCloud Private Relay", "Apple iCloud Private Relay", Form::MispNetworks(Relay)),
    ("misp-warninglists/zscaler.json", "web gateways of Zscaler", "Zscaler", Form::MispNetworks(Gateway)),
    ("misp-warninglists/public-dns-v4.json", "resolvers open to everybody", "", Form::MispNetworks(PublicResolver)),
    ("misp-warninglists/public-dns-v6.json", "resolvers open to everybody", "", Form::MispNetworks(PublicResolver)),
    ("misp-warninglists/sinkholes.json", "sinkholes: servers of researchers in place of seized ones", "", Form::MispNetworks(Sinkhole)),
    ("misp-warninglists/parking-domain.json", "pages of names that are not in use", "", Form::MispNetworks(Parking)),
    ("misp-warninglists/apple.json", "networks of Apple", "Apple", Form::MispNetworks(Service)),
    ("misp-warninglists/microsoft-office365-ip.json", "Microsoft 365", "Microsoft", Form::MispNetworks(Service)),
    ("misp-warninglists/microsoft-office365-cn.json", "Microsoft 365 in China", "Microsoft (21Vianet)", Form::MispNetworks(Service)),
    ("misp-warninglists/telegram-ips.json", "networks of Telegram", "Telegram", Form::MispNetworks(Service)),
    ("misp-warninglists/wikimedia.json", "networks of Wikimedia", "Wikimedia", Form::MispNetworks(Service)),
    ("misp-warninglists/google-gmail-sending-ips.json", "senders of Gmail", "Google", Form::MispNetworks(Mail)),
    ("misp-warninglists/smtp-receiving-ips.json", "receivers of mail", "", Form::MispNetworks(Mail)),
    ("misp-warninglists/crl-ip.json", "lists of revoked certificates", "", Form::MispNetworks(CertificateStatus)),
    ("misp-warninglists/umbrella-blockpage-v4.json", "pages of Cisco Umbrella in place of blocked ones", "Cisco Umbrella", Form::MispNetworks(BlockPage)),
    ("misp-warninglists/umbrella-blockpage-v6.json", "pages of Cisco Umbrella in place of blocked ones", "Cisco Umbrella", Form::MispNetworks(BlockPage)),
    ("misp-warninglists/shadowserver.json", "scanners of Shadowserver", "Shadowserver", Form::MispNetworks(Scanner)),
    ("misp-warninglists/shodan-scanning.json", "scanners of Shodan", "Shodan", Form::MispNetworks(Scanner)),
    ("misp-warninglists/tenable-cloud-ipv4.json", "scanners of Tenable", "Tenable", Form::MispNetworks(Scanner)),
    ("misp-warninglists/tenable-cloud-ipv6.json", "scanners of Tenable", "Tenable", Form::MispNetworks(Scanner)),
    ("misp-warninglists/dynamic-dns.json", "dynamic DNS: whoever has the name moves it as often as wanted", "", Form::MispNames(DynamicDns)),
    ("misp-warninglists/findip-host.json", "services that tell a computer its own address", "", Form::MispNames(AddressEcho)),
    ("misp-warninglists/whats-my-ip.json", "services that tell a computer its own address", "", Form::MispNames(AddressEcho)),
    ("misp-warninglists/lots-project.json", "trusted sites that are used to control malware (LOTS)", "", Form::MispNames(SharedPlatform)),
    ("misp-warninglists/url-shortener.json", "short links", "", Form::MispNames(UrlShortener)),
    ("misp-warninglists/link-in-bio.json", "pages of links", "", Form::MispNames(LinkPage)),
    ("misp-warninglists/captive-portals.json", "checks for a login page of the network", "", Form::MispNames(CaptivePortal)),
    ("misp-warninglists/crl-hostname.json", "lists of revoked certificates", "", Form::MispNames(CertificateStatus)),
    ("misp-warninglists/umbrella-blockpage-hostname.json", "pages of Cisco Umbrella in place of blocked ones", "Cisco Umbrella", Form::MispNames(BlockPage)),
    ("misp-warninglists/eicar.com.json", "the EICAR test file, harmless", "", Form::MispHashes(KnownFile)),
    ("misp-warninglists/empty-hashes.json", "an empty file", "", Form::MispHashes(KnownFile)),
    ("misp-warninglists/common-ioc-false-positive.json", "a harmless file often reported by mistake", "", Form::MispHashes(KnownFile)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_is_there_once() {
        let files: Vec<_> = wanted().map(|it| it.file).collect();
        let once: std::collections::BTreeSet<_> = files.iter().collect();
        assert_eq!(files.len(), once.len());
    }
}

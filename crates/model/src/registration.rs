//! What a registry says of a network, an autonomous system or a name.

use std::net::IpAddr;

use crate::{Network, Text};

/// Registration data, whichever way it came. Texts are as the registry has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registration {
    /// First and last address (`NetRange`, `inetnum`).
    pub range: Option<(IpAddr, IpAddr)>,
    /// The same as networks (`CIDR`).
    pub networks: Vec<Network>,
    /// First and last number.
    pub autonomous_systems: Option<(u32, u32)>,
    /// `NetName`, `netname`, `ASName`, or the name of a domain.
    pub name: Option<Text>,
    pub handle: Option<Text>,
    /// The network that it is a part of, by name or handle.
    pub parent: Option<Text>,
    /// `NetType`, `status` of RPSL, `type` of RDAP.
    pub kind: Option<Text>,
    /// Autonomous systems that may announce it (`OriginAS`).
    pub origins: Vec<u32>,
    /// Whose it is.
    pub organisation: Option<Organisation>,
    /// Two letters in upper case. Of the network; that of its holder may differ.
    pub country: Option<Text>,
    /// Days or times, as the registry writes them.
    pub registered: Option<Text>,
    pub changed: Option<Text>,
    pub expires: Option<Text>,
    /// Who sold a name.
    pub registrar: Option<Text>,
    /// Where abuse is to be reported.
    pub abuse: Vec<Text>,
    pub statuses: Vec<Text>,
    pub name_servers: Vec<Text>,
    /// Comments and descriptions.
    pub remarks: Vec<Text>,
    /// The page of the registry about it (`Ref`, a link to itself).
    pub link: Option<Text>,
    /// The registry that says so: `ARIN`, `RIPE`, a host.
    pub registry: Option<Text>,
    /// Whether the registry says that it has left something out.
    pub is_redacted: bool,
}

/// A holder. People are not among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Organisation {
    pub name: Option<Text>,
    pub handle: Option<Text>,
    /// Lines of the postal address, as they are written.
    pub address: Vec<Text>,
    pub city: Option<Text>,
    /// Two letters in upper case where the registry has them so.
    pub country: Option<Text>,
    pub registered: Option<Text>,
    pub changed: Option<Text>,
    pub link: Option<Text>,
}

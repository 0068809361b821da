//! How a computer is set up: what a case keeps beside sockets and processes.

use std::net::IpAddr;
use std::time::Duration;

use crate::{Gap, NetworkNamespace, Text, Timestamp};

/// The computer and its network settings at one moment, in one network namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct System {
    pub taken: Timestamp,
    pub netns: Option<NetworkNamespace>,
    pub clock: Clock,
    /// Name and release, `Linux 6.18.1`.
    pub kernel: Option<Text>,
    /// The processor, as the kernel calls it: `x86_64`.
    pub architecture: Option<Text>,
    /// `Debian GNU/Linux 13 (trixie)`.
    pub os: Option<Text>,
    /// Maker and model.
    pub hardware: Option<Text>,
    pub interfaces: Vec<SystemInterface>,
    pub routes: Vec<Route>,
    /// Which table of routes is asked for what, the first that fits first.
    pub rules: Vec<RouteRule>,
    pub neighbours: Vec<Neighbour>,
    pub resolver: ResolverFiles,
    pub firewall: Firewall,
    /// Lines of the environment of all users that name a proxy: `https_proxy=http://...`.
    pub proxies: Vec<Text>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// The clocks of a computer at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    /// The wall clock.
    pub now: Timestamp,
    /// When it started, by the wall clock.
    pub boot_time: Timestamp,
    /// Since then.
    pub up: Duration,
    /// The same without sleep.
    pub awake: Duration,
    /// `Europe/Berlin`.
    pub zone: Option<Text>,
    /// How far local time is ahead of UTC, in seconds.
    pub offset_seconds: Option<i32>,
    /// Whether the kernel is told that a time service (NTP) steers the clock.
    pub is_synchronized: Option<bool>,
    /// How far off the time service says that the clock may be.
    pub error: Option<Duration>,
}

/// A network interface, as it is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemInterface {
    pub index: u32,
    pub name: Text,
    /// `veth`, `wireguard`, `bridge` ... `None`: hardware, or not told.
    pub kind: Option<Text>,
    /// As in `sockaddr_ll` (include/uapi/linux/if_arp.h): 1 is Ethernet, 772 loopback.
    pub hardware_type: u16,
    pub is_up: bool,
    /// Whether something is at the other end.
    pub is_connected: bool,
    /// Whether it hands on what is not meant for it: a program listens to all packets.
    pub is_promiscuous: bool,
    pub mtu: Option<u32>,
    /// Its hardware address (MAC). Empty: it has none.
    pub hardware_address: Vec<u8>,
    /// The one it was made with, where that is told. It may have been changed since.
    pub permanent_address: Option<Vec<u8>>,
    /// The bridge or bond that it is part of.
    pub master: Option<u32>,
    pub addresses: Vec<InterfaceAddress>,
}

/// An address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InterfaceAddress {
    pub address: IpAddr,
    pub prefix: u8,
    /// The other end of a point-to-point interface.
    pub peer: Option<IpAddr>,
    pub broadcast: Option<IpAddr>,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub table: u32,
    /// include/uapi/linux/rtnetlink.h, `RTN_`: `unicast`, `local`, `blackhole` ... `None`: a number
    /// that we have no name for.
    pub kind: Option<&'static str>,
    /// Where it leads to; all bits 0: everywhere.
    pub destination: IpAddr,
    pub prefix: u8,
    /// Only for what comes from there.
    pub source: Option<(IpAddr, u8)>,
    /// The own address that is used.
    pub preferred: Option<IpAddr>,
    /// The lower, the sooner it is taken.
    pub metric: Option<u32>,
    /// Who made it (`RTPROT_`): 2 is the kernel, 3 the start of the computer, 4 a person, 16 DHCP.
    pub made_by: u8,
    /// More than one: they take turns.
    pub ways: Vec<RouteWay>,
}

/// How a route leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteWay {
    pub gateway: Option<IpAddr>,
    pub interface: Option<u32>,
}

/// Which table of routes is asked for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteRule {
    pub is_ipv6: bool,
    pub priority: u32,
    pub source: Option<(IpAddr, u8)>,
    pub destination: Option<(IpAddr, u8)>,
    pub incoming: Option<Text>,
    pub outgoing: Option<Text>,
    /// Value and mask.
    pub mark: Option<(u32, u32)>,
    /// First and last user.
    pub users: Option<(u32, u32)>,
    /// `FR_ACT_` (include/uapi/linux/fib_rules.h): 1 asks the table, 6 to 8 refuse.
    pub action: u8,
    pub table: u32,
}

/// An address on the local network that this computer has to do with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    pub interface: u32,
    pub address: IpAddr,
    /// Its hardware address (MAC). Empty: not known.
    pub hardware_address: Vec<u8>,
    /// `reachable`, `stale`, `failed`, `permanent` ... `None`: none.
    pub state: Option<&'static str>,
}

/// Where names are looked up. `None`: there is no such file, or it could not be read, which is a
/// gap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResolverFiles {
    /// `/etc/resolv.conf`.
    pub resolv_conf: Option<Text>,
    /// Where that file really is; a local service answers then.
    pub resolv_conf_link: Option<Text>,
    /// The line for hosts of `/etc/nsswitch.conf`.
    pub nsswitch_hosts: Option<Text>,
    /// `/etc/hosts`.
    pub hosts: Option<Text>,
}

/// What the kernel lets through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Firewall {
    /// Of nftables.
    pub chains: Vec<FirewallChain>,
    /// The tables of iptables that are in use, `filter`, `nat`, and `ip6 filter`. Their rules are not read.
    pub iptables: Vec<Text>,
}

/// A chain of nftables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirewallChain {
    /// `ip`, `ip6`, `inet`, `arp`, `bridge`, `netdev`. `None`: another.
    pub family: Option<&'static str>,
    pub table: Text,
    pub name: Text,
    /// `None`: it is only jumped to.
    pub hook: Option<FirewallHook>,
    /// What each rule is made of, in order: `payload`, `cmp`, `counter`, `immediate` ...
    pub rules: Vec<Vec<Text>>,
}

/// Where a chain is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirewallHook {
    /// `filter`, `nat`, `route`.
    pub kind: Option<Text>,
    /// `NF_INET_` (include/uapi/linux/netfilter.h): 0 is prerouting, 1 input, 2 forward, 3 output, 4
    /// postrouting.
    pub number: u32,
    pub priority: i32,
    /// Whether what no rule is for goes on. `None`: not told.
    pub accepts: Option<bool>,
}

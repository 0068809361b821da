//! How this computer is set up: what the kernel tells of its network over netlink, and a few files.

mod clock;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use model::{
    Firewall, FirewallChain, Gap, Neighbour, NetworkNamespace, ResolverFiles, Route, RouteRule,
    Source, System, SystemInterface, Text,
};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::netlink;

use super::netlink::{Dump, Netlink};
use crate::parse::network_settings as rtnetlink;
use crate::parse::{firewall as nftables, settings};

pub(crate) use self::clock::clock;

/// A router of the internet has more routes.
const MOST_ENTRIES: usize = 65_536;
/// A table that changes while it is read is read so often.
const TRIES: usize = 3;
const MOST_FILE_BYTES: u64 = 256 * 1024;

pub(crate) fn system() -> System {
    let clock = clock();
    let kernel = rustix::system::uname();
    let mut asked = Asked::default();
    let resolver = asked.resolver();
    let environment = asked.file("/etc/environment", "the proxies of all users");
    let os = ["/etc/os-release", "/usr/lib/os-release"]
        .into_iter()
        .find_map(|path| settings::pretty_name(&asked.file(path, "what the system is called")?));
    System {
        taken: clock.now,
        netns: own_namespace(),
        clock,
        kernel: Some(words([
            kernel.sysname().to_bytes(),
            kernel.release().to_bytes(),
        ])),
        architecture: Some(kernel.machine().to_bytes().into()),
        os,
        hardware: asked.hardware(),
        interfaces: asked.interfaces(),
        routes: asked.routes(),
        rules: asked.rules(),
        neighbours: asked.neighbours(),
        resolver,
        firewall: asked.firewall(),
        proxies: environment.map_or_else(Vec::new, |file| settings::proxies(&file).collect()),
        gaps: asked.gaps,
    }
}

fn own_namespace() -> Option<NetworkNamespace> {
    let seen = rustix::fs::stat("/proc/thread-self/ns/net").ok()?;
    u32::try_from(seen.st_ino).ok().map(NetworkNamespace)
}

/// What has been asked for, and what could not be told.
#[derive(Default)]
struct Asked {
    gaps: Vec<Gap>,
}

impl Asked {
    fn interfaces(&mut self) -> Vec<SystemInterface> {
        const WHAT: &str = "interfaces";
        let question = &rtnetlink::LINKS_QUESTION;
        let kind = rtnetlink::RTM_GETLINK;
        let mut interfaces = self.table(WHAT, kind, question, rtnetlink::interface);
        let question = &rtnetlink::ADDRESSES_QUESTION;
        let kind = rtnetlink::RTM_GETADDR;
        let addresses = self.table("addresses", kind, question, rtnetlink::interface_address);
        let places = interfaces.iter().enumerate();
        let places: HashMap<u32, usize> = places.map(|(at, it)| (it.index, at)).collect();
        for (index, address) in addresses {
            let interface = places.get(&index).and_then(|at| interfaces.get_mut(*at));
            if let Some(interface) = interface {
                interface.addresses.push(address);
            }
        }
        interfaces
    }

    fn routes(&mut self) -> Vec<Route> {
        let question = &rtnetlink::ROUTES_QUESTION;
        let kind = rtnetlink::RTM_GETROUTE;
        self.table("routes", kind, question, rtnetlink::route)
    }

    fn rules(&mut self) -> Vec<RouteRule> {
        let question = &rtnetlink::RULES_QUESTION;
        let kind = rtnetlink::RTM_GETRULE;
        self.table("rules", kind, question, rtnetlink::rule)
    }

    fn neighbours(&mut self) -> Vec<Neighbour> {
        let question = &rtnetlink::NEIGHBOURS_QUESTION;
        let kind = rtnetlink::RTM_GETNEIGH;
        self.table("neighbours", kind, question, rtnetlink::neighbour)
    }

    fn table<T>(
        &mut self,
        what: &str,
        kind: u16,
        question: &[u8],
        entry: impl Fn(&[u8]) -> Option<T>,
    ) -> Vec<T> {
        let read = Netlink::open_route().and_then(|mut it| table(&mut it, kind, question, entry));
        self.entries(what, read)
    }

    fn entries<T>(&mut self, what: &str, read: io::Result<Table<T>>) -> Vec<T> {
        let mut missed = |why: String| self.gaps.push(not_read(what, why));
        let table = match read {
            Ok(table) => table,
            Err(error) => {
                missed(cause(&error));
                return Vec::new();
            }
        };
        if table.restless {
            missed("they changed each time while they were read".to_owned());
        }
        if table.left_out > 0 {
            missed(format!(
                "there are more than {MOST_ENTRIES}, by {}",
                table.left_out
            ));
        }
        table.entries
    }

    fn firewall(&mut self) -> Firewall {
        Firewall {
            chains: self.chains(),
            iptables: self.iptables(),
        }
    }

    fn chains(&mut self) -> Vec<FirewallChain> {
        const WHAT: &str = "the firewall (nftables)";
        match has_nftables() {
            Some(true) => {}
            Some(false) => return Vec::new(),
            None => {
                let why = "to ask could load a module of the kernel, and whocalls changes nothing";
                self.gaps.push(not_read(WHAT, why.to_owned()));
                return Vec::new();
            }
        }
        let read = |kind, netlink: &mut Netlink| {
            table(netlink, kind, &nftables::QUESTION, nftables::chain)
        };
        let opened = Netlink::open(netlink::NETFILTER);
        let read = opened.and_then(|mut netlink| {
            let chains = read(nftables::CHAINS_KIND, &mut netlink)?;
            let question = &nftables::QUESTION;
            let rules = table(&mut netlink, nftables::RULES_KIND, question, nftables::rule)?;
            Ok((chains, rules))
        });
        let (chains, rules) = match read {
            Ok((chains, rules)) => (
                self.entries(WHAT, Ok(chains)),
                self.entries(WHAT, Ok(rules)),
            ),
            // This kernel was built without.
            Err(error) if is_absent(&error) => return Vec::new(),
            Err(error) => {
                self.gaps.push(not_read(WHAT, cause(&error)));
                return Vec::new();
            }
        };
        let key = |family: u8, table: &Text, name: &Text| (family, table.clone(), name.clone());
        let places: HashMap<_, _> = chains
            .iter()
            .enumerate()
            .map(|(at, (family, chain))| (key(*family, &chain.table, &chain.name), at))
            .collect();
        let mut chains: Vec<_> = chains.into_iter().map(|(_, chain)| chain).collect();
        for rule in rules {
            let at = places.get(&key(rule.family, &rule.table, &rule.chain));
            if let Some(chain) = at.and_then(|at| chains.get_mut(*at)) {
                chain.rules.push(rule.parts);
            }
        }
        chains
    }

    /// The tables that are in use. Their rules would have to be asked for over a raw socket, which
    /// would load the module that answers.
    fn iptables(&mut self) -> Vec<Text> {
        const WHAT: &str = "rules of the firewall (iptables)";
        let mut tables = Vec::new();
        for (path, before) in [
            ("/proc/thread-self/net/ip_tables_names", ""),
            ("/proc/thread-self/net/ip6_tables_names", "ip6 "),
        ] {
            match read(path) {
                Ok(names) => {
                    let names = String::from_utf8_lossy(&names).into_owned();
                    let names = names
                        .lines()
                        .map(|name| Text::from(format!("{before}{name}")));
                    tables.extend(names);
                }
                Err(Errno::NOENT) => {}
                Err(errno) => self.gaps.push(not_read(WHAT, cause(&errno.into()))),
            }
        }
        if !tables.is_empty() {
            let why = "whocalls reads the names of tables only; `iptables-save` shows their rules";
            self.gaps.push(not_read(WHAT, why.to_owned()));
        }
        tables
    }

    fn resolver(&mut self) -> ResolverFiles {
        let mut text = |path, what: &str| self.file(path, what).map(Text::from);
        let resolv_conf = text("/etc/resolv.conf", "which name servers are asked");
        let hosts = text("/etc/hosts", "names that are looked up in a file");
        let nsswitch = text("/etc/nsswitch.conf", "where names are looked up");
        ResolverFiles {
            resolv_conf,
            resolv_conf_link: link("/etc/resolv.conf"),
            nsswitch_hosts: nsswitch.and_then(|file| settings::hosts_line(file.bytes())),
            hosts,
        }
    }

    fn hardware(&mut self) -> Option<Text> {
        const WHAT: &str = "maker and model of the computer";
        let of_firmware = ["sys_vendor", "product_name"].map(|name| {
            let file = self.file(&format!("/sys/class/dmi/id/{name}"), WHAT);
            file.unwrap_or_default()
        });
        let told = words(of_firmware.each_ref().map(|text| text.trim_ascii()));
        if !told.is_empty() {
            return Some(told);
        }
        // Computers without such firmware have a device tree; its texts end in NUL.
        let model = self.file("/proc/device-tree/model", WHAT)?;
        let model = model.split(|byte| *byte == 0).next().unwrap_or_default();
        (!model.is_empty()).then(|| model.into())
    }

    /// `None`: there is none, or it could not be read, which is noted.
    fn file(&mut self, path: &str, what: &str) -> Option<Vec<u8>> {
        match read(path) {
            Ok(file) => Some(file),
            Err(Errno::NOENT | Errno::NOTDIR) => None,
            Err(errno) => {
                let why = format!("{path} cannot be read: {errno}");
                self.gaps.push(not_read(what, why));
                None
            }
        }
    }
}

fn not_read(what: &str, why: String) -> Gap {
    Gap::standing("setting_not_read", Source::Proc, why, what)
}

/// Both, with a blank between.
fn words<const COUNT: usize>(words: [&[u8]; COUNT]) -> Text {
    let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.join(&b' ').into()
}

/// Where a symbolic link leads. `None`: it is none.
fn link(path: &str) -> Option<Text> {
    let target = Path::new(path).read_link().ok()?;
    Some(target.into_os_string().into_vec().into())
}

/// What is longer is cut off.
fn read(path: &str) -> Result<Vec<u8>, Errno> {
    // NONBLOCK: a FIFO in this place must not stop us.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let mut bytes = Vec::new();
    let read = file.take(MOST_FILE_BYTES).read_to_end(&mut bytes);
    read.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    Ok(bytes)
}

/// Whether there is nftables, which a question would load where it is a module. `None`: that
/// cannot be told.
fn has_nftables() -> Option<bool> {
    let can_load = Path::new("/proc/modules").exists();
    if Path::new("/sys/module/nf_tables").exists() || !can_load {
        return Some(true);
    }
    let release = rustix::system::uname();
    let release = release.release().to_string_lossy().into_owned();
    let built_in = read(&format!("/lib/modules/{release}/modules.builtin")).ok()?;
    let mut lines = built_in.split(|byte| *byte == b'\n');
    Some(lines.any(|line| line.ends_with(b"/nf_tables.ko")))
}

struct Table<T> {
    entries: Vec<T>,
    left_out: usize,
    restless: bool,
}

fn table<T>(
    netlink: &mut Netlink,
    kind: u16,
    question: &[u8],
    entry: impl Fn(&[u8]) -> Option<T>,
) -> io::Result<Table<T>> {
    let mut table = Table {
        entries: Vec::new(),
        left_out: 0,
        restless: true,
    };
    for _ in 0..TRIES {
        table.entries.clear();
        table.left_out = 0;
        let dump = netlink.dump(kind, question, |_, body| match entry(body) {
            Some(read) if table.entries.len() < MOST_ENTRIES => table.entries.push(read),
            Some(_) => table.left_out += 1,
            None => {}
        })?;
        if dump == Dump::Consistent {
            table.restless = false;
            break;
        }
    }
    Ok(table)
}

/// Whether the kernel says that it has no such thing.
fn is_absent(error: &io::Error) -> bool {
    let absent = [
        Errno::NOENT,
        Errno::PROTONOSUPPORT,
        Errno::AFNOSUPPORT,
        Errno::OPNOTSUPP,
        Errno::INVAL,
    ];
    Errno::from_io_error(error).is_some_and(|errno| absent.contains(&errno))
}

fn cause(error: &io::Error) -> String {
    match Errno::from_io_error(error) {
        Some(Errno::PERM | Errno::ACCESS) => "no right to read it; root has it".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;
    use std::process::Command;
    use std::thread;

    use model::{FirewallHook, InterfaceAddress, RouteWay};
    use rustix::thread::{UnshareFlags, unshare_unsafe};

    /// A network namespace of a thread, which is gone with it. `None`: not here.
    fn in_a_namespace<T: Send + 'static>(script: &'static str, work: fn() -> T) -> Option<T> {
        let thread = thread::spawn(move || {
            #[expect(unsafe_code, reason = "rustix has no other")]
            // SAFETY: only the network namespace of this thread, to which no memory belongs.
            unsafe { unshare_unsafe(UnshareFlags::NEWNET) }.ok()?;
            let set_up = Command::new("sh").args(["-ec", script]).status();
            set_up.is_ok_and(|status| status.success()).then(work)
        });
        thread.join().unwrap()
    }

    #[test]
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    fn a_network_is_told_as_it_was_set_up() {
        const SCRIPT: &str = "
            PATH=$PATH:/usr/sbin:/sbin
            ip link add near address 02:00:00:00:00:01 mtu 1400 type veth peer name far
            ip addr add 192.0.2.1/24 broadcast 192.0.2.255 dev near
            ip link set near up promisc on
            ip link set far up
            ip neigh add 192.0.2.7 lladdr 02:00:00:00:00:07 dev near
            ip route add default via 192.0.2.2 metric 7
            ip route add 198.51.100.0/24 table 1000 nexthop via 192.0.2.3 nexthop via 192.0.2.4
            ip rule add fwmark 5/0xff iif near table 1000 priority 50
            nft add table inet mine
            nft add chain inet mine in '{ type filter hook input priority -10; policy drop; }'
            nft add rule inet mine in tcp dport 22 counter accept";
        let Some(system) = in_a_namespace(SCRIPT, system) else {
            eprintln!("skipped: a_network_is_told_as_it_was_set_up: it needs root, `ip` and `nft`");
            return;
        };
        let near = system.interfaces.iter().find(|it| it.name == "near".into());
        let near = near.unwrap();
        assert_eq!((&near.kind, near.mtu), (&Some("veth".into()), Some(1400)));
        assert!(near.is_up && near.is_connected && near.is_promiscuous);
        assert_eq!(near.hardware_address, [2, 0, 0, 0, 0, 1]);
        let address = InterfaceAddress {
            address: [192, 0, 2, 1].into(),
            prefix: 24,
            peer: None,
            broadcast: Some([192, 0, 2, 255].into()),
        };
        assert!(near.addresses.contains(&address), "{near:?}");
        let neighbour = &system.neighbours[0];
        assert_eq!(neighbour.address, IpAddr::from([192, 0, 2, 7]));
        assert_eq!(neighbour.hardware_address, [2, 0, 0, 0, 0, 7]);
        assert_eq!(neighbour.state, Some("permanent"));
        let way = |last| RouteWay {
            gateway: Some([192, 0, 2, last].into()),
            interface: Some(near.index),
        };
        let default = system.routes.iter().find(|it| it.metric == Some(7));
        let default = default.unwrap();
        assert_eq!((default.prefix, default.table), (0, 254));
        assert_eq!(default.ways, [way(2)]);
        let other = system.routes.iter().find(|it| it.table == 1000).unwrap();
        assert_eq!(other.destination, IpAddr::from([198, 51, 100, 0]));
        assert_eq!((other.prefix, &other.ways[..]), (24, &[way(3), way(4)][..]));
        let rule = system.rules.iter().find(|it| it.priority == 50).unwrap();
        assert_eq!((rule.mark, rule.table), (Some((5, 0xff)), 1000));
        assert_eq!(rule.incoming, Some("near".into()));
        let [chain] = &system.firewall.chains[..] else {
            panic!("{:?}, {:?}", system.firewall, system.gaps);
        };
        assert_eq!(chain.family, Some("inet"));
        assert_eq!((&chain.table, &chain.name), (&"mine".into(), &"in".into()));
        let hook = FirewallHook {
            kind: Some("filter".into()),
            number: 1,
            priority: -10,
            accepts: Some(false),
        };
        assert_eq!(chain.hook, Some(hook));
        assert_eq!(chain.rules.len(), 1);
        for part in ["payload", "cmp", "counter", "immediate"] {
            assert!(chain.rules[0].contains(&part.into()), "{:?}", chain.rules);
        }
    }

    #[test]
    fn this_computer_is_set_up_somehow() {
        let system = system();
        let loopback = system.interfaces.iter().find(|it| it.name == "lo".into());
        let loopback = loopback.unwrap();
        assert_eq!(loopback.hardware_type, 772);
        if loopback.is_up {
            let address = std::net::IpAddr::from([127, 0, 0, 1]);
            assert!(loopback.addresses.iter().any(|it| it.address == address));
            // The table of own addresses leads there.
            let is_local = |route: &&Route| route.kind == Some("local");
            let ways = system.routes.iter().filter(is_local);
            let mut ways = ways.flat_map(|route| &route.ways);
            assert!(ways.any(|way| way.interface == Some(loopback.index)));
        }
        // These three are in every network namespace (net/ipv4/fib_rules.c).
        let tables: Vec<_> = system.rules.iter().filter(|it| !it.is_ipv6).collect();
        for (priority, table) in [(0, 255), (32_766, 254), (32_767, 253)] {
            let found = tables.iter().find(|it| it.table == table);
            assert_eq!(found.unwrap().priority, priority);
        }
        assert!(system.kernel.unwrap().lossy().starts_with("Linux "));
        assert!(system.resolver.hosts.is_some());
        assert_eq!(system.taken, system.clock.now);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let mut asked = Asked::default();
        assert_eq!(asked.file("/nowhere/at/all", "nothing"), None);
        assert_eq!(asked.file("/etc/passwd/x", "nothing"), None);
        assert!(asked.gaps.is_empty());
        assert_eq!(asked.file("/etc", "a folder"), None);
        let gap = &asked.gaps[0];
        assert_eq!(
            (gap.id.as_str(), gap.missed.as_str()),
            ("setting_not_read", "a folder")
        );
        assert!(gap.why.starts_with("/etc cannot be read"), "{}", gap.why);
    }

    #[test]
    fn more_than_a_table_holds_is_counted() {
        let mut asked = Asked::default();
        let table = Table {
            entries: vec![1, 2],
            left_out: 3,
            restless: true,
        };
        assert_eq!(asked.entries("routes", Ok(table)), [1, 2]);
        assert_eq!(asked.gaps.len(), 2);
        let refused = Err::<Table<u8>, _>(Errno::PERM.into());
        assert!(asked.entries("routes", refused).is_empty());
        assert!(
            asked.gaps[2].why.contains("root has it"),
            "{:?}",
            asked.gaps
        );
    }
}

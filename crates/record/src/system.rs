//! How a computer is set up, as one JSON document: `snapshots/first-system.json` and
//! `last-system.json`. An absent fact is `null`.

use model::{
    Clock, Firewall, FirewallChain, Gap, InterfaceAddress, Neighbour, ResolverFiles, Route,
    RouteRule, RouteWay, System, SystemInterface, Text,
};
use serde_json::{Value, json};

use crate::lines;

/// The document, with a line end.
pub fn document(system: &System) -> Vec<u8> {
    let all = json!({
        "schema": "whocalls/1",
        "taken": system.taken.to_string(),
        "netns": system.netns.map(|netns| netns.0),
        "clock": clock(&system.clock),
        "kernel": optional(system.kernel.as_ref()),
        "architecture": optional(system.architecture.as_ref()),
        "os": optional(system.os.as_ref()),
        "hardware": optional(system.hardware.as_ref()),
        "interfaces": list(&system.interfaces, interface),
        "routes": list(&system.routes, route),
        "rules": list(&system.rules, rule),
        "neighbours": list(&system.neighbours, neighbour),
        "resolver": resolver(&system.resolver),
        "firewall": firewall(&system.firewall),
        "proxies": list(&system.proxies, text),
        "gaps": list(&system.gaps, gap),
    });
    lines::document(&all)
}

fn list<T>(all: &[T], one: impl Fn(&T) -> Value) -> Value {
    all.iter().map(one).collect()
}

fn text(text: &Text) -> Value {
    json!(text.lossy())
}

fn optional(value: Option<&Text>) -> Value {
    value.map_or(Value::Null, text)
}

/// `00:16:3e:01:02:03`; `null` where there is none.
fn hardware_address(bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    let parts: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    json!(parts.join(":"))
}

fn network(ip: std::net::IpAddr, prefix: u8) -> Value {
    json!(format!("{ip}/{prefix}"))
}

fn optional_network(network_of: Option<(std::net::IpAddr, u8)>) -> Value {
    network_of.map_or(Value::Null, |(ip, prefix)| network(ip, prefix))
}

fn nanos(duration: std::time::Duration) -> Value {
    json!(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}

fn clock(clock: &Clock) -> Value {
    json!({
        "now": clock.now.to_string(),
        "boot_time": clock.boot_time.to_string(),
        "up_ns": nanos(clock.up),
        "awake_ns": nanos(clock.awake),
        "zone": optional(clock.zone.as_ref()),
        "offset_seconds": clock.offset_seconds,
        "synchronized": clock.is_synchronized,
        "error_ns": clock.error.map(nanos),
    })
}

fn interface(interface: &SystemInterface) -> Value {
    json!({
        "index": interface.index,
        "name": text(&interface.name),
        "kind": optional(interface.kind.as_ref()),
        "hardware_type": interface.hardware_type,
        "up": interface.is_up,
        "connected": interface.is_connected,
        "promiscuous": interface.is_promiscuous,
        "mtu": interface.mtu,
        "hardware_address": hardware_address(&interface.hardware_address),
        "permanent_address": interface
            .permanent_address
            .as_deref()
            .map_or(Value::Null, hardware_address),
        "master": interface.master,
        "addresses": list(&interface.addresses, address),
    })
}

fn address(address: &InterfaceAddress) -> Value {
    json!({
        "address": network(address.address, address.prefix),
        "peer": address.peer,
        "broadcast": address.broadcast,
    })
}

fn route(route: &Route) -> Value {
    json!({
        "table": route.table,
        "kind": route.kind,
        "destination": network(route.destination, route.prefix),
        "source": optional_network(route.source),
        "preferred": route.preferred,
        "metric": route.metric,
        "made_by": route.made_by,
        "ways": list(&route.ways, way),
    })
}

fn way(way: &RouteWay) -> Value {
    json!({ "gateway": way.gateway, "interface": way.interface })
}

fn rule(rule: &RouteRule) -> Value {
    json!({
        "family": if rule.is_ipv6 { "ipv6" } else { "ipv4" },
        "priority": rule.priority,
        "source": optional_network(rule.source),
        "destination": optional_network(rule.destination),
        "incoming": optional(rule.incoming.as_ref()),
        "outgoing": optional(rule.outgoing.as_ref()),
        "mark": rule.mark.map(|(value, mask)| json!({ "value": value, "mask": mask })),
        "users": rule.users.map(|(first, last)| json!({ "first": first, "last": last })),
        "action": rule.action,
        "table": rule.table,
    })
}

fn neighbour(neighbour: &Neighbour) -> Value {
    json!({
        "interface": neighbour.interface,
        "address": neighbour.address,
        "hardware_address": hardware_address(&neighbour.hardware_address),
        "state": neighbour.state,
    })
}

fn resolver(files: &ResolverFiles) -> Value {
    json!({
        "resolv_conf": optional(files.resolv_conf.as_ref()),
        "resolv_conf_link": optional(files.resolv_conf_link.as_ref()),
        "nsswitch_hosts": optional(files.nsswitch_hosts.as_ref()),
        "hosts": optional(files.hosts.as_ref()),
    })
}

fn firewall(firewall: &Firewall) -> Value {
    json!({
        "chains": list(&firewall.chains, chain),
        "iptables": list(&firewall.iptables, text),
    })
}

fn chain(chain: &FirewallChain) -> Value {
    let hook = chain.hook.as_ref().map(|hook| {
        json!({
            "kind": optional(hook.kind.as_ref()),
            "number": hook.number,
            "priority": hook.priority,
            "accepts": hook.accepts,
        })
    });
    json!({
        "family": chain.family,
        "table": text(&chain.table),
        "name": text(&chain.name),
        "hook": hook,
        "rules": list(&chain.rules, |rule| list(rule, text)),
    })
}

fn gap(gap: &Gap) -> Value {
    json!({
        "id": gap.id,
        "source": gap.source.word(),
        "why": gap.why,
        "missed": gap.missed,
        "since": gap.since.map(|time| time.to_string()),
        "until": gap.until.map(|time| time.to_string()),
        "count": gap.count,
    })
}

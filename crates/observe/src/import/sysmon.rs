//! What Sysmon wrote into the event log of Windows: as EVTX, and as JSON of the tools that forward
//! it. Connections (event 3) with their process, processes (1, 5), and names that were looked up (22);
//! besides, connections that the firewall let through (event 5156 of the security log).
//! (Sysinternals, "Sysmon: Events"; Microsoft, "5156(S)".)
//!
//! A process is known by its ProcessGuid, in which its start stands, and not by its pid alone. The
//! host names in event 3 come from reverse look-ups: they are not taken.

mod binary_xml;
mod chunk;
mod events;
mod evtx;
mod json;
mod processes;
mod record;

use super::format::Kind;

pub(super) const EVTX: Kind = Kind {
    name: "Windows event log",
    recognises: |head| head.starts_with(chunk::FILE),
    open: || Box::<evtx::Evtx>::default(),
};

/// Objects that are events of Windows, of whatever number.
pub(super) const JSON: Kind = Kind {
    name: "Windows events as JSON",
    recognises: json::recognises,
    open: || Box::<json::Lines>::default(),
};

#[cfg(test)]
mod tests;

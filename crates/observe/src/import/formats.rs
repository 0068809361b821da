//! All kinds of files that can be imported, each in a file of its own.

use super::format::Kind;
use super::{capture, lsof, netstat, saved, ss, suricata, sysmon, tcpvcon, tcpview, zeek};

/// The first that recognises a file reads it.
pub(super) const ALL: [Kind; 14] = [
    capture::PCAP,
    capture::PCAPNG,
    saved::DOCUMENT,
    saved::STREAM,
    zeek::KIND,
    suricata::KIND,
    sysmon::EVTX,
    sysmon::JSON,
    ss::KIND,
    netstat::KIND,
    lsof::KIND,
    lsof::FIELDS,
    tcpview::KIND,
    tcpvcon::KIND,
];

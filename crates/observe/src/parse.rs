//! Formats of operating systems, as plain code over bytes: total, bounded, tested on every
//! platform.

pub(crate) mod attributes;
pub(crate) mod cgroup;
pub(crate) mod conntrack;
pub(crate) mod destroyed_sockets;
pub(crate) mod dns;
pub(crate) mod firewall;
pub(crate) mod interfaces;
pub(crate) mod mount_info;
pub(crate) mod neighbours;
pub(crate) mod netlink_sockets;
pub(crate) mod network_settings;
pub(crate) mod packet;
pub(crate) mod packet_block;
pub(crate) mod passwd;
pub(crate) mod proc_net;
pub(crate) mod proc_pid;
pub(crate) mod process_connector;
pub(crate) mod process_event;
pub(crate) mod resolver_cache;
pub(crate) mod resolver_monitor;
pub(crate) mod routes;
pub(crate) mod settings;
pub(crate) mod sock_diag;
pub(crate) mod socket_entry;
pub(crate) mod socket_event;
pub(crate) mod socket_record;
pub(crate) mod tcp_metrics;
pub(crate) mod tracepoint;
pub(crate) mod type_information;

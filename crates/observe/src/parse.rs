//! Formats of operating systems, as plain code over bytes: total, bounded, tested on every
//! platform.

pub(crate) mod attributes;
pub(crate) mod cgroup;
pub(crate) mod conntrack;
pub(crate) mod mount_info;
pub(crate) mod neighbours;
pub(crate) mod passwd;
pub(crate) mod proc_net;
pub(crate) mod proc_pid;
pub(crate) mod resolver_cache;
pub(crate) mod sock_diag;
pub(crate) mod socket_entry;
pub(crate) mod socket_record;
pub(crate) mod tcp_metrics;
pub(crate) mod type_information;

//! Formats of operating systems and of what goes over networks, as plain code over bytes: total,
//! bounded, tested on every platform.

pub(crate) mod attributes;
pub(crate) mod auxiliary_vector;
pub(crate) mod certificate;
pub(crate) mod cgroup;
pub(crate) mod conntrack;
pub(crate) mod cursor;
pub(crate) mod destroyed_sockets;
pub(crate) mod dhcp;
pub(crate) mod dns;
pub(crate) mod elf;
#[cfg(any(windows, test))]
pub(crate) mod ese;
#[cfg(any(windows, test))]
pub(crate) mod etw_dns_client;
#[cfg(any(windows, test))]
pub(crate) mod etw_kernel_network;
#[cfg(any(windows, test))]
pub(crate) mod etw_kernel_process;
pub(crate) mod file_capabilities;
pub(crate) mod firewall;
pub(crate) mod generic_netlink;
pub(crate) mod http;
pub(crate) mod interfaces;
pub(crate) mod ja4;
pub(crate) mod meminfo;
pub(crate) mod memory_map;
pub(crate) mod mount_info;
pub(crate) mod neighbours;
pub(crate) mod netlink_sockets;
pub(crate) mod network_settings;
pub(crate) mod package_list;
pub(crate) mod packet;
pub(crate) mod packet_block;
pub(crate) mod packet_table;
pub(crate) mod passwd;
#[cfg(any(windows, test))]
pub(crate) mod pe;
pub(crate) mod place;
pub(crate) mod preload;
pub(crate) mod proc_net;
pub(crate) mod proc_pid;
pub(crate) mod process_connector;
pub(crate) mod process_event;
pub(crate) mod quic;
pub(crate) mod resolver_cache;
pub(crate) mod resolver_monitor;
pub(crate) mod routes;
pub(crate) mod script;
pub(crate) mod settings;
pub(crate) mod sock_diag;
pub(crate) mod socket_entry;
pub(crate) mod socket_event;
pub(crate) mod socket_record;
pub(crate) mod sqlite;
#[cfg(any(windows, test))]
pub(crate) mod srum;
pub(crate) mod ssh;
pub(crate) mod start_file;
pub(crate) mod system_call;
pub(crate) mod tcp_metrics;
pub(crate) mod tls;
pub(crate) mod tracepoint;
pub(crate) mod type_information;
pub(crate) mod unix_diag;
#[cfg(any(windows, test))]
pub(crate) mod windows_adapters;
pub(crate) mod windows_answer;
#[cfg(any(windows, test))]
pub(crate) mod windows_command_line;
#[cfg(any(windows, test))]
pub(crate) mod windows_drive;
#[cfg(any(windows, test))]
pub(crate) mod windows_engine;
#[cfg(any(windows, test))]
pub(crate) mod windows_host;
#[cfg(any(windows, test))]
pub(crate) mod windows_memory;
#[cfg(any(windows, test))]
pub(crate) mod windows_neighbours;
#[cfg(any(windows, test))]
pub(crate) mod windows_place;
#[cfg(any(windows, test))]
pub(crate) mod windows_services;
#[cfg(any(windows, test))]
pub(crate) mod windows_signature;
#[cfg(any(windows, test))]
pub(crate) mod windows_tables;
#[cfg(any(windows, test))]
pub(crate) mod wine;
pub(crate) mod wireguard;
pub(crate) mod x11;
pub(crate) mod xauthority;

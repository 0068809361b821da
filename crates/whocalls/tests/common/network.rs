//! Network namespaces of the tests.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

use crate::setting::{Need, command, lacks, run, skip, unique};

/// A network namespace with nothing in it but its loopback, removed at the end.
pub(crate) struct Namespace {
    pub(crate) name: String,
    /// As whocalls shows it.
    pub(crate) number: u64,
}

impl Namespace {
    /// `None` where it cannot be had; then that has been said.
    pub(crate) fn new() -> Option<Self> {
        // The first `ip netns add` of a computer mounts the folder of all of them.
        static ONE_AFTER_THE_OTHER: Mutex<()> = Mutex::new(());
        if lacks(&[Need::Root, Need::Program("ip")]) {
            return None;
        }
        let mut namespace = Self {
            name: format!("whocalls-{}", unique()),
            number: 0,
        };
        let added = {
            let _guard = ONE_AFTER_THE_OTHER.lock();
            run("ip", &["netns", "add", &namespace.name])
        };
        if let Err(why) = added {
            skip(&format!("no network namespaces here: {why}"));
            return None;
        }
        namespace.number = fs::metadata(namespace.file()).unwrap().ino();
        namespace.ip(&["link", "set", "lo", "up"]);
        Some(namespace)
    }

    pub(crate) fn file(&self) -> PathBuf {
        PathBuf::from("/run/netns").join(&self.name)
    }

    /// Runs `ip` with its eyes on this namespace.
    pub(crate) fn ip(&self, arguments: &[&str]) {
        let all = [&["-n", &self.name], arguments].concat();
        run("ip", &all).unwrap();
    }

    /// A command that runs inside.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut inside = command("ip");
        inside.args(["netns", "exec", &self.name]).arg(program);
        inside
    }

    /// Lays a cable to another namespace: 192.0.2.1 here, 192.0.2.2 there. False where the kernel
    /// has none; then that has been said.
    pub(crate) fn connect(&self, other: &Self) -> bool {
        let (here, there) = ("cable", "cable");
        let added = run(
            "ip",
            &[
                "-n",
                &self.name,
                "link",
                "add",
                here,
                "type",
                "veth",
                "peer",
                "name",
                there,
                "netns",
                &other.name,
            ],
        );
        if let Err(why) = added {
            skip(&format!("no veth here: {why}"));
            return false;
        }
        self.ip(&["addr", "add", "192.0.2.1/24", "dev", here]);
        other.ip(&["addr", "add", "192.0.2.2/24", "dev", there]);
        self.ip(&["link", "set", here, "up"]);
        other.ip(&["link", "set", there, "up"]);
        true
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = run("ip", &["netns", "del", &self.name]);
    }
}

//! How this computer is set up, as far as it is read on this platform.

use model::{Firewall, Gap, ResolverFiles, Source, System};

pub(crate) use super::clock::clock;
use super::version::{architecture, version};

pub(crate) fn system() -> System {
    let (clock, version) = (clock(), version());
    let (kernel, os) = version.map_or((None, None), |it| (Some(it.kernel), Some(it.os)));
    System {
        taken: clock.now,
        netns: None,
        clock,
        kernel: kernel.map(Into::into),
        architecture: architecture().map(Into::into),
        os: os.map(Into::into),
        hardware: None,
        interfaces: Vec::new(),
        routes: Vec::new(),
        rules: Vec::new(),
        neighbours: Vec::new(),
        resolver: ResolverFiles::default(),
        firewall: Firewall::default(),
        proxies: Vec::new(),
        gaps: vec![Gap::standing(
            "settings_not_read",
            Source::IpHelper,
            "this build does not read the network settings of Windows yet",
            "interfaces, routes, neighbours, DNS servers, firewall and proxies",
        )],
    }
}

//! How this computer is set up: not read on this platform yet.

use std::time::Duration;

use model::{Clock, Firewall, Gap, ResolverFiles, Source, System};

pub(crate) fn system() -> System {
    let clock = clock();
    System {
        taken: clock.now,
        netns: None,
        clock,
        kernel: None,
        architecture: None,
        os: None,
        hardware: None,
        interfaces: Vec::new(),
        routes: Vec::new(),
        rules: Vec::new(),
        neighbours: Vec::new(),
        resolver: ResolverFiles::default(),
        firewall: Firewall::default(),
        proxies: Vec::new(),
        gaps: vec![Gap::standing(
            "windows_not_read",
            Source::IpHelper,
            "this build cannot read Windows yet",
            "how the computer is set up",
        )],
    }
}

pub(crate) fn clock() -> Clock {
    let now = super::now();
    Clock {
        now,
        boot_time: now,
        up: Duration::ZERO,
        awake: Duration::ZERO,
        zone: None,
        offset_seconds: None,
        is_synchronized: None,
        error: None,
    }
}

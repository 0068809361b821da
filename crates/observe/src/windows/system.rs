//! How this computer is set up, as far as it is read on this platform.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;

use model::{Firewall, Gap, ResolverFiles, Source, System, Text};

pub(crate) use super::clock::clock;
use super::interfaces::interfaces;
use super::version::{architecture, version};

/// So much of a file of settings is kept.
const MOST_BYTES: u64 = 1 << 20;

pub(crate) fn system() -> System {
    let mut gaps = vec![not_read()];
    let (clock, version) = (clock(), version());
    let (kernel, os) = version.map_or((None, None), |it| (Some(it.kernel), Some(it.os)));
    let interfaces = interfaces().unwrap_or_else(|error| {
        gaps.push(gap("interfaces", "the network interfaces", &error));
        Vec::new()
    });
    let hosts = match hosts() {
        Ok((hosts, is_whole)) => {
            gaps.extend((!is_whole).then(hosts_cut));
            Some(hosts)
        }
        Err(error) => {
            gaps.push(gap("hosts", "names that are looked up in a file", &error));
            None
        }
    };
    System {
        taken: clock.now,
        netns: None,
        clock,
        kernel: kernel.map(Into::into),
        architecture: architecture().map(Into::into),
        os: os.map(Into::into),
        hardware: None,
        interfaces,
        routes: Vec::new(),
        rules: Vec::new(),
        neighbours: Vec::new(),
        resolver: ResolverFiles {
            hosts,
            ..ResolverFiles::default()
        },
        firewall: Firewall::default(),
        proxies: Vec::new(),
        gaps,
    }
}

fn not_read() -> Gap {
    Gap::standing(
        "settings_not_read",
        Source::IpHelper,
        "this build does not read all network settings of Windows yet",
        "routes, neighbours, DNS servers, firewall, proxies, the model of the computer, and whether \
         a program listens to all packets",
    )
}

fn gap(what: &str, missed: &'static str, error: &io::Error) -> Gap {
    Gap::standing(
        "settings_not_read",
        Source::IpHelper,
        format!("{what} cannot be read: {error}"),
        missed,
    )
}

fn hosts_cut() -> Gap {
    Gap::standing(
        "settings_not_read",
        Source::IpHelper,
        "the file of names (hosts) is longer than 1 MiB",
        "what stands there behind that",
    )
}

/// `drivers\etc\hosts`, and whether this is all of it.
fn hosts() -> io::Result<(Text, bool)> {
    let root = std::env::var_os("SystemRoot").ok_or(io::ErrorKind::NotFound)?;
    let path = PathBuf::from(root).join(r"System32\drivers\etc\hosts");
    let mut bytes = Vec::new();
    let mut file = File::open(path)?.take(MOST_BYTES);
    file.read_to_end(&mut bytes)?;
    let is_whole = file.into_inner().read(&mut [0])? == 0;
    let text = Text::from(String::from_utf8_lossy(&bytes).into_owned());
    Ok((text, is_whole))
}

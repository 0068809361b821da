//! What the rules say of one pair, name or process.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use model::{
    Asked, DeviceId, Endpoint, Knowledge, KnownAddress, KnownName, Knows, NameStrength, Pair,
    Process, ProcessId, Text,
};

use super::raw_address;
use crate::fit::{Fit, Part, Piece, Whose};
use crate::groups::Key;
use crate::process::{self, Life, Looked};
use crate::rule::rules;
use crate::seen::{Destination, Name, Program, is_inbound};

/// So many answers are kept; then all are asked for anew.
const MOST_KEPT: usize = 50_000;

/// Pieces, each with the finding that it belongs to.
type Found = Vec<(Key, Piece)>;

/// Asks what is known, and the rules.
#[derive(Debug)]
pub(super) struct Scores {
    knowledge: Knowledge,
    addresses: HashMap<IpAddr, Arc<KnownAddress>>,
    names: HashMap<Text, Arc<KnownName>>,
}

impl Scores {
    pub(super) fn new(knowledge: Knowledge) -> Self {
        Self {
            knowledge,
            addresses: HashMap::new(),
            names: HashMap::new(),
        }
    }

    pub(super) fn knows(&self) -> Option<&dyn Knows> {
        self.knowledge.ask()
    }

    /// What was found in a pair, and apart from it what only counts while names can be seen.
    pub(super) fn pair(&mut self, pair: &Pair) -> (Found, Found) {
        let (mut found, mut without_name) = (Vec::new(), Vec::new());
        // Never other than an address: `track` wrote it.
        let Ok(ip) = pair.key.destination.parse::<IpAddr>() else {
            return (found, without_name);
        };
        let whose = Whose {
            program: pair.key.program.clone(),
            device: pair.key.device,
        };
        let members = &pair.members;
        let piece = |fit: Fit| Piece {
            fit,
            first: pair.first,
            processes: members.processes.iter().map(|(id, _)| *id).collect(),
            connections: members.connections.ids().collect(),
            count: pair.connections,
            remote: Some(Endpoint {
                ip: Some(ip),
                port: pair.key.port,
            }),
            part: Part::Address(ip),
            service: None,
        };
        let known = self.address(ip);
        let destination = Destination {
            pair,
            ip,
            known: &known,
        };
        let raw_address = raw_address();
        for (number, rule) in rules().enumerate() {
            let mut fits = Vec::new();
            rule.destination(&destination, &mut fits);
            let pieces = fits.into_iter().map(|fit| {
                let key = (number, whose.clone(), fit.thing.clone());
                (key, piece(fit))
            });
            if Some(number) == raw_address {
                without_name.extend(pieces);
            } else {
                found.extend(pieces);
            }
        }
        for named in members.names.iter().filter(|_| !is_inbound(pair)) {
            let known = self.name(&named.name);
            let name = plain(&named.name);
            let urls = named.targets.iter().flat_map(|target| {
                let target = target.lossy();
                let knows = self.knows().filter(|_| target.starts_with('/'));
                knows.map_or_else(Vec::new, |it| {
                    it.url(&format!("http://{name}{target}"), &name)
                })
            });
            let by_url = |it: &model::Matched| it.by == model::MatchedBy::Url;
            let urls: Vec<_> = urls.filter(by_url).collect();
            let piece = |fit: Fit| Piece {
                connections: named.connections.ids().collect(),
                count: named.count,
                part: Part::Name(named.name.clone()),
                ..piece(fit)
            };
            let pieces = name_fits(&name, &known, Some(named.strength), &urls).into_iter();
            found.extend(pieces.map(|(number, fit)| {
                let key = (number, whose.clone(), fit.thing.clone());
                (key, piece(fit))
            }));
        }
        (found, without_name)
    }

    /// What was found in a name that was asked for, by a process as far as it is known.
    pub(super) fn asked(
        &mut self,
        asked: &Asked,
        process: Option<&Process>,
        device: Option<DeviceId>,
    ) -> Found {
        let known = self.name(&asked.name);
        let whose = Whose {
            program: process.map(|it| it.program().clone()),
            device: device.filter(|_| process.is_none()),
        };
        let pieces = name_fits(&plain(&asked.name), &known, None, &[]).into_iter();
        let found = pieces.map(|(number, fit)| {
            let key = (number, whose.clone(), fit.thing.clone());
            let piece = Piece {
                fit,
                first: asked.first,
                processes: asked.process.into_iter().collect::<Vec<ProcessId>>(),
                connections: Vec::new(),
                count: 0,
                remote: None,
                part: Part::Name(asked.name.clone()),
                service: None,
            };
            (key, piece)
        });
        found.collect()
    }

    /// What was found in a program that ran.
    pub(super) fn program(&self, process: &Process) -> Found {
        let Some(knows) = self.knows().filter(|_| !process.kernel_thread) else {
            return Vec::new();
        };
        let matched = knows.process(process);
        if matched.is_empty() {
            return Vec::new();
        }
        let program = Program {
            process,
            matched: &matched,
        };
        let whose = Whose {
            program: Some(process.program().clone()),
            device: None,
        };
        let mut found = Vec::new();
        for (number, rule) in rules().enumerate() {
            let mut fits = Vec::new();
            rule.program(&program, &mut fits);
            found.extend(fits.into_iter().map(|fit| {
                let key = (number, whose.clone(), fit.thing.clone());
                (key, of_process(process, fit, Part::Program))
            }));
        }
        found
    }

    pub(super) fn address(&mut self, ip: IpAddr) -> Arc<KnownAddress> {
        if let Some(known) = self.addresses.get(&ip) {
            return Arc::clone(known);
        }
        let known = Arc::new(self.knows().map(|it| it.address(ip)).unwrap_or_default());
        if self.addresses.len() >= MOST_KEPT {
            self.addresses.clear();
        }
        self.addresses.insert(ip, Arc::clone(&known));
        known
    }

    pub(super) fn name(&mut self, name: &Text) -> Arc<KnownName> {
        if let Some(known) = self.names.get(name) {
            return Arc::clone(known);
        }
        let plain = plain(name);
        let known = Arc::new(self.knows().map(|it| it.name(&plain)).unwrap_or_default());
        if self.names.len() >= MOST_KEPT {
            self.names.clear();
        }
        self.names.insert(name.clone(), Arc::clone(&known));
        known
    }
}

/// What stands out about a process.
pub(super) fn process(process: &Process, life: Life<'_>) -> Found {
    let looked = Looked { process, life };
    let whose = Whose {
        program: Some(process.program().clone()),
        device: None,
    };
    let found = process::look(&looked).into_iter().map(|(number, fit)| {
        let key = (number, whose.clone(), fit.thing.clone());
        (key, of_process(process, fit, Part::Process))
    });
    found.collect()
}

/// A piece that is about a process itself, and about no connection of it.
fn of_process(process: &Process, fit: Fit, part: Part) -> Piece {
    Piece {
        fit,
        first: process.started.unwrap_or(model::Timestamp::UNTOLD),
        processes: vec![process.id],
        connections: Vec::new(),
        count: 0,
        remote: None,
        part,
        service: None,
    }
}

/// What each rule says of a name, with the place of the rule.
fn name_fits(
    name: &str,
    known: &KnownName,
    strength: Option<NameStrength>,
    urls: &[model::Matched],
) -> Vec<(usize, Fit)> {
    let name = Name {
        name,
        known,
        strength,
        urls,
    };
    let mut found = Vec::new();
    for (number, rule) in rules().enumerate() {
        let mut fits = Vec::new();
        // What a standard sets apart is nobody's on the internet.
        if !known.is_special || !known.matched.is_empty() {
            rule.name(&name, &mut fits);
        }
        found.extend(fits.into_iter().map(|fit| (number, fit)));
    }
    found
}

/// In lower case, without a dot at its end.
fn plain(name: &Text) -> String {
    let name = name.lossy().to_ascii_lowercase();
    name.strip_suffix('.').map(str::to_owned).unwrap_or(name)
}

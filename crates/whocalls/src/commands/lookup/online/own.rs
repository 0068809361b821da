//! What is never asked about: what is not of the internet, and what is the person's own.

use std::net::IpAddr;

use anyhow::Result;
use enrich::special;
use enrich::tables::Tables;
use model::Question;
use record::case::OpenCase;

use crate::commands::lookup::item::{Asked, What};
use crate::output::Usage;

const NEVER: &str = "it is never to be asked about";

/// Names and addresses that a person does not want to be asked about, and those of the computers here.
pub(super) struct Own {
    names: Vec<String>,
    networks: Vec<(IpAddr, IpAddr)>,
}

impl Own {
    /// `never`: as a person has typed them.
    ///
    /// Errors: wrong usage.
    pub(super) fn of(case: Option<&OpenCase>, never: &[String]) -> Result<Self> {
        let mut own = Self {
            names: Vec::new(),
            networks: Vec::new(),
        };
        own.names.push(observe::host_name().lossy().to_lowercase());
        let host = case
            .and_then(OpenCase::about)
            .map(|it| it.host.to_lowercase());
        own.names.extend(host);
        own.names.retain(|name| !name.is_empty());
        for item in never {
            match Asked::parse(item).map_err(Usage)?.what {
                What::Address(ip, _) => own.networks.push((ip, ip)),
                What::Network(first, _, last) => own.networks.push((first, last)),
                What::Name(name) => own.names.push(name.ascii),
                What::Hash(..) => {
                    let text = format!("--never {item}: an address, a network or a name");
                    return Err(Usage(text).into());
                }
            }
        }
        Ok(own)
    }

    /// Of computers with these names.
    pub(super) fn named(hosts: &[String]) -> Self {
        let names = hosts.iter().map(|it| it.to_lowercase());
        Self {
            names: names.filter(|it| !it.is_empty()).collect(),
            networks: Vec::new(),
        }
    }

    /// Why it is not asked about. `None`: it may be.
    pub(super) fn why_not(&self, question: &Question, tables: &Tables) -> Option<&'static str> {
        match question {
            Question::Address(ip) => self.why_no_address(*ip),
            Question::Network(network) => {
                let (first, last) = (network.first(), network.last());
                let overlaps = |own: &&(IpAddr, IpAddr)| own.0 <= last && first <= own.1;
                let mut ends = [first, last].into_iter();
                let why = ends.find_map(|ip| self.why_no_address(ip));
                why.or(self.networks.iter().find(overlaps).map(|_| NEVER))
            }
            Question::Name(name) => self.why_no_name(name, tables),
            Question::Hash(_) => None,
        }
    }

    fn why_no_address(&self, ip: IpAddr) -> Option<&'static str> {
        let ip = ip.to_canonical();
        let special = special::use_of(ip);
        if special.is_some_and(|it| !it.is_global) {
            return Some("it is no address of the internet");
        }
        let within = |(first, last): &(IpAddr, IpAddr)| *first <= ip && ip <= *last;
        let is_own = self.networks.iter().any(within);
        is_own.then_some(NEVER)
    }

    fn why_no_name(&self, name: &str, tables: &Tables) -> Option<&'static str> {
        let is_below = |own: &String| {
            name.strip_suffix(own.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        if self.names.iter().any(is_below) {
            return Some("it is your own, or never to be asked about");
        }
        if special::use_of_name(name).is_some() {
            return Some("it is no name of the internet");
        }
        let suffix = tables.registry_suffix(name);
        let is_public =
            suffix.section == enrich::suffix::Section::Registry && suffix.registrable.is_some();
        (!is_public).then_some("nobody registers such names")
    }
}

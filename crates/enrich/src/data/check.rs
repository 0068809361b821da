//! Holds every boundary of the sources against the tables made from them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::build::Sources;
use super::files::Range;
use crate::tables::Tables;

/// Asks for the first and the last address of every range, and for every name and hash. Gives how
/// many were asked for; where the tables say something else, that is an exception.
pub(super) fn boundaries(read: &mut Sources, tables: &Tables) -> usize {
    let mut asked = 0;
    let mut exceptions = Vec::new();
    for (range, asn) in &read.announcers {
        for ip in ends(range) {
            asked += 1;
            let found = tables.find(ip).announced_by;
            let wanted = read
                .organisations
                .get(asn)
                .map(|name| (*asn, name.as_str()));
            if found != wanted {
                let other = found.map_or("nobody".to_owned(), |(asn, _)| format!("AS{asn}"));
                exceptions.push(format!(
                    "{ip}: AS{asn} in the source, {other} in the tables"
                ));
            }
        }
    }
    for (range, country) in &read.countries {
        for ip in ends(range) {
            asked += 1;
            let found = tables.find(ip).allocated_to;
            if found != Some(*country) {
                let other = found.map_or("nothing".to_owned(), |it| it.to_string());
                exceptions.push(format!(
                    "{ip}: {country} in the source, {other} in the tables"
                ));
            }
        }
    }
    for (range, place) in &read.networks {
        let source = read.sources.get(*place);
        for ip in ends(range) {
            asked += 1;
            if !tables.lists_of(ip).any(|list| Some(list) == source) {
                let file = source.map_or("", |it| it.file.as_str());
                exceptions.push(format!("{ip}: in {file}, not in the tables"));
            }
        }
    }
    for (reversed, places) in &read.names {
        let name = crate::tables::reversed(reversed);
        let found: Vec<_> = tables.lists_of_name(&name).collect();
        asked += 1;
        let all = places.iter().filter_map(|it| read.sources.get(*it));
        if !all.into_iter().all(|source| found.contains(&source)) {
            exceptions.push(format!("{name}: not in the tables as in its lists"));
        }
    }
    for (hash, places) in &read.hashes {
        let found: Vec<_> = tables.lists_of_hash(hash).collect();
        asked += 1;
        let all = places.iter().filter_map(|it| read.sources.get(*it));
        if !all.into_iter().all(|source| found.contains(&source)) {
            exceptions.push(format!("{hash}: not in the tables as in its lists"));
        }
    }
    read.exceptions.append(&mut exceptions);
    asked
}

fn ends(range: &Range) -> [IpAddr; 2] {
    [range.first, range.last].map(|end| match u32::try_from(end) {
        Ok(bits) if !range.is_v6 => Ipv4Addr::from_bits(bits).into(),
        Ok(_) | Err(_) => Ipv6Addr::from_bits(end).into(),
    })
}

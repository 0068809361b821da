//! How long it takes to hold 1,000,000 connections against 100,000 indicators: `bench/matching.sh`
//! runs it.
//!
//! One thread. A connection is asked by its address and, every second one, by its name; one in a
//! hundred fits.
#![forbid(unsafe_code)]

use std::io::Write;
use std::net::IpAddr;
use std::time::Instant;

use enrich::files::{Loaded, Said, read};
use enrich::matching::Matcher;
use model::ListOrigin;

const CONNECTIONS: u32 = 1_000_000;

/// The same numbers each time, well mixed (SplitMix64).
fn mixed(number: u32) -> u64 {
    let mut mixed = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut text = String::new();
    for number in 0..25_000 {
        let bits = mixed(number);
        let [a, b, c, d, ..] = bits.to_be_bytes();
        text.push_str(&format!(
            "n{bits:x}.example.com\n{}.{b}.{c}.{d}\n",
            a % 200 + 1
        ));
        text.push_str(&format!(
            "{}.{c}.{d}.0/24\n{bits:016x}{bits:016x}\n",
            b % 200 + 1
        ));
    }
    let Loaded::Indicators(content) = read(text.as_bytes(), &Said::default())? else {
        return Err("no indicators".into());
    };
    let indicators = content.indicators.len();
    let list = content.into_list("bench".to_owned(), ListOrigin::Embedded);
    let begun = processor_ms();
    let matcher = Matcher::new(vec![list]);
    let made = processor_ms() - begun;
    let connections: Vec<(IpAddr, Option<String>)> = (0..CONNECTIONS)
        .map(|number| {
            let bits = mixed(number + 50_000);
            let [a, b, c, d, ..] = bits.to_be_bytes();
            let listed = mixed(number % 25_000);
            let name = match number % 100 {
                1 => format!("n{listed:x}.example.com"),
                _ => format!("www.host-{bits:x}.example{}.co.uk", bits % 997),
            };
            let address = IpAddr::from([a % 223 + 1, b, c, d]);
            (address, (number % 2 == 1).then_some(name))
        })
        .collect();
    let (begun, begun_ms) = (Instant::now(), processor_ms());
    let mut fitting = 0_u32;
    for (address, name) in &connections {
        let found = matcher.of_address(*address).len();
        let named = name
            .as_deref()
            .map_or(0, |name| matcher.of_name(name).len());
        fitting += u32::from(found + named > 0);
    }
    let (asked, asked_ms) = (begun.elapsed().as_millis(), processor_ms() - begun_ms);
    writeln!(
        std::io::stdout(),
        "{indicators} indicators, made in {made:.0} ms; {CONNECTIONS} connections asked in {asked_ms:.0} ms \
         of processor time, {asked} ms by the clock; {fitting} fit"
    )?;
    Ok(())
}

/// How long this process has run on a processor so far (`schedstat`, proc(5)).
fn processor_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let first = text.split_whitespace().next();
    let ns: Option<f64> = first.and_then(|it| it.parse().ok());
    ns.unwrap_or(0.0) / 1e6
}

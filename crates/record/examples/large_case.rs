//! Writes a case of many connections to the disk, as `whocalls record --depth events` does:
//!
//!     cargo run --release -p record --example large_case -- FOLDER [CONNECTIONS]
//!
//! The folder has to be there and empty.

#[path = "common/day.rs"]
mod day;

use std::error::Error;
use std::io::{self, Write as _};
use std::path::PathBuf;

use model::{Tier, Timestamp};
use record::case::{About, Case, Clock, Consent, Depth, Kind, Limits, Settings, Tool};
use record::lines::Encoder;
use record::place::Directory;
use serde_json::Map;
use track::Tracker;

use self::day::{BEGAN, DAY_NS, Day, host};

/// Bytes are written when there are so many.
const PIECE: usize = 1024 * 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("which folder?")?);
    let connections = match arguments.next() {
        Some(number) => number.parse()?,
        None => 1_000_000,
    };
    let began = Timestamp::from_unix_nanos(BEGAN);
    let settings = Settings {
        about: about(began),
        limits: Limits::default(),
        recipients: None,
    };
    let case = Case::begin(Box::new(Directory::new(&folder)), settings)?;
    let mut stream = case.stream(Kind::Events);
    let mut segment = u32::try_from(stream.begin(began)?)?;
    let mut tracker = Tracker::new(host(), Tier::Full, track::Limits::default());
    let mut encoder = Encoder::new();
    let (mut bytes, mut day) = (Vec::new(), Day::default());
    let (mut events, mut now) = (0, began);
    encoder.start(&host(), began, Tier::Full, segment, &mut bytes);
    for connection in 0..connections {
        day.connection(connection, DAY_NS / connections, &mut |observed| {
            if let model::Observed::Event(event) = observed {
                now = event.time;
            }
            encoder.observed(observed, &mut bytes);
            tracker.apply(observed.clone(), &mut |_, _, _| {});
        });
        if bytes.len() >= PIECE {
            stream.write(&bytes)?;
            bytes.clear();
        }
        if stream.is_due(now) {
            stream.write(&bytes)?;
            bytes.clear();
            stream.close(now, encoder.events())?;
            events += encoder.events();
            segment = u32::try_from(stream.begin(now)?)?;
            encoder.start(&host(), now, Tier::Full, segment, &mut bytes);
            encoder.restate(&tracker.restate(), &mut bytes);
        }
    }
    encoder.end(now, 0, &mut bytes);
    stream.write(&bytes)?;
    stream.close(now, encoder.events())?;
    events += encoder.events();
    drop(stream);
    let seal = case.finish(now, Map::new())?;
    writeln!(
        io::stdout(),
        "{connections} connections, {events} events, {segment} segments; seal {seal}"
    )?;
    Ok(())
}

fn about(began: Timestamp) -> About {
    About {
        id: "large".to_owned(),
        began,
        host: host().name.lossy().into_owned(),
        boot: host().boot.to_string(),
        system: "Linux 6.12.0 x86_64".to_owned(),
        time_zone: None,
        tool: Tool {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            sha256: None,
        },
        arguments: Vec::new(),
        case_number: None,
        examiner: None,
        owner_consent: Consent::Unknown,
        purpose: None,
        clock: Clock::default(),
        depth: Depth::Events,
        max_size: None,
        recipients: Vec::new(),
        more: Map::new(),
    }
}

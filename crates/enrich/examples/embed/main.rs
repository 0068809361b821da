//! Writes the indicators that are in the program, from the files of their publishers:
//!
//!     cargo run -p enrich --example embed -- FOLDER crates/enrich/src/embedded/sets.zlib
//!
//! FOLDER has `stix2/`, `lists/amnesty/` and `stalkerware/ioc.yaml` in it.
#![forbid(unsafe_code)]

mod sets;

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(folder), Some(file)) = (arguments.next(), arguments.next()) else {
        return Err("usage: embed FOLDER FILE".into());
    };
    let lists = sets::of_folder(Path::new(&folder))?;
    std::fs::write(file, enrich::embedded::pack(&lists)?)?;
    Ok(())
}

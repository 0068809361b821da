//! Uses the network in every way that is easily missed, one way a run, and writes down what it
//! did: `situations CASE --truth FILE`. In goes the lab that `lab.sh` builds, out come acts.
//! `situations server` answers at the other end, `situations list` names the cases.
//!
//! Ends with 0: the situation came about; 77: this computer does not offer it; 1: it failed.

mod cases;
mod exchange;
mod lab;
mod server;
mod sys;
mod truth;

use std::io;
use std::process::ExitCode;

use lab::Lab;

const SKIPPED: u8 = 77;

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    let Some(name) = words.next().and_then(|word| word.into_string().ok()) else {
        eprintln!(
            "usage: situations list | server | CASE [--truth FILE] [--count N] [--processes N]"
        );
        return ExitCode::from(2);
    };
    let result = match name.as_str() {
        "list" => {
            for case in cases::ALL {
                println!("{}\t{}", case.name, case.about);
            }
            Ok(())
        }
        "server" => server::run(),
        _ => match cases::find(&name) {
            Some(case) => Lab::new(&name, words).and_then(|lab| (case.run)(&lab)),
            None => Err(lab::wrong("no such case: see situations list")),
        },
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {
            eprintln!("{name}: skipped: {error}");
            ExitCode::from(SKIPPED)
        }
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

//! `examined` of an event or of a process: what was found by looking into a process.

use model::{
    Check, Checked, Display, Examined, Outcome, Package, PackageManager, PackageState, Sign, Trace,
    Untested,
};
use serde::{Deserialize, Serialize};

use super::Fault;
use super::value::{Bytes, Str, Word, Words, optional};

macro_rules! words {
    ($($type:ident),+) => {
        $(impl Words for $type {
            const ALL: &'static [Self] = Self::ALL;
            fn text(self) -> &'static str {
                self.word()
            }
        })+
    };
}
words!(Check, Sign, Untested, PackageState, PackageManager, Display);

#[derive(Serialize, Deserialize)]
pub(super) struct ExaminedObject<'a> {
    /// Those that found nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    nothing_found: Vec<Word<Check>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    not_testable: Vec<(Word<Check>, Word<Untested>)>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    found: Vec<FoundObject<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    package: Option<PackageObject<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display: Option<Word<Display>>,
}

#[derive(Serialize, Deserialize)]
struct FoundObject<'a> {
    check: Word<Check>,
    #[serde(borrow)]
    traces: Vec<TraceObject<'a>>,
    #[serde(default, skip_serializing_if = "is_none")]
    more: u32,
}

#[derive(Serialize, Deserialize)]
struct TraceObject<'a> {
    sign: Word<Sign>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    path: Option<Str<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<Bytes>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    package: Option<Str<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    package_hex: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    name: Option<Str<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_hex: Option<Bytes>,
}

#[derive(Serialize, Deserialize)]
struct PackageObject<'a> {
    state: Word<PackageState>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    name: Option<Str<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_hex: Option<Bytes>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    version: Option<Str<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_hex: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manager: Option<Word<PackageManager>>,
}

impl<'a> ExaminedObject<'a> {
    pub(super) fn of(examined: &'a Examined) -> Self {
        let mut object = Self {
            nothing_found: Vec::new(),
            not_testable: Vec::new(),
            found: Vec::new(),
            package: examined.package.as_ref().map(PackageObject::of),
            display: examined.display.map(Word::Known),
        };
        for Checked { check, outcome } in &examined.checks {
            let check = Word::Known(*check);
            match outcome {
                Outcome::NothingFound => object.nothing_found.push(check),
                Outcome::NotTestable(why) => object.not_testable.push((check, Word::Known(*why))),
                Outcome::Found { traces, more } => object.found.push(FoundObject {
                    check,
                    traces: traces.iter().map(TraceObject::of).collect(),
                    more: *more,
                }),
            }
        }
        object
    }

    /// Checks and signs that a newer build has made are left out, with what hangs on them.
    pub(super) fn examined(self) -> Result<Examined, Fault> {
        let mut examined = Examined {
            checks: Vec::new(),
            package: self.package.map(PackageObject::package).transpose()?,
            display: known(self.display),
        };
        for check in self.nothing_found.into_iter().filter_map(ours) {
            examined.put(check, Outcome::NothingFound);
        }
        for (check, why) in self.not_testable {
            if let (Word::Known(check), Word::Known(why)) = (check, why) {
                examined.put(check, Outcome::NotTestable(why));
            }
        }
        for FoundObject {
            check,
            traces,
            more,
        } in self.found
        {
            let traces = traces.into_iter().filter_map(TraceObject::trace);
            let traces: Vec<_> = traces.collect();
            if let Word::Known(check) = check
                && !traces.is_empty()
            {
                examined.put(check, Outcome::Found { traces, more });
            }
        }
        Ok(examined)
    }
}

impl<'a> TraceObject<'a> {
    fn of(trace: &'a Trace) -> Self {
        let (path, path_hex) = Str::optional(trace.path.as_ref());
        let (package, package_hex) = Str::optional(trace.package.as_ref());
        let (name, name_hex) = Str::optional(trace.name.as_ref());
        Self {
            sign: Word::Known(trace.sign),
            path,
            path_hex,
            package,
            package_hex,
            address: trace.address,
            length: trace.length,
            bytes: trace.bytes.clone().map(Bytes),
            expected: trace.expected.clone().map(Bytes),
            pid: trace.pid,
            name,
            name_hex,
        }
    }

    fn trace(self) -> Option<Trace> {
        Some(Trace {
            sign: ours(self.sign)?,
            path: self.path.map(|it| it.text(self.path_hex)),
            package: self.package.map(|it| it.text(self.package_hex)),
            address: self.address,
            length: self.length,
            bytes: self.bytes.map(|Bytes(bytes)| bytes),
            expected: self.expected.map(|Bytes(bytes)| bytes),
            pid: self.pid,
            name: self.name.map(|it| it.text(self.name_hex)),
        })
    }
}

impl<'a> PackageObject<'a> {
    fn of(package: &'a Package) -> Self {
        let (name, name_hex) = Str::optional(package.name.as_ref());
        let (version, version_hex) = Str::optional(package.version.as_ref());
        Self {
            state: Word::Known(package.state),
            name,
            name_hex,
            version,
            version_hex,
            manager: package.manager.map(Word::Known),
        }
    }

    fn package(self) -> Result<Package, Fault> {
        Ok(Package {
            state: self.state.known()?,
            name: self.name.map(|it| it.text(self.name_hex)),
            version: self.version.map(|it| it.text(self.version_hex)),
            manager: optional(self.manager)?,
        })
    }
}

fn known<T>(word: Option<Word<T>>) -> Option<T> {
    word.and_then(ours)
}

fn ours<T>(word: Word<T>) -> Option<T> {
    match word {
        Word::Known(known) => Some(known),
        Word::Strange => None,
    }
}

fn is_none(number: &u32) -> bool {
    *number == 0
}

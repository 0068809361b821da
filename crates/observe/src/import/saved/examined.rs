//! What was found by looking into a process.

use model::{
    Check, Display, Examined, Outcome, Package, PackageManager, PackageState, Sign, Trace, Untested,
};

use super::members::{Members, bytes};

/// Of the members of a process. `None`: nobody has looked into it.
pub(super) fn examined(process: &Members<'_>) -> Option<Examined> {
    let mut examined = Examined {
        checks: Vec::new(),
        package: package(process),
        display: process.word("display", Display::ALL, Display::word),
    };
    // One that comes twice counts once.
    for check in process.value("checks").items().take(Check::ALL.len() * 2) {
        let check = Members::of(check);
        let name = check.word("check", Check::ALL, Check::word);
        if let Some((name, outcome)) = name.zip(outcome(&check)) {
            examined.put(name, outcome);
        }
    }
    (examined != Examined::default()).then_some(examined)
}

fn package(process: &Members<'_>) -> Option<Package> {
    Some(Package {
        state: process.word("package_state", PackageState::ALL, PackageState::word)?,
        name: process.text("package", "package_hex"),
        version: process.text("package_version", "package_version_hex"),
        manager: process.word("package_manager", PackageManager::ALL, PackageManager::word),
    })
}

/// `None`: of no kind that is known.
fn outcome(check: &Members<'_>) -> Option<Outcome> {
    match check.value("result").plain()? {
        b"nothing found" => Some(Outcome::NothingFound),
        b"not testable" => {
            let why = check.word("why", Untested::ALL, Untested::word);
            Some(Outcome::NotTestable(why.unwrap_or(Untested::Unreadable)))
        }
        b"found" => {
            let traces = check.value("traces").items().take(Outcome::MOST_TRACES);
            let traces: Vec<_> = traces.filter_map(|it| trace(&Members::of(it))).collect();
            let more = check.number("more").unwrap_or(0);
            (!traces.is_empty()).then_some(Outcome::Found { traces, more })
        }
        _ => None,
    }
}

fn trace(trace: &Members<'_>) -> Option<Trace> {
    let some_bytes = |name| {
        let mut all = bytes(trace.value(name).plain()?)?;
        all.truncate(Trace::MOST_BYTES);
        Some(all)
    };
    Some(Trace {
        sign: trace.word("sign", Sign::ALL, Sign::word)?,
        path: trace.text("path", "path_hex"),
        package: trace.text("package", "package_hex"),
        address: trace.number("address"),
        length: trace.number("length"),
        bytes: some_bytes("bytes"),
        expected: some_bytes("expected"),
        pid: trace.number("pid"),
        name: trace.text("name", "name_hex"),
    })
}

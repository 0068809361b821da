//! The checks that read memory, on processes that something was done to (`bench/injections`), and on
//! innocent ones.

use model::{Check, Outcome, Sign};

use super::victims::{Victim, innocents, signs};
use super::{CHECKS, Kept, Subject};

/// What the checks of this file are about.
const CHECKED: [Check; 10] = [
    Check::CodeChanged,
    Check::SystemCalls,
    Check::ProgramMapping,
    Check::ExecutableMemory,
    Check::MemfdCode,
    Check::ProgramFile,
    Check::LibraryFiles,
    Check::MappedFiles,
    Check::Loader,
    Check::Traced,
];

fn found(subject: &Subject, kept: &mut Kept) -> Vec<(Check, Outcome)> {
    let made = CHECKS.iter().filter(|made| CHECKED.contains(&made.check));
    let made = made.map(|made| (made.check, (made.make)(subject, kept)));
    made.filter(|(_, outcome)| *outcome != Outcome::NothingFound)
        .collect()
}

/// Exactly these signs, over all checks.
fn check(injection: &str, expected: &[Sign]) {
    let Some(victim) = Victim::injection(injection) else {
        return;
    };
    let found = found(&victim.subject(), &mut Kept::default());
    let seen: Vec<Sign> = found
        .iter()
        .flat_map(|(_, outcome)| signs(outcome))
        .collect();
    let mut expected = expected.to_vec();
    expected.sort();
    let mut sorted = seen.clone();
    sorted.sort();
    assert_eq!(sorted, expected, "{injection}: {found:#?}");
}

#[test]
fn code_in_memory_of_nobody() {
    check(
        "anon-rwx",
        &[Sign::OutsideFiles, Sign::WritableAndExecutable],
    );
    check("anon-rx", &[Sign::OutsideFiles, Sign::Executable]);
    check("thread", &[Sign::OutsideFiles, Sign::Executable]);
    check("anon-libc", &[Sign::Executable]);
}

/// The engine that is there does not account for memory that does not look like its own.
#[test]
fn code_in_memory_of_nobody_beside_an_engine() {
    check("anon-rx-node", &[Sign::OutsideFiles, Sign::Executable]);
    check("anon-libc-node", &[Sign::Executable]);
    check("anon-libc-java", &[Sign::Executable]);
    for engine in ["mono", "guile", "pypy3", "bun"] {
        check(&format!("anon-libc-{engine}"), &[Sign::Executable]);
    }
}

#[test]
fn text_that_was_written_to() {
    check("overwrite-libc", &[Sign::Differs]);
    check("patch-mem", &[Sign::Differs]);
    check("hollow-entry", &[Sign::Differs]);
    check("restored", &[Sign::Restored]);
    check("breakpoint", &[Sign::Breakpoints]);
}

#[test]
fn what_differs_is_told_with_its_place_and_its_bytes() {
    let Some(victim) = Victim::injection("patch-mem") else {
        return;
    };
    let outcome = victim.outcome(super::code_changed::check);
    let Outcome::Found { traces, more: 0 } = outcome else {
        panic!("{outcome:?}");
    };
    let [trace] = traces.as_slice() else {
        panic!("{traces:?}");
    };
    assert!(trace.path.as_ref().unwrap().lossy().ends_with("/libc.so.6"));
    assert!(
        trace
            .bytes
            .as_ref()
            .unwrap()
            .starts_with(&[0xe9, 1, 2, 3, 4])
    );
    // A byte may be the same by chance.
    assert!((1..=5).contains(&trace.length.unwrap()), "{trace:?}");
    assert_eq!(
        trace.bytes.as_ref().unwrap().len(),
        trace.expected.as_ref().unwrap().len()
    );
    let text = std::fs::read(trace.path.as_ref().unwrap().as_utf8().unwrap()).unwrap();
    let expected = trace.expected.as_ref().unwrap();
    assert!(text.windows(expected.len()).any(|it| it == expected));
}

#[test]
fn a_program_that_is_no_more_in_its_memory() {
    check(
        "hollow-unmapped",
        &[
            Sign::OutsideFiles,
            Sign::NotMapped,
            Sign::WritableAndExecutable,
        ],
    );
}

#[test]
fn programs_and_libraries_that_live_in_memory() {
    check("memfd-exec", &[Sign::Memfd]);
    check("memfd-exec-kernel-name", &[Sign::Memfd]);
    check("memfd-exec-sealed", &[Sign::SealedMemfd]);
    check("memfd-dlopen", &[Sign::ElfInMemory]);
}

#[test]
fn files_that_are_gone() {
    check("deleted-program", &[Sign::Deleted]);
    check("replaced-program", &[Sign::ReplacedByStranger]);
    check("deleted-library", &[Sign::Deleted]);
    check("replaced-library", &[Sign::Replaced]);
}

#[test]
fn a_library_that_is_another_one() {
    check("swapped-library", &[Sign::OtherFile]);
    check("same-library", &[]);
}

/// As container runtimes start themselves.
#[test]
fn a_program_that_was_mounted_alone() {
    check("mounted-alone", &[]);
    check("mounted-alone-other", &[Sign::OtherFile]);
}

#[test]
fn started_by_the_loader_and_held_by_a_debugger() {
    check("by-loader", &[Sign::ByLoader]);
    check("traced", &[Sign::Tracer]);
}

#[test]
fn innocent_programs() {
    let mut kept = Kept::default();
    for victim in innocents() {
        let subject = victim.subject();
        let path = subject.program().unwrap().link.lossy().into_owned();
        for (check, outcome) in found(&subject, &mut kept) {
            let signs = signs(&outcome);
            if check == Check::CodeChanged {
                assert_eq!(signs, [Sign::ByEngine], "{path}: {outcome:#?}");
                continue;
            }
            assert_eq!(check, Check::ExecutableMemory, "{path}: {outcome:#?}");
            assert!(signs.contains(&Sign::Engine), "{path}: {outcome:#?}");
        }
    }
}

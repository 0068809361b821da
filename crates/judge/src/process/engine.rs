//! Whether a program has a reason to make code while it runs. That a file is called like an engine is not
//! enough: whoever writes an implant would call it so.

use std::collections::BTreeSet;

use model::{Check, Outcome, PackageState, Sign, Text};

use super::looked::Looked;
use super::paths::file_name;

/// Why there is code in memory that no file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Explained {
    /// An engine, and program and engine are as their packages have them.
    Yes,
    /// It may be: there is an engine, but nobody can say whether it is the one of a package.
    Perhaps,
    /// There is a library that makes small pieces of code, if it is asked to.
    ByHelper,
    No,
    /// The files are still being read, or it ended before they were.
    NotYet,
}

/// Parts of many programs that hardly ever make code in them.
const HELPERS: [&str; 12] = [
    "libpcre",
    "libffi",
    "_ctypes.",
    "_cffi_backend.",
    "libjnidispatch",
    "jna",
    "libgallium",
    "libLLVM",
    "libllvm",
    "libOSMesa",
    "libvulkan",
    "liborc",
];

pub(super) fn explained(process: &Looked<'_>) -> Explained {
    let engines = process.signs(Check::ExecutableMemory, Sign::Engine);
    let engines: Vec<&Text> = engines.iter().filter_map(|it| it.path.as_ref()).collect();
    if engines.is_empty() {
        return Explained::No;
    }
    let not_as_packaged = process.traces(Check::Package);
    let paths = not_as_packaged.iter().filter_map(|it| it.path.as_ref());
    let foreign: BTreeSet<&Text> = paths.collect();
    // What people add to an interpreter is of no package, and was not changed either.
    let is_extension = |engine: &Text| {
        let mut of_it = not_as_packaged.iter();
        let of_it = of_it.find(|it| it.path.as_ref() == Some(engine));
        process.is_interpreter() && of_it.is_some_and(|it| it.sign == Sign::UnpackagedLibrary)
    };
    let compared = matches!(
        process.examined().outcome(Check::Package),
        Some(Outcome::NothingFound | Outcome::Found { more: 0, .. })
    );
    let is_helper = |path: &Text| {
        let path = path.lossy();
        let name = file_name(&path).to_owned();
        name.ends_with("_dri.so") || HELPERS.iter().any(|it| name.starts_with(it))
    };
    match process.package() {
        None if process.examined().outcome(Check::Package).is_none() => Explained::NotYet,
        None | Some(PackageState::NotTestable) if process.ended_before_files() => Explained::NotYet,
        None | Some(PackageState::NotTestable | PackageState::Unpackaged) => Explained::Perhaps,
        // Of files that are not those of a package there may be more than are named.
        Some(PackageState::Intact) if !compared => Explained::Perhaps,
        Some(PackageState::Intact) => {
            let intact = || engines.iter().filter(|it| !foreign.contains(*it));
            match intact().count() {
                0 if engines.iter().any(|it| is_extension(it)) => Explained::Perhaps,
                0 => Explained::No,
                _ if intact().any(|it| !is_helper(it)) => Explained::Yes,
                _ => Explained::ByHelper,
            }
        }
        Some(PackageState::Modified | PackageState::ThisTool) => Explained::No,
    }
}

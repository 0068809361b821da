//! Whether a program has a reason to make code while it runs. That a file is called like an engine is not
//! enough: whoever writes an implant would call it so.

use std::collections::BTreeSet;

use model::{Check, PackageState, Sign, Text};

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
    /// The files are still being read.
    NotYet,
}

/// Parts of many programs that hardly ever make code in them.
const HELPERS: [&str; 8] = [
    "libpcre",
    "libffi",
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
    let foreign: BTreeSet<&Text> = process
        .traces(Check::Package)
        .iter()
        .filter_map(|it| it.path.as_ref())
        .collect();
    let is_helper = |path: &Text| {
        let path = path.lossy();
        let name = file_name(&path).to_owned();
        name.ends_with("_dri.so") || HELPERS.iter().any(|it| name.starts_with(it))
    };
    match process.package() {
        None if process.examined().outcome(Check::Package).is_none() => Explained::NotYet,
        None | Some(PackageState::NotTestable | PackageState::Unpackaged) => Explained::Perhaps,
        // Of files that are not those of a package there may be more than are named.
        Some(PackageState::Intact) if process.more(Check::Package) > 0 => Explained::Perhaps,
        Some(PackageState::Intact) => {
            let intact = || engines.iter().filter(|it| !foreign.contains(*it));
            match intact().count() {
                0 => Explained::No,
                _ if intact().any(|it| !is_helper(it)) => Explained::Yes,
                _ => Explained::ByHelper,
            }
        }
        Some(PackageState::Modified | PackageState::ThisTool) => Explained::No,
    }
}

//! The code of programs and libraries as it would lie in memory, out of their files. All processes have most
//! libraries in common, and at the same address: they are read and moved there once, and kept for a while.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use super::files;
use super::subject::Subject;
use crate::parse::pe::{Pe, Section, pe};

/// A large program has some 300 libraries.
pub(super) const MOST_MODULES: usize = 1000;
const HEAD: usize = 4096;
/// Who has so much code that it takes longer may have it so that nobody looks at the rest.
pub(super) const LONGEST: Duration = Duration::from_secs(30);
/// So many bytes of code are kept.
const MOST_BYTES: usize = 64 * 1024 * 1024;

pub(super) struct Loaded {
    pub(super) head: Pe,
    /// Those that hold code and that nothing is written to, with what they have in memory.
    pub(super) sections: Vec<(Section, Vec<u8>)>,
}

impl Loaded {
    /// What is loaded at `base` has the head of another file: this one has taken its path. `None`: its head was
    /// wiped out, and says nothing of that.
    pub(super) fn is_other(&self, subject: &Subject, base: u64) -> Option<bool> {
        let own = pe(&subject.read(base, HEAD))?;
        Some(own.sections != self.head.sections)
    }
}

/// By path and address.
#[derive(Default)]
pub(super) struct Code {
    known: RefCell<HashMap<(String, u64), Rc<Loaded>>>,
}

impl Code {
    /// `None`: the file cannot be read, or is no program or library.
    pub(super) fn of(&self, path: &str, base: u64) -> Option<Rc<Loaded>> {
        let key = (path.to_owned(), base);
        if let Some(known) = self.known.borrow().get(&key) {
            return Some(Rc::clone(known));
        }
        let loaded = Rc::new(load(path, base)?);
        let mut known = self.known.borrow_mut();
        let kept = known.values().map(|it| length(it));
        let kept = kept.fold(length(&loaded), usize::saturating_add);
        if kept > MOST_BYTES {
            known.clear();
        }
        known.insert(key, Rc::clone(&loaded));
        Some(loaded)
    }

    /// Files may be others by now.
    pub(super) fn forget(&mut self) {
        self.known.get_mut().clear();
    }
}

fn load(path: &str, base: u64) -> Option<Loaded> {
    let file = files::read(path)?;
    let head = pe(&file)?;
    let code = head.sections.iter();
    let code = code.filter(|it| it.executable && !it.writable);
    // Sections of a file that somebody made up may all lie at the same place of it.
    let all = code.clone().map(|it| u64::from(it.length));
    if all.fold(0, u64::saturating_add) > u64::try_from(file.len()).ok()? {
        return None;
    }
    let sections = code.map(|section| {
        let expected = head.loaded(&file, section, base)?;
        Some((section.clone(), expected))
    });
    let sections = sections.collect::<Option<Vec<_>>>()?;
    Some(Loaded { head, sections })
}

fn length(loaded: &Loaded) -> usize {
    let lengths = loaded.sections.iter().map(|(_, bytes)| bytes.len());
    lengths.fold(0, usize::saturating_add)
}

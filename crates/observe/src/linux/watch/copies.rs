//! Copies of programs for the case: the helper opens what we have no right to, and hands it over.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;

use model::{FileIdentity, ProcessId};

use crate::linux::helper::{self, Helper, Request, Why};
use crate::{FileVersion, ProgramCopy};

/// So many processes may wait to be asked for.
const MOST_WANTED: usize = 256;
/// So many files may be open that nobody has taken yet.
const MOST_OPEN: usize = 32;
const MOST_MAPS_BYTES: u64 = 1024 * 1024;

#[derive(Default)]
pub(super) struct Copies {
    wanted: VecDeque<ProcessId>,
    /// Of the first that is wanted the file has been asked for, and the map not yet.
    half_asked: bool,
    /// Answers come in the order of questions.
    asked: VecDeque<ProcessId>,
    /// Of the first that was asked for.
    file: Option<Result<File, String>>,
    ready: Vec<ProgramCopy>,
}

impl Copies {
    /// False: too many wait.
    pub(super) fn want(&mut self, process: ProcessId) -> bool {
        let room = self.wanted.len() < MOST_WANTED;
        if room {
            self.wanted.push_back(process);
        }
        room
    }

    /// Asks for what is wanted, without waiting.
    pub(super) fn ask(&mut self, helper: &mut Helper) {
        while let Some(id) = self.wanted.front().copied() {
            let ProcessId {
                pid, start_ticks, ..
            } = id;
            let has_room = self.asked.len() + self.ready.len() < MOST_OPEN;
            if !self.half_asked {
                if !has_room || !helper.ask(Request::File { pid, start_ticks }) {
                    return;
                }
                self.half_asked = true;
                self.asked.push_back(id);
            }
            if !helper.ask(Request::Maps { pid, start_ticks }) {
                return;
            }
            self.half_asked = false;
            self.wanted.pop_front();
        }
    }

    pub(super) fn answered(&mut self, request: Request, opened: Result<OwnedFd, Why>) {
        if matches!(request, Request::File { .. }) {
            self.file = Some(opened.map(File::from).map_err(why));
        } else if let (Some(process), Some(file)) = (self.asked.pop_front(), self.file.take()) {
            let maps = opened.ok().and_then(|maps| read(File::from(maps)));
            self.ready.push(copy(process, file, maps));
        }
    }

    /// Opens what is wanted ourselves, as far as we may.
    pub(super) fn open(&mut self) {
        while self.ready.len() < MOST_OPEN
            && let Some(process) = self.wanted.pop_front()
        {
            let ProcessId {
                pid, start_ticks, ..
            } = process;
            let file = helper::open(pid, start_ticks);
            let file = file.map(File::from).map_err(why);
            let maps = helper::maps(pid, start_ticks).ok();
            self.ready.push(copy(process, file, maps));
        }
    }

    /// There is nobody any more who could.
    pub(super) fn give_up(&mut self) {
        if self.half_asked {
            self.wanted.pop_front();
            self.half_asked = false;
        }
        self.file = None;
        for process in self.asked.drain(..).chain(self.wanted.drain(..)) {
            let why = "the process that kept the rights to has ended";
            self.ready.push(copy(process, Err(why.to_owned()), None));
        }
    }

    pub(super) fn take(&mut self) -> Vec<ProgramCopy> {
        std::mem::take(&mut self.ready)
    }
}

fn copy(process: ProcessId, file: Result<File, String>, maps: Option<Vec<u8>>) -> ProgramCopy {
    let version = file.as_ref().ok().and_then(version);
    ProgramCopy {
        process,
        file,
        version,
        maps,
    }
}

fn version(file: &File) -> Option<FileVersion> {
    let about = file.metadata().ok()?;
    Some(FileVersion {
        file: FileIdentity {
            device: about.dev(),
            inode: about.ino(),
        },
        bytes: about.size(),
        modified: (about.mtime(), about.mtime_nsec()),
        changed: (about.ctime(), about.ctime_nsec()),
    })
}

fn read(maps: File) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    maps.take(MOST_MAPS_BYTES).read_to_end(&mut text).ok()?;
    Some(text)
}

fn why(why: Why) -> String {
    match why {
        Why::Gone => "the process has ended".to_owned(),
        Why::OtherFile => "it runs another file now".to_owned(),
        Why::NotAFile => "it is not an ordinary file".to_owned(),
        Why::TooLarge => "it is larger than 1 GiB".to_owned(),
        Why::Elsewhere => {
            "it lies on a file system that another computer or a program answers for".to_owned()
        }
        Why::Changed => "it changed while it was read".to_owned(),
        Why::Failed(errno) => errno.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::BootId;

    fn own() -> ProcessId {
        let text = std::fs::read("/proc/self/stat").unwrap();
        let stat = crate::parse::proc_pid::stat(&text).unwrap();
        ProcessId {
            boot: BootId([1; 16]),
            pid: std::process::id(),
            start_ticks: stat.start_ticks,
        }
    }

    #[test]
    fn what_we_may_read_is_there_at_once() {
        let mut copies = Copies::default();
        let other = ProcessId {
            start_ticks: own().start_ticks + 1,
            ..own()
        };
        assert!(copies.want(own()) && copies.want(other));
        copies.open();
        let [mine, gone] = &copies.take()[..] else {
            panic!("two were wanted");
        };
        assert_eq!((mine.process, gone.process), (own(), other));
        assert!(mine.file.as_ref().unwrap().metadata().unwrap().len() > 1000);
        let maps = String::from_utf8(mine.maps.clone().unwrap()).unwrap();
        assert!(maps.contains("[stack]"), "{maps}");
        assert_eq!(gone.file.as_ref().unwrap_err(), "the process has ended");
        assert_eq!((gone.maps.as_ref(), gone.version), (None, None));
        assert_eq!(
            mine.version,
            version(&File::open("/proc/self/exe").unwrap())
        );
        assert!(copies.take().is_empty());
    }

    #[test]
    fn what_cannot_be_had_is_said() {
        let mut copies = Copies::default();
        let room = (0..2 * MOST_WANTED).filter(|_| copies.want(own())).count();
        assert_eq!(room, MOST_WANTED);
        copies.give_up();
        let given = copies.take();
        assert_eq!(given.len(), MOST_WANTED);
        assert!(given.iter().all(|copy| copy.file.is_err()));
    }
}

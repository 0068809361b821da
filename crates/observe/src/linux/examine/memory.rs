//! The memory of the process that is examined: which pages it has for itself, what is in them, and the
//! files that they came from.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

use model::Untested;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Statx, StatxAttributes, StatxFlags};
use rustix::io::Errno;

use super::Subject;
use super::lookup::{Identity, Sight, reopen, status_of_file};
use super::subject::untested;
use crate::parse::auxiliary_vector;
use crate::parse::memory_map::Region;

const MOST_VECTOR_BYTES: u64 = 4096;
const PAGE: u64 = 4096;
const LARGEST_PAGE: u64 = 64 * 1024;

/// What is in its memory.
#[derive(Debug)]
pub(super) struct Memory(File);

impl Memory {
    /// Errors: also `NoRights` where the kernel lets nobody read it (kernel.yama.ptrace_scope = 3).
    pub(super) fn open(subject: &Subject) -> Result<Self, Untested> {
        Ok(Self(File::from(subject.open_own(c"mem")?)))
    }

    /// So many bytes from there on; fewer where the rest is not there or must not be read.
    pub(super) fn read(&self, address: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        let read = self.0.read_at(&mut bytes, address).unwrap_or(0);
        bytes.truncate(read);
        bytes
    }
}

/// The size of its pages, in bytes.
pub(super) fn page_size(subject: &Subject) -> u64 {
    let told = subject.file(c"auxv", MOST_VECTOR_BYTES).ok();
    let size = told.and_then(|told| auxiliary_vector::page_size(&told));
    let is_one = |size: &u64| size.is_power_of_two() && (PAGE..=LARGEST_PAGE).contains(size);
    size.filter(is_one).unwrap_or(PAGE)
}

/// Where the kernel started it. `None`: it does not say.
pub(super) fn entry(subject: &Subject) -> Result<Option<u64>, Untested> {
    let told = subject.file(c"auxv", MOST_VECTOR_BYTES)?;
    Ok(auxiliary_vector::entry(&told))
}

/// What the kernel knows of the file of a region. Unlike the numbers in `maps` it is what stat(2) says
/// of that file by its path, on btrfs and overlayfs too.
///
/// Errors: `NoRights` without CAP_CHECKPOINT_RESTORE.
pub(super) fn status_of(subject: &Subject, region: &Region) -> Result<Statx, Untested> {
    let flags = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT;
    let wanted = StatxFlags::BASIC_STATS | StatxFlags::MNT_ID;
    let name = name_of(region);
    rustix::fs::statx(subject.folder(), name, flags, wanted).map_err(untested)
}

/// The file of a region, open for reading, whatever lies at its path by now.
///
/// Errors: `Ended`: the region has gone. `Elsewhere`: reading might wait for somebody. `Unreadable`: it
/// is no regular file.
pub(super) fn open_file_of(
    subject: &Subject,
    region: &Region,
    sight: &Sight,
) -> Result<File, Untested> {
    let status = match status_of(subject, region) {
        // Without the right to that, what lies at its path will do, where it is the same.
        Err(Untested::NoRights) => return open_by_path(region, sight),
        status => status?,
    };
    if FileType::from_raw_mode(status.stx_mode.into()) != FileType::RegularFile {
        return Err(Untested::Unreadable);
    }
    // Files that live in memory only are on a mount that is on no list.
    if !region.is_of_memory_file() && !sight.mounts().is_near(&status) {
        return Err(Untested::Elsewhere);
    }
    // A file that is opened only as a path makes nobody wait.
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let name = name_of(region);
    let path = rustix::fs::openat(subject.folder(), name, flags, Mode::empty());
    let file = reopen(&path.map_err(untested)?)?;
    // The region may be another one by now.
    let opened = Identity::from(&status_of_file(&file)?);
    let is_same = opened == Identity::from(&status);
    is_same.then_some(file).ok_or(Untested::Ended)
}

fn open_by_path(region: &Region, sight: &Sight) -> Result<File, Untested> {
    let file = sight.open(region.name.bytes())?;
    let own = Identity {
        device: region.device,
        inode: region.inode,
    };
    let is_same = Identity::from(&status_of_file(&file)?) == own;
    is_same.then_some(file).ok_or(Untested::NoRights)
}

/// Whether its pages are the memory of a device and never copied into another one (DAX): what the
/// kernel says of such pages looks as if they were private.
pub(super) fn is_on_memory_device(status: &Statx) -> bool {
    status.stx_attributes.contains(StatxAttributes::DAX)
}

/// kernel: fs/proc/base.c, proc_map_files_lookup.
fn name_of(region: &Region) -> String {
    format!("map_files/{:x}-{:x}", region.start, region.end)
}

/// Which pages it has for itself (ioctl PAGEMAP_SCAN since Linux 6.7, and what was there before).
#[derive(Debug)]
pub(super) struct Pages {
    file: File,
    page_size: u64,
    is_old: std::cell::Cell<bool>,
}

/// struct page_region (include/uapi/linux/fs.h).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
struct PageRegion {
    start: u64,
    end: u64,
    categories: u64,
}

/// struct pm_scan_arg (include/uapi/linux/fs.h).
#[repr(C)]
#[derive(Debug, Default)]
struct PageScan {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    vec: u64,
    vec_len: u64,
    max_pages: u64,
    category_inverted: u64,
    category_mask: u64,
    category_anyof_mask: u64,
    return_mask: u64,
}

/// The length of [`PageScan`] in bytes.
const PAGE_SCAN_BYTES: u8 = 96;
/// `_IOWR('f', 16, struct pm_scan_arg)`.
const PAGEMAP_SCAN: u32 = u32::from_be_bytes([0xc0, PAGE_SCAN_BYTES, b'f', 16]);
const IS_FILE: u64 = 1 << 2;
const IS_PRESENT: u64 = 1 << 3;
const IS_SWAPPED: u64 = 1 << 4;
/// So many runs of pages of one region are looked at.
const MOST_RUNS: usize = 256;
/// Documentation/admin-guide/mm/pagemap.rst: a word for each page.
const ENTRY_BYTES: u64 = 8;
const ENTRY_PRESENT: u64 = 1 << 63;
const ENTRY_SWAPPED: u64 = 1 << 62;
const ENTRY_IS_FILE: u64 = 1 << 61;
/// 8192 pages at once.
const ENTRIES_AT_ONCE: usize = 64 * 1024;
/// So many bytes of one region are looked at the old way: 1 GiB of 4 KiB pages.
const MOST_ENTRIES: u64 = 256 * 1024;

impl Pages {
    pub(super) fn open(subject: &Subject) -> Result<Self, Untested> {
        Ok(Self {
            file: File::from(subject.open_own(c"pagemap")?),
            page_size: page_size(subject),
            is_old: std::cell::Cell::new(false),
        })
    }

    pub(super) fn page_size(&self) -> u64 {
        self.page_size
    }

    /// Pages of a region whose bytes are its own and not those of its file: from, to (not included).
    pub(super) fn private(&self, region: &Region) -> Result<Vec<(u64, u64)>, Untested> {
        if !self.is_old.get() {
            match self.scanned(region) {
                Err(Errno::NOTTY) => self.is_old.set(true),
                found => return found.map_err(untested),
            }
        }
        self.read(region)
    }

    #[expect(unsafe_code, reason = "no wrapper knows this ioctl")]
    fn scanned(&self, region: &Region) -> Result<Vec<(u64, u64)>, Errno> {
        let mut runs = [PageRegion::default(); MOST_RUNS];
        let mut scan = PageScan {
            size: PAGE_SCAN_BYTES.into(),
            start: region.start,
            end: region.end,
            vec: address_of(runs.as_mut_ptr()),
            vec_len: u64::try_from(runs.len()).unwrap_or(0),
            // Those that are not of a file,
            category_inverted: IS_FILE,
            category_mask: IS_FILE,
            // and are there.
            category_anyof_mask: IS_PRESENT | IS_SWAPPED,
            return_mask: IS_FILE,
            ..PageScan::default()
        };
        let (file, scan) = (self.file.as_raw_fd(), &raw mut scan);
        // SAFETY: the kernel reads and writes `scan`, which has the size that it says, and writes at
        // most `vec_len` elements into `runs`; both outlive the call.
        let count = unsafe { libc::ioctl(file, PAGEMAP_SCAN.into(), scan) };
        let count = usize::try_from(count).map_err(|_| {
            Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
        })?;
        let runs = runs.iter().take(count);
        Ok(runs.map(|run| (run.start, run.end)).collect())
    }

    fn read(&self, region: &Region) -> Result<Vec<(u64, u64)>, Untested> {
        let mut runs: Vec<(u64, u64)> = Vec::new();
        let mut page = region.start / self.page_size;
        let end = region.end / self.page_size;
        let end = end.min(page.saturating_add(MOST_ENTRIES));
        let mut entries = vec![0; ENTRIES_AT_ONCE];
        while page < end && runs.len() < MOST_RUNS {
            let wanted = usize::try_from((end - page).saturating_mul(ENTRY_BYTES));
            let wanted = wanted.unwrap_or(ENTRIES_AT_ONCE).min(ENTRIES_AT_ONCE);
            let place = entries.get_mut(..wanted).unwrap_or_default();
            let read = self.file.read_at(place, page.saturating_mul(ENTRY_BYTES));
            let read = read.map_err(|_| Untested::Unreadable)?;
            let (words, _) = place.get(..read).unwrap_or_default().as_chunks::<8>();
            if words.is_empty() {
                break;
            }
            for word in words {
                let word = u64::from_ne_bytes(*word);
                let is_there = word & (ENTRY_PRESENT | ENTRY_SWAPPED) != 0;
                if is_there && word & ENTRY_IS_FILE == 0 {
                    let start = page.saturating_mul(self.page_size);
                    let end = start.saturating_add(self.page_size);
                    match runs.last_mut() {
                        Some(last) if last.1 == start => last.1 = end,
                        _ => runs.push((start, end)),
                    }
                }
                page = page.saturating_add(1);
            }
        }
        Ok(runs)
    }
}

fn address_of<T>(pointer: *mut T) -> u64 {
    u64::try_from(pointer.expose_provenance()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::examine::victims::subject_of;

    /// Both ways tell the same of a process whose text was written to.
    #[test]
    #[expect(clippy::print_stderr, reason = "a test that did not run has to say so")]
    fn both_ways_find_the_same_pages() {
        assert_eq!(size_of::<PageScan>(), usize::from(PAGE_SCAN_BYTES));
        let subject = subject_of(std::process::id());
        let pages = Pages::open(&subject).unwrap();
        let mut compared = 0;
        for region in subject.regions().unwrap() {
            // Memory of threads changes meanwhile; what was relocated does not.
            if !region.is_of_file() || region.shared || region.writable {
                continue;
            }
            let Ok(scanned) = pages.scanned(region) else {
                eprintln!(
                    "skipped: both_ways_find_the_same_pages: this kernel does not know PAGEMAP_SCAN"
                );
                return;
            };
            assert_eq!(scanned, pages.read(region).unwrap(), "{region:?}");
            compared += scanned.len();
        }
        assert!(compared > 0);
    }
}

//! A file that was imported into a case, read where it lies: decrypted on its way where the case is
//! encrypted, and held against the manifest at its end.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use observe::import::{Error, Import, Options};
use record::case::{self, CaseReader, OpenCase};

/// A file of a case.
#[derive(Clone)]
pub(super) struct Kept {
    case: Arc<OpenCase>,
    name: String,
    bytes: u64,
    fault: Fault,
}

/// Why one cannot be read.
pub(super) enum Unread {
    NoImport(Error),
    Case(case::Error),
}

/// What failed of reading: a format takes it for an end in the middle.
type Fault = Arc<Mutex<Option<io::Error>>>;

impl Kept {
    pub(super) fn new(case: &Arc<OpenCase>, name: String, bytes: u64) -> Self {
        Self {
            case: Arc::clone(case),
            name,
            bytes,
            fault: Fault::default(),
        }
    }

    /// Errors: it cannot be read, or is of no kind that is known.
    pub(super) fn open(&self, options: Options) -> Result<Import, Unread> {
        let reader = self.case.file(&self.name).map_err(Unread::Case)?;
        let watched = Watched {
            reader,
            fault: Arc::clone(&self.fault),
        };
        Import::read(watched, self.bytes, options).map_err(|error| match self.fault() {
            Some(fault) => Unread::Case(fault),
            None => Unread::NoImport(error),
        })
    }

    /// What has failed of a file that is not read any further. `None`: nothing.
    pub(super) fn failed(&self, import: &mut Import) -> Option<case::Error> {
        // What fails here is in `fault`, or is damage that the format has told of.
        let _ = import.read_rest();
        self.fault()
    }

    fn fault(&self) -> Option<case::Error> {
        let fault = self.fault.lock();
        let fault = fault.unwrap_or_else(PoisonError::into_inner).take()?;
        Some(self.case.fault_in(&self.name, fault))
    }
}

/// Keeps the error that ends it.
struct Watched {
    reader: CaseReader,
    fault: Fault,
}

impl Read for Watched {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.reader.read(to).map_err(|error| {
            let kind = error.kind();
            if kind != io::ErrorKind::Interrupted {
                let fault = self.fault.lock();
                *fault.unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
            kind.into()
        })
    }
}

//! What a reviewer adds to a case: the answers of others, and what is still to be asked elsewhere. It
//! stands in one SQLite file beside the folder of the case, `<case>.review.sqlite`, so that the case
//! itself stays as it was sealed. Nothing in it is ever written over or taken away but what is to be asked.

mod rows;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::{Enrichment, OnlineSource, Question, Timestamp};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

/// What stands behind the name of the case.
const ENDING: &str = ".review.sqlite";
/// `wcal`, at a place of the file where SQLite keeps it (sqlite.org/fileformat.html, 1.3).
const APPLICATION: i32 = 0x7763_616c;
const VERSION: i32 = 1;
/// Longer files are not read: an answer has a megabyte at most, and a case has thousands of them.
const MOST_BYTES: u64 = 16 << 30;
/// So long another program may be writing.
const BUSY: Duration = Duration::from_secs(10);
/// What a text or a message may have (SQLite's own limit is a thousand times as much).
const LONGEST_VALUE: i32 = 64 << 20;

const TABLES: &str = "
CREATE TABLE enrichment (
  id INTEGER PRIMARY KEY,
  source TEXT NOT NULL,
  kind TEXT NOT NULL,
  question TEXT NOT NULL,
  asked_ns INTEGER NOT NULL,
  tool TEXT NOT NULL,
  failure TEXT,
  failure_text TEXT,
  failure_more TEXT,
  failure_number INTEGER
) STRICT;
CREATE INDEX enrichment_of ON enrichment (question, source, asked_ns);
CREATE TABLE reply (
  enrichment INTEGER NOT NULL REFERENCES enrichment (id),
  place INTEGER NOT NULL,
  asked TEXT NOT NULL,
  host TEXT NOT NULL,
  status INTEGER,
  sha256 TEXT NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (enrichment, place)
) STRICT;
CREATE TABLE ask_elsewhere (
  kind TEXT NOT NULL,
  question TEXT NOT NULL,
  added_ns INTEGER NOT NULL,
  PRIMARY KEY (kind, question)
) STRICT;
";

/// Why it cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{} was not made by this program: it is not read and not changed", .0.display())]
    Foreign(PathBuf),
    #[error("{} is of a newer version of this program", .0.display())]
    Newer(PathBuf),
    #[error("{} is no file", .0.display())]
    NoFile(PathBuf),
    #[error("{} is larger than {MOST_BYTES} bytes", .0.display())]
    TooLarge(PathBuf),
    #[error("{} cannot be used", .0.display())]
    Sqlite(PathBuf, #[source] rusqlite::Error),
    #[error("{}", .0.display())]
    Io(PathBuf, #[source] std::io::Error),
}

/// Whoever waits for a FIFO waits for ever.
fn check(path: &Path, about: &fs::Metadata) -> Result<(), Error> {
    if !about.is_file() {
        return Err(Error::NoFile(path.to_owned()));
    }
    if about.len() > MOST_BYTES {
        return Err(Error::TooLarge(path.to_owned()));
    }
    Ok(())
}

/// The file that belongs to the folder of a case.
pub fn path_of(case: &Path) -> PathBuf {
    // `.` and `..` have no name of their own, and `case/` and `case/.` none at their end.
    let whole = match case.file_name() {
        Some(_) => None,
        None => case.canonicalize().ok(),
    };
    let case: PathBuf = whole.as_deref().unwrap_or(case).components().collect();
    let mut name = OsString::from(case);
    name.push(ENDING);
    PathBuf::from(name)
}

/// The answers and the questions of one case.
pub struct Review {
    path: PathBuf,
    database: Connection,
}

impl Review {
    /// What is there, for reading alone. `None`: nothing yet.
    ///
    /// Errors: it is damaged, or of another program.
    pub fn read(path: &Path) -> Result<Option<Self>, Error> {
        match fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::Io(path.to_owned(), error)),
            Ok(about) => check(path, &about)?,
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Self::open(path, flags)?.checked().map(Some)
    }

    /// What is there, or a new file, for writing.
    ///
    /// Errors: as [`Review::read`], or it cannot be made.
    pub fn write(path: &Path) -> Result<Self, Error> {
        let is_new = match fs::metadata(path) {
            Ok(about) => check(path, &about).map(|()| false)?,
            Err(_) => true,
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let review = Self::open(path, flags)?;
        if is_new || review.is_empty()? {
            review.make()?;
        }
        review.checked()
    }

    /// One that is kept nowhere, until it is saved.
    ///
    /// Errors: no memory for it.
    pub fn in_memory() -> Result<Self, Error> {
        let path = PathBuf::from(":memory:");
        let database =
            Connection::open_in_memory().map_err(|it| Error::Sqlite(path.clone(), it))?;
        let review = Self { path, database };
        review.make()?;
        Ok(review)
    }

    fn open(path: &Path, flags: OpenFlags) -> Result<Self, Error> {
        let opened = Connection::open_with_flags(path, flags);
        let database = opened.map_err(|it| Error::Sqlite(path.to_owned(), it))?;
        let review = Self {
            path: path.to_owned(),
            database,
        };
        review.done(review.harden())?;
        Ok(review)
    }

    /// The file may come from anybody: what is in its schema is not believed.
    fn harden(&self) -> rusqlite::Result<()> {
        let it = &self.database;
        it.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        it.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        it.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
        it.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
        it.busy_timeout(BUSY)?;
        it.pragma_update(None, "cell_size_check", true)
    }

    fn make(&self) -> Result<(), Error> {
        let text = format!(
            "BEGIN; {TABLES} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT;"
        );
        self.done(self.database.execute_batch(&text))
    }

    fn is_empty(&self) -> Result<bool, Error> {
        let count = "SELECT count(*) FROM sqlite_schema";
        let count: i64 = self.done(self.database.query_row(count, [], |row| row.get(0)))?;
        Ok(count == 0)
    }

    fn checked(self) -> Result<Self, Error> {
        let pragma = |name| {
            self.database
                .pragma_query_value(None, name, |row| row.get(0))
        };
        let application: i32 = self.done(pragma("application_id"))?;
        let version: i32 = self.done(pragma("user_version"))?;
        if application != APPLICATION {
            return Err(Error::Foreign(self.path));
        }
        if version > VERSION {
            return Err(Error::Newer(self.path));
        }
        self.database
            .set_limit(rusqlite::limits::Limit::SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
            .map_err(|error| Error::Sqlite(self.path.clone(), error))?;
        Ok(self)
    }

    fn done<T>(&self, result: rusqlite::Result<T>) -> Result<T, Error> {
        result.map_err(|error| Error::Sqlite(self.path.clone(), error))
    }

    /// Keeps an answer, or that there was none; on the disk when it returns. `tool`: which version of this
    /// program asked.
    ///
    /// Errors: of the file.
    pub fn add(&mut self, enrichment: &Enrichment, tool: &str) -> Result<(), Error> {
        let added = rows::add(&mut self.database, enrichment, tool);
        self.done(added)
    }

    /// Calls `each` with all answers, oldest first. What this build cannot read is counted.
    ///
    /// Errors: of the file.
    pub fn each(&self, each: &mut dyn FnMut(Enrichment)) -> Result<u64, Error> {
        self.done(rows::each(&self.database, each))
    }

    /// What one source said of one question, the newest first.
    ///
    /// Errors: of the file.
    pub fn of(&self, source: OnlineSource, question: &Question) -> Result<Vec<Enrichment>, Error> {
        self.done(rows::of(&self.database, source, question))
    }

    /// All of it, as the file of it would be.
    ///
    /// Errors: no memory for it.
    pub fn bytes(&mut self) -> Result<Vec<u8>, Error> {
        let bytes = self.database.serialize("main").map(|it| it.to_vec());
        self.done(bytes)
    }

    /// Something is to be asked about from another computer; once is enough.
    ///
    /// Errors: of the file.
    pub fn ask_elsewhere(&self, question: &Question, now: Timestamp) -> Result<(), Error> {
        let row = params![question.kind(), question.to_string(), now.unix_nanos()];
        let insert =
            "INSERT OR IGNORE INTO ask_elsewhere (kind, question, added_ns) VALUES (?, ?, ?)";
        self.done(self.database.execute(insert, row)).map(drop)
    }

    /// It need not be asked any more.
    ///
    /// Errors: of the file.
    pub fn ask_no_more(&self, question: &Question) -> Result<(), Error> {
        let row = params![question.kind(), question.to_string()];
        let delete = "DELETE FROM ask_elsewhere WHERE kind = ? AND question = ?";
        self.done(self.database.execute(delete, row)).map(drop)
    }

    /// What is to be asked, in the order in which it was added.
    ///
    /// Errors: of the file.
    pub fn to_ask(&self) -> Result<Vec<(Question, Timestamp)>, Error> {
        self.done(rows::to_ask(&self.database))
    }

    /// Whether something is to be asked about.
    ///
    /// Errors: of the file.
    pub fn is_to_be_asked(&self, question: &Question) -> Result<bool, Error> {
        let select = "SELECT 1 FROM ask_elsewhere WHERE kind = ? AND question = ?";
        let row = params![question.kind(), question.to_string()];
        let found = self.database.query_row(select, row, |_| Ok(())).optional();
        self.done(found).map(|it| it.is_some())
    }
}

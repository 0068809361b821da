//! Reads the lines of one segment from wherever they are.

use std::io::{self, BufRead, Read as _};

use super::decoder::Decoder;
use super::{Error, Fault, Line};

/// A line is not longer. What a process or a user can choose makes some 2 MiB.
const MOST: usize = 16 * 1024 * 1024;

/// The lines of one segment. After an error there are no more.
#[derive(Debug)]
pub struct Lines<R> {
    reader: R,
    decoder: Decoder,
    buffer: Vec<u8>,
    /// Which line is read, from 1.
    line: u64,
    /// Where the next line begins.
    byte: u64,
    unknown: u64,
    cut: Option<Cut>,
    over: bool,
}

/// What a crash left unfinished, which is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Of a line that does not end.
    pub bytes: u64,
    /// A look of which the rest is missing.
    pub look: bool,
}

impl<R: BufRead> Lines<R> {
    pub fn new(reader: R) -> Self {
        Self {
            reader,
            decoder: Decoder::default(),
            buffer: Vec::new(),
            line: 0,
            byte: 0,
            unknown: 0,
            cut: None,
            over: false,
        }
    }

    /// Lines that this build knows nothing of, so far: of other types, or with other words.
    pub fn unknown(&self) -> u64 {
        self.unknown
    }

    /// `None`: the last line ended, and no look was left open.
    pub fn cut(&self) -> Option<Cut> {
        self.cut
    }

    /// How far it has read, in bytes of the segment.
    pub fn byte(&self) -> u64 {
        self.byte
    }

    /// Reads to the end what is not taken for lines.
    ///
    /// Errors: of reading.
    pub fn skip_rest(&mut self) -> io::Result<()> {
        self.over = true;
        io::copy(&mut self.reader, &mut io::sink()).map(|_| ())
    }

    fn read(&mut self) -> Result<Option<Line>, Error> {
        loop {
            self.buffer.clear();
            self.line += 1;
            if !self.read_line()? {
                return Ok(None);
            }
            let line = self.decoder.line(&self.buffer);
            let begins = self.byte;
            self.byte += u64::try_from(self.buffer.len()).unwrap_or(u64::MAX) + 1;
            match line {
                Ok(Some(Line::Unknown)) | Err(Fault::Strange) => {
                    self.unknown += 1;
                    return Ok(Some(Line::Unknown));
                }
                Ok(Some(line)) => return Ok(Some(line)),
                Ok(None) => {}
                Err(fault) => return Err(self.error(fault, begins)),
            }
        }
    }

    /// Whether there was a whole line; it is without its end.
    fn read_line(&mut self) -> Result<bool, Error> {
        // With the end of the line.
        let most = u64::try_from(MOST).unwrap_or(u64::MAX).saturating_add(1);
        let mut piece = self.reader.by_ref().take(most);
        let read = piece.read_until(b'\n', &mut self.buffer)?;
        if self.buffer.pop_if(|last| *last == b'\n').is_some() {
            return Ok(true);
        }
        if read > MOST {
            return Err(self.error(Fault::Wrong("the line is longer than 16 MiB"), self.byte));
        }
        let bytes = u64::try_from(read).unwrap_or(u64::MAX);
        let look = self.decoder.is_within();
        self.cut = (bytes > 0 || look).then_some(Cut { bytes, look });
        Ok(false)
    }

    fn error(&self, fault: Fault, begins: u64) -> Error {
        let (why, column) = match fault {
            Fault::Foreign => return Error::Foreign,
            Fault::TooNew(found) => return Error::TooNew { found },
            Fault::Strange => ("a word is not known".to_owned(), 0),
            Fault::Wrong(why) => (why.to_owned(), 0),
            Fault::Json(error) => {
                let text = error.to_string();
                let why = text.split(" at line ").next().unwrap_or_default();
                (why.to_owned(), error.column().saturating_sub(1))
            }
        };
        Error::Damaged {
            line: self.line,
            byte: begins.saturating_add(u64::try_from(column).unwrap_or(0)),
            why,
        }
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<Line, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let line = self.read().transpose();
        self.over = !matches!(line, Some(Ok(_)));
        line
    }
}

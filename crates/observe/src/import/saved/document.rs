//! A document: one object, of any length, whose lists are read item by item.

use std::io;

use super::super::format::{Format, Out};
use super::super::input::Input;
use super::super::json::Value;
use super::known::Known;
use super::pieces::{Piece, Pieces};

/// So many pieces are read at once.
const PIECES: usize = 512;

#[derive(Default)]
pub(super) struct Document {
    pieces: Pieces,
    known: Known,
    is_told: bool,
    /// Items of each list that were met, to name what is not understood.
    items: u64,
}

impl Format for Document {
    fn read(&mut self, input: &mut Input, out: &mut Out) -> io::Result<bool> {
        for _ in 0..PIECES {
            let piece = self.pieces.next(input)?;
            match piece {
                Piece::Member { name, value } => {
                    self.known.head(name, Value::of(value), out);
                }
                Piece::Item { list, value } => {
                    // What is said of the whole stands before all lists but that of gaps.
                    if list != b"gaps" && !std::mem::replace(&mut self.is_told, true) {
                        self.known.tell_look(out);
                    }
                    self.items += 1;
                    let value = Value::of(value);
                    let told = match list {
                        b"processes" => self.known.process(value, out),
                        b"connections" => self.known.connection(value, out),
                        b"gaps" => self.known.gap(value, out),
                        _ => Ok(()),
                    };
                    if let Err(why) = told {
                        let (list, number) = (String::from_utf8_lossy(list), self.items);
                        out.skip(|| format!("item {number}, of {list}"), || why.to_owned());
                    }
                }
                Piece::TooLong { at } => {
                    out.skip(
                        || format!("byte {at}"),
                        || "a part longer than 1 MiB".to_owned(),
                    );
                }
                Piece::Cut { at } => {
                    out.cut(format!("byte {at}"));
                    return Ok(self.end(out));
                }
                Piece::End => return Ok(self.end(out)),
            }
        }
        Ok(true)
    }
}

impl Document {
    fn end(&mut self, out: &mut Out) -> bool {
        self.known.tell_look(out);
        self.known.end(out);
        false
    }
}

//! A stream: an object on each line, with its `type`.

use std::io;

use super::super::format::{Format, Out};
use super::super::input::Input;
use super::super::json::Value;
use super::super::lines::Lines;
use super::known::Known;
use super::members::Members;

/// So many lines are read at once.
const LINES: usize = 512;

#[derive(Default)]
pub(super) struct Stream {
    lines: Lines,
    known: Known,
    is_over: bool,
}

impl Format for Stream {
    fn read(&mut self, input: &mut Input, out: &mut Out) -> io::Result<bool> {
        for _ in 0..LINES {
            let Some((_, line)) = self.lines.next(input, out)? else {
                self.known.end(out);
                if !self.is_over {
                    out.cut("the last line, which is no end".to_owned());
                }
                return Ok(false);
            };
            if line.trim_ascii().is_empty() {
                continue;
            }
            let told = match Value::object(line) {
                Some(object) => tell(object, &mut self.known, &mut self.is_over, out),
                None => Err("it is no JSON object"),
            };
            if let Err(why) = told {
                self.lines.skip(out, why);
            }
        }
        Ok(true)
    }
}

/// What is of another type is passed over: it tells nothing that these do not.
fn tell(
    line: Value<'_>,
    known: &mut Known,
    is_over: &mut bool,
    out: &mut Out,
) -> Result<(), &'static str> {
    let kind = line.member("type").and_then(Value::plain);
    match kind.ok_or("it has no type")? {
        b"start" => {
            for (name, value) in line.members() {
                known.head(name, value, out);
            }
            known.tell_look(out);
        }
        b"process" => known.process(line, out)?,
        b"connection" => known.connection(line, out)?,
        b"gap" => known.gap(line, out)?,
        b"end" => {
            *is_over = true;
            let end = Members::of(line).time("time", out);
            known.look.until = end.filter(|it| Some(*it) != known.look.taken);
            known.tell_look(out);
        }
        _ => {}
    }
    Ok(())
}

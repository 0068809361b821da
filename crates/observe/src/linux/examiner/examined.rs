//! The result of an examination as bytes. It is always whole and never longer than wanted: traces that
//! there is no room for are counted, and the first of a check, which has to be there, goes without its
//! texts then.

use model::{
    Check, Display, Examined, Outcome, Package, PackageManager, PackageState, Sign, Text, Trace,
    Untested,
};

/// The kernel shows no longer path.
const LONGEST_TEXT: usize = 4096;
/// Of names and versions of packages.
const LONGEST_WORD: usize = 512;
/// Its number, what it said, how many more there are, how many follow, and a trace without texts.
const BARE_CHECK: usize = 72;
/// How many checks there are; package and display.
const REST: usize = 16 + 2 * LONGEST_WORD;

/// The least that [`bytes`] may be asked for.
const LEAST: usize = REST + Check::ALL.len() * BARE_CHECK;

/// At most `most` bytes; that has to be room enough for all checks with one trace each that has no
/// texts.
pub(super) fn bytes(examined: &Examined, most: usize) -> Vec<u8> {
    let room = most.saturating_sub(LEAST);
    let plans = plan(examined, room);
    let mut out = vec![length(examined.checks.len())];
    for (made, plan) in examined.checks.iter().zip(plans) {
        out.push(code(made.check));
        match &made.outcome {
            Outcome::NothingFound => out.push(0),
            Outcome::NotTestable(why) => out.extend([1, code(*why)]),
            Outcome::Found { traces, more } => {
                out.push(2);
                let left_out = u32::try_from(traces.len() - plan.count).unwrap_or(u32::MAX);
                out.extend(more.saturating_add(left_out).to_ne_bytes());
                out.push(length(plan.count));
                for trace in traces.iter().take(plan.count) {
                    put_trace(trace, plan.has_texts, &mut out);
                }
            }
        }
    }
    match &examined.package {
        None => out.push(u8::MAX),
        Some(package) => {
            out.push(code(package.state));
            put_text(package.name.as_ref().map(word).as_ref(), &mut out);
            put_text(package.version.as_ref().map(word).as_ref(), &mut out);
            out.push(package.manager.map_or(u8::MAX, code));
        }
    }
    out.push(examined.display.map_or(u8::MAX, code));
    out
}

/// How many traces of a check go along.
#[derive(Clone, Copy)]
struct Plan {
    count: usize,
    has_texts: bool,
}

/// The first trace of all checks comes first, then the second: none takes the room of all others.
fn plan(examined: &Examined, mut room: usize) -> Vec<Plan> {
    let none = Plan {
        count: 0,
        has_texts: true,
    };
    let mut plans = vec![none; examined.checks.len()];
    for round in 0..Outcome::MOST_TRACES {
        for (made, plan) in examined.checks.iter().zip(&mut plans) {
            let Outcome::Found { traces, .. } = &made.outcome else {
                continue;
            };
            let Some(trace) = traces.get(round).filter(|_| plan.count == round) else {
                continue;
            };
            let mut bytes = Vec::new();
            put_trace(trace, true, &mut bytes);
            if let Some(left) = room.checked_sub(bytes.len()).filter(|_| plan.has_texts) {
                room = left;
                plan.count += 1;
            } else if round == 0 {
                // Its room is kept for it.
                (plan.count, plan.has_texts) = (1, false);
            }
        }
    }
    plans
}

fn put_trace(trace: &Trace, has_texts: bool, out: &mut Vec<u8>) {
    out.push(code(trace.sign));
    for text in [&trace.path, &trace.package, &trace.name] {
        put_text(text.as_ref().filter(|_| has_texts), out);
    }
    for number in [trace.address, trace.length] {
        out.push(number.is_some().into());
        out.extend(number.iter().flat_map(|it| it.to_ne_bytes()));
    }
    for bytes in [&trace.bytes, &trace.expected] {
        let bytes = bytes.as_deref();
        let kept = bytes.map(|it| it.get(..Trace::MOST_BYTES).unwrap_or(it));
        out.push(kept.map_or(u8::MAX, |it| length(it.len())));
        out.extend(kept.unwrap_or_default());
    }
    out.push(trace.pid.is_some().into());
    out.extend(trace.pid.iter().flat_map(|it| it.to_ne_bytes()));
}

/// What is longer than a path may be is cut off.
pub(super) fn put_text(text: Option<&Text>, out: &mut Vec<u8>) {
    let Some(text) = text else {
        return out.extend(u16::MAX.to_ne_bytes());
    };
    let bytes = text.bytes();
    let kept = bytes.get(..LONGEST_TEXT).unwrap_or(bytes);
    let length = u16::try_from(kept.len()).unwrap_or_default();
    out.extend(length.to_ne_bytes());
    out.extend(kept);
}

fn word(text: &Text) -> Text {
    let bytes = text.bytes();
    bytes.get(..LONGEST_WORD - 2).unwrap_or(bytes).into()
}

fn length(length: usize) -> u8 {
    u8::try_from(length).unwrap_or(u8::MAX)
}

/// Its place in the list of all.
trait Listed: Copy + PartialEq + 'static {
    const LIST: &'static [Self];
}

macro_rules! listed {
    ($($name:ident)+) => {
        $(impl Listed for $name {
            const LIST: &'static [Self] = Self::ALL;
        })+
    };
}

listed!(Check Sign Untested PackageState PackageManager Display);

#[expect(private_bounds, reason = "only these have one")]
pub(super) fn code<T: Listed>(value: T) -> u8 {
    let at = T::LIST.iter().position(|it| *it == value);
    at.map_or(u8::MAX, length)
}

/// `None`: there is none with this code.
#[expect(private_bounds, reason = "only these have one")]
pub(super) fn of_code<T: Listed>(code: u8) -> Option<T> {
    T::LIST.get(usize::from(code)).copied()
}

/// What is left of a packet.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*first)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_ne_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_ne_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_ne_bytes)
    }

    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    /// Outside `None`: that is no text.
    pub(super) fn text(&mut self) -> Option<Option<Text>> {
        let length = self.array().map(u16::from_ne_bytes)?;
        if length == u16::MAX {
            return Some(None);
        }
        let length = usize::from(length);
        let bytes = self.bytes(length).filter(|_| length <= LONGEST_TEXT)?;
        Some(Some(bytes.into()))
    }

    fn is_there(&mut self) -> Option<bool> {
        match self.u8()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn number(&mut self) -> Option<Option<u64>> {
        Some(if self.is_there()? {
            Some(self.u64()?)
        } else {
            None
        })
    }

    fn piece(&mut self) -> Option<Option<Vec<u8>>> {
        let length = self.u8()?;
        if length == u8::MAX {
            return Some(None);
        }
        let length = usize::from(length);
        let bytes = self.bytes(length).filter(|_| length <= Trace::MOST_BYTES)?;
        Some(Some(bytes.to_vec()))
    }
}

/// `None`: that is none.
pub(super) fn parse(reader: &mut Reader<'_>) -> Option<Examined> {
    let mut examined = Examined::default();
    let mut last = None;
    for _ in 0..reader.u8()? {
        let check: Check = of_code(reader.u8()?)?;
        if last.replace(check).is_some_and(|last| last >= check) {
            return None;
        }
        examined.put(check, outcome(reader)?);
    }
    examined.package = match reader.u8()? {
        u8::MAX => None,
        state => Some(Package {
            state: of_code(state)?,
            name: reader.text()?,
            version: reader.text()?,
            manager: of_maybe(reader.u8()?)?,
        }),
    };
    examined.display = of_maybe(reader.u8()?)?;
    Some(examined)
}

fn of_maybe<T: Listed>(code: u8) -> Option<Option<T>> {
    match code {
        u8::MAX => Some(None),
        code => of_code(code).map(Some),
    }
}

fn outcome(reader: &mut Reader<'_>) -> Option<Outcome> {
    Some(match reader.u8()? {
        0 => Outcome::NothingFound,
        1 => Outcome::NotTestable(of_code(reader.u8()?)?),
        2 => {
            let more = reader.u32()?;
            let count = usize::from(reader.u8()?);
            if !(1..=Outcome::MOST_TRACES).contains(&count) {
                return None;
            }
            let traces = (0..count).map(|_| trace(reader));
            Outcome::Found {
                traces: traces.collect::<Option<_>>()?,
                more,
            }
        }
        _ => return None,
    })
}

fn trace(reader: &mut Reader<'_>) -> Option<Trace> {
    let sign = of_code(reader.u8()?)?;
    let (path, package, name) = (reader.text()?, reader.text()?, reader.text()?);
    let (address, length) = (reader.number()?, reader.number()?);
    let (bytes, expected) = (reader.piece()?, reader.piece()?);
    let pid = if reader.is_there()? {
        Some(reader.u32()?)
    } else {
        None
    };
    Some(Trace {
        sign,
        path,
        package,
        address,
        length,
        bytes,
        expected,
        pid,
        name,
    })
}

#[cfg(test)]
pub(super) mod tests;

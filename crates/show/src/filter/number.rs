//! Numbers, sizes, durations and severities: `443`, `>10MB`, `<=120s`, `1000-2000`, `>=medium`.

use std::fmt;

use super::error::{Fault, quoted, shown};

/// Which numbers are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Numbers {
    Compared(Relation, u64),
    /// Both ends included.
    Between(u64, u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    Above,
    AtLeast,
    Below,
    AtMost,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    U16,
    U32,
    U64,
    Bytes,
    /// In nanoseconds.
    Time,
    /// A place in [`SEVERITIES`].
    Severity,
}

/// What a number alone, without comparison, means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plain {
    Exactly,
    AtMost,
    /// Up to a tenth more or less.
    About,
}

/// From harmless to bad, as the public contract writes them.
pub(super) const SEVERITIES: [&str; 5] = ["informational", "low", "medium", "high", "critical"];

/// Longer operators first, so that `>=` is not read as `>`.
const RELATIONS: [(&str, Relation); 4] = [
    (">=", Relation::AtLeast),
    ("<=", Relation::AtMost),
    (">", Relation::Above),
    ("<", Relation::Below),
];

/// From large to small; the first that divides a size evenly prints it.
const SIZES: [(&str, u64); 4] = [
    ("T", 1 << 40),
    ("G", 1 << 30),
    ("M", 1 << 20),
    ("k", 1 << 10),
];

/// From large to small; the first that divides a duration evenly prints it.
const TIMES: [(&str, u64); 5] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", NANOS_PER_SECOND),
    ("ms", NANOS_PER_MS),
];

const NANOS_PER_SECOND: u64 = 1_000_000_000;
const NANOS_PER_MS: u64 = 1_000_000;

/// More digits than that after the point are below a nanosecond.
const MOST_DECIMALS: usize = 9;

impl Numbers {
    pub(super) fn parse(text: &str, unit: Unit, plain: Plain) -> Result<Self, Fault> {
        for (operator, relation) in RELATIONS {
            if let Some(number) = text.strip_prefix(operator) {
                if number.is_empty() {
                    return Err(
                        Fault::new(format!("nothing follows '{operator}'")).help(format!(
                            "write the value without a space: {operator}{}",
                            unit.example()
                        )),
                    );
                }
                return Ok(Self::Compared(relation, unit.parse(number)?));
            }
        }
        if let Some((low, high)) = text.split_once('-') {
            if low.is_empty() || high.is_empty() {
                let (operator, number) = if low.is_empty() {
                    ("<=", high)
                } else {
                    (">=", low)
                };
                return Err(
                    Fault::new(format!("{} is not a range", quoted(text))).help(format!(
                        "a range has two ends; with one write {operator}{}",
                        shown(number),
                    )),
                );
            }
            let (low, high) = (unit.parse(low)?, unit.parse(high)?);
            if low > high {
                return Err(Fault::new(format!("{} is an empty range", quoted(text)))
                    .help("write the smaller end first"));
            }
            return Ok(Self::Between(low, high));
        }
        let number = unit.parse(text)?;
        Ok(match plain {
            Plain::Exactly => Self::Compared(Relation::Equal, number),
            Plain::AtMost => Self::Compared(Relation::AtMost, number),
            Plain::About => {
                let tenth = number / 10;
                Self::Between(number - tenth, number.saturating_add(tenth))
            }
        })
    }

    pub(super) fn contains(&self, number: u64) -> bool {
        match *self {
            Self::Compared(Relation::Equal, limit) => number == limit,
            Self::Compared(Relation::Above, limit) => number > limit,
            Self::Compared(Relation::AtLeast, limit) => number >= limit,
            Self::Compared(Relation::Below, limit) => number < limit,
            Self::Compared(Relation::AtMost, limit) => number <= limit,
            Self::Between(low, high) => (low..=high).contains(&number),
        }
    }

    /// As text that reads back as the same numbers.
    pub(super) fn write(&self, f: &mut fmt::Formatter<'_>, unit: Unit) -> fmt::Result {
        match *self {
            Self::Compared(relation, limit) => {
                let operator = RELATIONS.iter().find(|(_, known)| *known == relation);
                f.write_str(operator.map_or("", |(operator, _)| operator))?;
                unit.write(f, limit)
            }
            Self::Between(low, high) => {
                unit.write(f, low)?;
                f.write_str("-")?;
                unit.write(f, high)
            }
        }
    }
}

impl Unit {
    fn parse(self, text: &str) -> Result<u64, Fault> {
        match self {
            Self::U16 => whole(text, u16::MAX.into()),
            Self::U32 => whole(text, u32::MAX.into()),
            Self::U64 => whole(text, u64::MAX),
            Self::Bytes => {
                let (number, unit) = split_unit(text);
                let factor = match unit.strip_suffix('b').unwrap_or(&unit) {
                    "" => 1,
                    "k" | "ki" => 1 << 10,
                    "m" | "mi" => 1 << 20,
                    "g" | "gi" => 1 << 30,
                    "t" | "ti" => 1 << 40,
                    _ => return Err(self.fault(text)),
                };
                scaled(number, factor).unwrap_or_else(|| Err(self.fault(text)))
            }
            Self::Time => {
                let (number, unit) = split_unit(text);
                let factor = TIMES.iter().find(|(word, _)| *word == unit);
                let (_, factor) = factor.ok_or_else(|| self.fault(text))?;
                scaled(number, *factor).unwrap_or_else(|| Err(self.fault(text)))
            }
            Self::Severity => SEVERITIES
                .iter()
                .position(|word| word.eq_ignore_ascii_case(text))
                .and_then(|place| u64::try_from(place).ok())
                .ok_or_else(|| self.fault(text)),
        }
    }

    fn fault(self, text: &str) -> Fault {
        let text = quoted(text);
        match self {
            Self::U16 | Self::U32 | Self::U64 => Fault::new(format!("{text} is not a number")),
            Self::Bytes => Fault::new(format!("{text} is not a size"))
                .help("a number and B, k, M, G or T (k is 1024 bytes): 512, 10k, 1.5MB"),
            Self::Time => Fault::new(format!("{text} is not a duration"))
                .help("a number and ms, s, m, h or d: 500ms, 90s, 1.5h"),
            Self::Severity => Fault::new(format!("{text} is not a severity"))
                .help(format!("one of {}, unknown", SEVERITIES.join(", "))),
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::U16 | Self::U32 | Self::U64 => "1000",
            Self::Bytes => "10MB",
            Self::Time => "120s",
            Self::Severity => "medium",
        }
    }

    fn write(self, f: &mut fmt::Formatter<'_>, number: u64) -> fmt::Result {
        let even = |(_, factor): &&(&str, u64)| number != 0 && number.is_multiple_of(*factor);
        match self {
            Self::U16 | Self::U32 | Self::U64 => write!(f, "{number}"),
            Self::Bytes => match SIZES.iter().find(even) {
                Some((unit, factor)) => write!(f, "{}{unit}", number / factor),
                None => write!(f, "{number}"),
            },
            Self::Time => match TIMES.iter().find(even) {
                Some((unit, factor)) => write!(f, "{}{unit}", number / factor),
                None if number == 0 => f.write_str("0s"),
                None => write!(
                    f,
                    "{}.{:06}ms",
                    number / NANOS_PER_MS,
                    number % NANOS_PER_MS
                ),
            },
            Self::Severity => {
                let word = usize::try_from(number)
                    .ok()
                    .and_then(|place| SEVERITIES.get(place));
                f.write_str(word.unwrap_or(&"unknown"))
            }
        }
    }
}

fn whole(text: &str, most: u64) -> Result<u64, Fault> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Unit::U64.fault(text));
    }
    text.parse()
        .ok()
        .filter(|number| *number <= most)
        .ok_or_else(|| Fault::new(format!("{} is too large: at most {most}", quoted(text))))
}

/// The number, and the unit after it in lower case.
fn split_unit(text: &str) -> (&str, String) {
    let number = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let unit = text.strip_prefix(number).unwrap_or("");
    (number, unit.to_ascii_lowercase())
}

/// A number with or without decimals times `factor`, rounded down. `None`: not a number.
fn scaled(text: &str, factor: u64) -> Option<Result<u64, Fault>> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || decimals.len() > MOST_DECIMALS {
        return None;
    }
    let parts: u128 = decimals.parse().ok()?;
    let all = decimals
        .bytes()
        .fold(1, |all: u128, _| all.saturating_mul(10));
    let number = whole.parse::<u64>().ok().and_then(|whole| {
        let whole = u128::from(whole) * u128::from(factor);
        u64::try_from(whole + parts * u128::from(factor) / all).ok()
    });
    Some(number.ok_or_else(|| Fault::new(format!("{} is too large", quoted(text)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Written(Numbers, Unit);

    impl fmt::Display for Written {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.write(f, self.1)
        }
    }

    fn check_plain(unit: Unit, plain: Plain, text: &str, expected: &str) {
        let written = match Numbers::parse(text, unit, plain) {
            Ok(numbers) => Written(numbers, unit).to_string(),
            Err(fault) => format!("{fault:?}"),
        };
        assert!(written.contains(expected), "{text}: {written}");
    }

    fn check(unit: Unit, text: &str, expected: &str) {
        check_plain(unit, Plain::Exactly, text, expected);
    }

    #[test]
    fn numbers() {
        check(Unit::U16, "443", "443");
        check(Unit::U16, "0080", "80");
        check(Unit::U16, "1000-2000", "1000-2000");
        check(Unit::U16, ">=1024", ">=1024");
        check(Unit::U16, "65536", "'65536' is too large: at most 65535");
        check(
            Unit::U32,
            "99999999999999999999999",
            "is too large: at most 4294967295",
        );
        check(Unit::U16, "2000-1000", "'2000-1000' is an empty range");
        check(Unit::U16, "1000-", "with one write >=1000");
        check(Unit::U16, "-5", "with one write <=5");
        check(Unit::U16, ">", "nothing follows '>'");
        check(Unit::U16, "https", "'https' is not a number");
        check(Unit::U16, "+80", "'+80' is not a number");
        check(Unit::U64, "18446744073709551615", "18446744073709551615");
    }

    #[test]
    fn sizes() {
        for text in ["1024", "1k", "1K", "1kB", "1KiB", "1KIB", "1024B", "1.0k"] {
            check(Unit::Bytes, text, "1k");
        }
        check(Unit::Bytes, ">10MB", ">10M");
        check(Unit::Bytes, "1.5k", "1536");
        check(Unit::Bytes, "2048G", "2T");
        check(Unit::Bytes, "0", "0");
        check(Unit::Bytes, "1k-1M", "1k-1M");
        check(Unit::Bytes, "99999999T", "is too large");
        check(Unit::Bytes, "10X", "'10X' is not a size");
        check(Unit::Bytes, "MB", "'MB' is not a size");
        check(Unit::Bytes, "1.k", "'1.k' is not a size");
    }

    #[test]
    fn durations() {
        check(Unit::Time, "<120s", "<2m");
        check(Unit::Time, "1.5H", "90m");
        check(Unit::Time, "24h", "1d");
        check(Unit::Time, "0s", "0s");
        check(Unit::Time, "0.5ms", "0.500000ms");
        check(Unit::Time, "60", "'60' is not a duration");
        check(Unit::Time, "1w", "'1w' is not a duration");
        check(Unit::Time, "300000d", "is too large");
        check_plain(Unit::Time, Plain::AtMost, "1h", "<=1h");
        check_plain(Unit::Time, Plain::AtMost, ">1h", ">1h");
        check_plain(Unit::Time, Plain::About, "60s", "54s-66s");
    }

    #[test]
    fn severities() {
        check(Unit::Severity, ">=Medium", ">=medium");
        check(Unit::Severity, "low-high", "low-high");
        check(
            Unit::Severity,
            "bad",
            "one of informational, low, medium, high, critical",
        );
    }

    #[test]
    fn contains_what_it_says() {
        let contained = |text| {
            let numbers = Numbers::parse(text, Unit::U16, Plain::Exactly).unwrap();
            (1..=5)
                .filter(|number| numbers.contains(*number))
                .collect::<Vec<_>>()
        };
        assert_eq!(contained("3"), [3]);
        assert_eq!(contained(">3"), [4, 5]);
        assert_eq!(contained(">=3"), [3, 4, 5]);
        assert_eq!(contained("<3"), [1, 2]);
        assert_eq!(contained("<=3"), [1, 2, 3]);
        assert_eq!(contained("2-4"), [2, 3, 4]);
    }
}

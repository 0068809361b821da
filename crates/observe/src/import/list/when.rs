//! Times as a program of Windows shows them to a person: `11/22/2026 10:15:00 AM`,
//! `22.11.2026 10:15:00`, `2026-11-22 10:15:00`.

use model::Timestamp;

/// A time that a list tells. Where day and month cannot be told apart, the other lines of the list may
/// tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct When {
    month_first: Option<Timestamp>,
    day_first: Option<Timestamp>,
}

impl When {
    /// `None`: it is no time.
    pub(in super::super) fn read(text: &[u8]) -> Option<Self> {
        let text = str::from_utf8(text).ok()?.trim();
        let (date, clock) = text.split_once([' ', 'T', ','])?;
        let separator = date.chars().find(|character| !character.is_ascii_digit())?;
        let mut parts = date.split(separator);
        let (first, second, third) = (parts.next()?, parts.next()?, parts.next()?);
        parts.next().is_none().then_some(())?;
        let clock = Clock::read(clock)?;
        let on = |year, month, day| clock.on(year, month, day);
        let told = match (first.len(), separator) {
            (4, _) => (on(first, second, third), on(first, second, third)),
            (_, '.') => (on(third, second, first), on(third, second, first)),
            (_, '/' | '-') => (on(third, first, second), on(third, second, first)),
            _ => return None,
        };
        let (month_first, day_first) = told;
        (month_first.is_some() || day_first.is_some()).then_some(Self {
            month_first,
            day_first,
        })
    }

    /// Whether the day comes first. `None`: it does not show.
    pub(super) fn shows_day_first(self) -> Option<bool> {
        (self.month_first.is_none() || self.day_first.is_none()).then_some(self.day_first.is_some())
    }

    /// `None`: it could be two times.
    pub(super) fn time(self, day_first: Option<bool>) -> Option<Timestamp> {
        match day_first {
            Some(true) => self.day_first,
            Some(false) => self.month_first,
            None => self
                .day_first
                .filter(|day_first| self.month_first == Some(*day_first)),
        }
    }
}

struct Clock {
    hour: u32,
    minute: u32,
    second: u32,
}

impl Clock {
    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let end = text
            .find(|character: char| character.is_whitespace())
            .unwrap_or(text.len());
        let (numbers, half) = text.split_at_checked(end)?;
        let mut parts = numbers.split(':');
        let (hour, minute) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let second = parts
            .next()
            .unwrap_or("0")
            .split('.')
            .next()?
            .parse()
            .ok()?;
        parts.next().is_none().then_some(())?;
        let half = half.trim().to_ascii_lowercase().replace('.', "");
        let hour = match (half.as_str(), hour) {
            ("", hour) => hour,
            ("am", 12) => 0,
            ("am", hour @ 1..12) => hour,
            ("pm", 12) => 12,
            ("pm", hour @ 1..12) => hour + 12,
            _ => return None,
        };
        Some(Self {
            hour,
            minute,
            second,
        })
    }

    fn on(&self, year: &str, month: &str, day: &str) -> Option<Timestamp> {
        let Self {
            hour,
            minute,
            second,
        } = self;
        let text =
            format!("{year}-{month:0>2}-{day:0>2}T{hour:02}:{minute:02}:{second:02}.000000000Z");
        Timestamp::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, month_first: Option<&str>, day_first: Option<&str>) {
        let when = When::read(text.as_bytes());
        let time = |day_first| {
            let time = when.and_then(|when| when.time(Some(day_first)));
            time.map(|time| time.to_string().chars().take(19).collect::<String>())
        };
        assert_eq!(time(false).as_deref(), month_first, "{text}");
        assert_eq!(time(true).as_deref(), day_first, "{text}");
    }

    #[test]
    fn reads_a_time_in_the_ways_of_many_countries() {
        let expected = Some("2026-11-22T22:15:03");
        check("11/22/2026 10:15:03 PM", expected, None);
        check("22/11/2026 22:15:03", None, expected);
        check("22.11.2026 22:15:03", expected, expected);
        check("2026-11-22 22:15:03", expected, expected);
        check("2026/11/22 22:15:03.123", expected, expected);
        check(
            "3/4/2026 12:05 AM",
            Some("2026-03-04T00:05:00"),
            Some("2026-04-03T00:05:00"),
        );
        check("", None, None);
        check("today", None, None);
        check("30/30/2026 10:00:00", None, None);
        check("1/2/2026 25:00:00", None, None);
    }

    #[test]
    fn what_may_be_two_times_is_none() {
        let when = When::read(b"3/4/2026 12:05 AM").expect("a time");
        assert_eq!((when.time(None), when.shows_day_first()), (None, None));
        let when = When::read(b"4/4/2026 12:05 AM").expect("a time");
        assert!(when.time(None).is_some());
    }
}

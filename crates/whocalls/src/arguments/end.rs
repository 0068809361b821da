//! What `whocalls end` takes.

use clap::Args;
use model::Timestamp;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  whocalls end 1464                            asks before it does
  whocalls end 1464 --id 1464-1534-9f3c1a2b --yes
                                               this run and no other, without asking

A number is given to another process when one has ended. With --id or --started nothing is ended but
the run that was meant. The other side sees it at once, and code that exists only in memory is lost
for good; usually it is better to pull the cable and keep recording.")]
pub(crate) struct EndArguments {
    /// The number of the process
    #[arg(value_name = "PID")]
    pub(crate) pid: u32,

    /// Only the run with this id, as list --json prints it
    #[arg(long, value_name = "PROCESSID", conflicts_with = "started")]
    pub(crate) id: Option<String>,

    /// Only the run that began then, to the second, as list --json prints it
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) started: Option<Timestamp>,

    /// Do not ask the process to end, but end it (SIGKILL)
    #[arg(long)]
    pub(crate) hard: bool,

    /// Do not ask before; for scripts
    #[arg(short, long)]
    pub(crate) yes: bool,
}

/// Reads `2026-11-22T10:15:00Z`, with or without parts of a second.
fn time(text: &str) -> Result<Timestamp, String> {
    parse(text).ok_or_else(|| "not a time; write 2026-11-22T10:15:00Z, in UTC".to_owned())
}

fn parse(text: &str) -> Option<Timestamp> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let (time, parts) = time.split_once('.').unwrap_or((time, "0"));
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let in_order = (1678..2262).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    let is_part = (1..=9).contains(&parts.len()) && parts.bytes().all(|it| it.is_ascii_digit());
    if !in_order || !is_part {
        return None;
    }
    let nanos: i64 = format!("{parts:0<9}").parse().ok()?;
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    let nanos = seconds.checked_mul(1_000_000_000)?.checked_add(nanos)?;
    Some(Timestamp::from_unix_nanos(nanos))
}

fn numbers(text: &str, between: char) -> Option<[i64; 3]> {
    let digits = |text: &str| text.bytes().all(|it| it.is_ascii_digit());
    let mut parts = text.split(between).map(|part| {
        let part = Some(part).filter(|part| digits(part))?;
        part.parse().ok()
    });
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

/// Days since 1970-01-01 in the Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level
/// Date Algorithms").
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_reads_back_as_it_is_printed() {
        for nanos in [
            0,
            1,
            -1,
            1_795_342_500_123_456_789,
            951_782_400_000_000_000,
            4_107_542_399_999_999_999,
        ] {
            let time = Timestamp::from_unix_nanos(nanos);
            assert_eq!(parse(&time.to_string()), Some(time), "{time}");
        }
        let whole = Timestamp::from_unix_nanos(1_000_000_000);
        assert_eq!(parse("1970-01-01T00:00:01Z"), Some(whole));
        assert_eq!(parse("1970-01-01T00:00:01.0Z"), Some(whole));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "10:15:00",
            "2026-11-22",
            "2026-11-22T10:15:00",
            "2026-11-22T10:15:00+01:00",
            "2026-13-22T10:15:00Z",
            "2026-11-22T24:15:00Z",
            "2026-11-22T10:15Z",
            "2026-11-22T10:15:00.Z",
            "2026-11-22T10:15:00.1234567890Z",
            "2026-11-+2T10:15:00Z",
            "9999-11-22T10:15:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}

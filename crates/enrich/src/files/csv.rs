//! Tables: values with commas (RFC 4180), semicolons, tabs or bars between them, with headings or
//! without. Headings may stand in a comment, as abuse.ch and Zeek write them.

use model::IndicatorValue;

use super::columns::{Columns, MOST};
use super::out::{Out, Place};
use super::value::guess;

/// What columns are known by where there are no headings.
const SAMPLE: usize = 50;
/// A row of more bytes is skipped: a quote that nobody closed would take all that follows.
const LONGEST_ROW: usize = 64 << 10;

pub(super) fn read(text: &str, out: &mut Out) {
    let Some(delimiter) = delimiter(text) else {
        return;
    };
    let mut records = Records {
        rest: text,
        line: 1,
        delimiter,
    };
    let mut columns = None;
    // The last comment in front may be the headings.
    let mut comment = None;
    let mut waiting: Vec<(usize, Vec<String>)> = Vec::new();
    while let Some((line, record)) = records.next_record() {
        let fields = match record {
            Record::Comment(text) => {
                if columns.is_none() && waiting.is_empty() {
                    comment = headings_of_comment(text, delimiter).or(comment);
                }
                continue;
            }
            Record::TooLong => {
                out.skip(Place::Line(line), "it is longer than 64 KiB");
                continue;
            }
            Record::Fields(fields) => fields,
        };
        if fields.iter().all(|field| field.trim().is_empty()) {
            continue;
        }
        let Some(columns) = &columns else {
            if waiting.is_empty() {
                columns = comment.take();
                if let Some(columns) = &columns {
                    row(columns, line, &fields, out);
                    continue;
                }
                columns = headings(&fields);
                if columns.is_some() {
                    continue;
                }
            }
            waiting.push((line, fields));
            if waiting.len() >= SAMPLE {
                columns = guessed(&mut waiting, out);
            }
            continue;
        };
        row(columns, line, &fields, out);
    }
    if columns.is_none() {
        guessed(&mut waiting, out);
    }
}

/// Columns by their looks, and all rows that waited for them.
fn guessed(waiting: &mut Vec<(usize, Vec<String>)>, out: &mut Out) -> Option<Columns> {
    let waiting = std::mem::take(waiting);
    let rows: Vec<Vec<String>> = waiting.iter().map(|(_, fields)| fields.clone()).collect();
    let columns = Columns::of_looks(&rows);
    for (line, fields) in &waiting {
        match &columns {
            Some(columns) => row(columns, *line, fields, out),
            None => out.skip(Place::Line(*line), "no column holds anything that is known"),
        }
    }
    columns
}

fn row(columns: &Columns, line: usize, fields: &[String], out: &mut Out) {
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let place = Place::Line(line);
    if !columns.row(place, &fields, out) {
        out.skip(place, "it holds no value that is known");
    }
}

/// `None`: it is a row like others.
fn headings(fields: &[String]) -> Option<Columns> {
    let is_value = |field: &String| {
        let value = guess(field);
        value.is_some_and(|value| !matches!(value, IndicatorValue::Name { .. }))
    };
    if fields.iter().any(is_value) {
        return None;
    }
    Columns::of_headings(fields.iter().map(String::as_str))
}

/// `# "first_seen","ioc"`, or `#fields` and a tab before each.
fn headings_of_comment(comment: &str, delimiter: char) -> Option<Columns> {
    let comment = comment.trim_start_matches(['#', ' ']);
    let comment = comment.strip_prefix("fields\t").unwrap_or(comment);
    comment
        .contains(delimiter)
        .then(|| Columns::of_headings(comment.split(delimiter)))?
}

/// What stands between values: what the first lines have the same number of, and most of. `None`: it is
/// no table.
pub(super) fn delimiter(text: &str) -> Option<char> {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .take(20)
        .collect();
    let count = |line: &str, delimiter| fields_in(line, delimiter);
    [',', '\t', ';', '|'].into_iter().find(|delimiter| {
        let Some((first, others)) = lines.split_first() else {
            return false;
        };
        let wanted = count(first, *delimiter);
        let same = others
            .iter()
            .filter(|line| count(line, *delimiter) == wanted)
            .count();
        wanted > 1 && same * 10 >= others.len() * 7
    })
}

fn fields_in(line: &str, delimiter: char) -> usize {
    let mut is_quoted = false;
    let mut fields = 1;
    for character in line.chars() {
        match character {
            '"' => is_quoted = !is_quoted,
            _ if character == delimiter && !is_quoted => fields += 1,
            _ => {}
        }
    }
    fields
}

enum Record<'a> {
    Comment(&'a str),
    Fields(Vec<String>),
    TooLong,
}

struct Records<'a> {
    rest: &'a str,
    line: usize,
    delimiter: char,
}

impl<'a> Records<'a> {
    /// A record and the line that it begins in.
    fn next_record(&mut self) -> Option<(usize, Record<'a>)> {
        if self.rest.is_empty() {
            return None;
        }
        let begins = self.line;
        if self.rest.starts_with('#') {
            let line = self.take_line();
            return Some((begins, Record::Comment(line)));
        }
        let (length, lines) = self.end_of_record();
        let (record, rest) = self.rest.split_at_checked(length)?;
        if length > LONGEST_ROW {
            // The quote was none that is closed: only this line is lost.
            self.take_line();
            return Some((begins, Record::TooLong));
        }
        self.rest = rest;
        self.line += lines;
        Some((begins, Record::Fields(self.fields(record))))
    }

    fn take_line(&mut self) -> &'a str {
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        self.line += 1;
        line
    }

    /// How long the record is, with the end of its line, and how many lines it has. No further than the
    /// longest.
    fn end_of_record(&self) -> (usize, usize) {
        let mut is_quoted = false;
        let mut lines = 0;
        for (at, byte) in self.rest.bytes().enumerate() {
            if at > LONGEST_ROW {
                return (at, lines);
            }
            match byte {
                b'"' => is_quoted = !is_quoted,
                b'\n' => {
                    lines += 1;
                    if !is_quoted {
                        return (at + 1, lines);
                    }
                }
                _ => {}
            }
        }
        (self.rest.len(), lines + 1)
    }

    fn fields(&self, record: &str) -> Vec<String> {
        let mut fields = vec![String::new()];
        let mut is_quoted = false;
        let mut characters = record.trim_end_matches(['\n', '\r']).chars().peekable();
        while let Some(character) = characters.next() {
            let Some(field) = fields.last_mut() else {
                break;
            };
            match character {
                '"' if is_quoted && characters.peek() == Some(&'"') => {
                    characters.next();
                    field.push('"');
                }
                '"' => is_quoted = !is_quoted,
                _ if character == self.delimiter && !is_quoted => {
                    if fields.len() >= MOST {
                        break;
                    }
                    fields.push(String::new());
                }
                _ => field.push(character),
            }
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Format, tests::check};

    #[test]
    fn headings_say_what_columns_hold() {
        check(
            "\u{feff}Type;Indicator;App\r\ndomain;Evil.Example;Spy\r\nipv4;192.0.2.1;\"Spy; two\"\r\ndomain;no;x\r\n",
            Format::Csv,
            &["name evil.example (Spy)", "address 192.0.2.1 (Spy; two)"],
            1,
        );
        check(
            "SHA256,Package Name,Certificate,Version,App\n0000000000000000000000000000000000000000000000000000000000000000,com.spy,AA,9,Spy\n",
            Format::Csv,
            &[
                "hash 0000000000000000000000000000000000000000000000000000000000000000 (Spy)",
                "app com.spy (Spy)",
                "certificate AA (Spy)",
            ],
            0,
        );
    }

    #[test]
    fn headings_in_a_comment_count() {
        check(
            "# abuse\n# \"first_seen\", \"ioc_value\", \"ioc_type\", \"malware\"\n\"2024-02-03 04:05:06\", \"192.0.2.1:443\", \"ip:port\", \"Bad\"\n",
            Format::Csv,
            &["address 192.0.2.1 (Bad)"],
            0,
        );
        check(
            "#fields\tindicator\tindicator_type\tmeta.source\nevil.example\tIntel::DOMAIN\tx\n192.0.2.1\tIntel::ADDR\tx\n",
            Format::Csv,
            &["name evil.example", "address 192.0.2.1"],
            0,
        );
    }

    #[test]
    fn without_headings_looks_count() {
        check(
            "1,evil.example,192.0.2.1\n2,worse.example,192.0.2.2\n3,x,192.0.2.3\n",
            Format::Csv,
            &[
                "name evil.example",
                "address 192.0.2.1",
                "name worse.example",
                "address 192.0.2.2",
                "address 192.0.2.3",
            ],
            0,
        );
    }

    #[test]
    fn a_quote_that_nobody_closes_takes_one_line() {
        let mut text = String::from("domain,app\n\"evil.example,x\n");
        for number in 0..5000 {
            text.push_str(&format!("a{number}.example,someapp\n"));
        }
        let content = super::super::tests::content(&text, Format::Csv).unwrap();
        assert_eq!(content.indicators.len(), 5000);
        assert_eq!(content.skipped.count, 1);
    }
}

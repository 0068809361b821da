//! TinyCheck's indicators: `{"iocs": [{"type", "tag", "tlp", "value"}]}`.

use super::Error;
use super::json::{Member, Row, RowOf, document};
use super::out::{About, Out, Place};
use super::word;

const ENTRY: RowOf = RowOf(&["type", "tag", "value"]);

pub(super) fn read(text: &str, out: &mut Out) -> Result<(), Error> {
    let mut number = 0;
    document(
        text,
        "TinyCheck",
        Member {
            name: "iocs",
            of: ENTRY,
            each: &mut |row| {
                number += 1;
                entry(Place::Entry("entry", number), row, out);
            },
        },
    )
}

fn entry(place: Place<'_>, row: Option<Row>, out: &mut Out) {
    let row = row.unwrap_or_default();
    let (Some(kind), Some(value)) = (row.member("type"), row.member("value")) else {
        return out.skip(place, "it has no type or no value");
    };
    let Some(word) = word::of(kind) else {
        return out.skip(place, "its type is not known");
    };
    let values = word::values(word, value);
    if values.is_empty() {
        out.skip(place, "its value is not what its type says");
    }
    for value in values {
        let said = About {
            about: row.member("tag"),
            ..About::default()
        };
        out.add(place, value, &said);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Format, tests::check};

    #[test]
    fn entries_are_read_by_their_type() {
        check(
            r#"{"iocs":[{"type":"domain","tag":"spy","tlp":"white","value":"Evil.Example"},
                {"type":"ip4addr","tag":"spy","value":"192.0.2.1"},
                {"type":"ja3","value":"x"},{"type":"new","value":"x"},{"value":"x"},7]}"#,
            Format::TinyCheck,
            &[
                "name evil.example (spy)",
                "address 192.0.2.1 (spy)",
                "other x",
            ],
            3,
        );
    }
}

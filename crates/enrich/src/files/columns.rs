//! What stands in the columns of a table, by their headings or, where there are none, by their looks.

use model::Confidence;

use super::out::{About, Out, Place, confidence};
use super::time::time;
use super::word::{self, Word, guessed, normal, values};

/// Further columns are not looked at.
pub(super) const MOST: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Value(Word),
    /// A value; another column says of which kind, or its looks do.
    Any,
    /// The kind of the value of another column.
    Kind,
    About,
    Time,
    Confidence,
    Other,
}

#[derive(Clone, Debug)]
pub(super) struct Columns(Vec<Column>);

impl Columns {
    /// `None`: no heading names a value.
    pub(super) fn of_headings<'a>(headings: impl Iterator<Item = &'a str>) -> Option<Self> {
        let columns = Self(headings.take(MOST).map(column).collect());
        columns.has_values().then_some(columns)
    }

    /// By the looks of some rows. `None`: no column looks like values.
    pub(super) fn of_looks(rows: &[Vec<String>]) -> Option<Self> {
        let width = rows.iter().map(Vec::len).max().unwrap_or(0).min(MOST);
        let columns = (0..width).map(|at| {
            let cells = rows.iter().filter_map(|row| row.get(at));
            let filled = cells.clone().filter(|cell| !cell.trim().is_empty());
            let count = filled.clone().count();
            let known = filled.filter(|cell| !guessed(cell).is_empty()).count();
            match count > 0 && known * 2 >= count {
                true => Column::Any,
                false => Column::Other,
            }
        });
        let columns = Self(columns.collect());
        columns.has_values().then_some(columns)
    }

    fn has_values(&self) -> bool {
        let is_value = |column: &Column| matches!(column, Column::Value(_) | Column::Any);
        self.0.iter().any(is_value)
    }

    /// Adds the values of a row. `false`: it has none.
    pub(super) fn row(&self, place: Place<'_>, cells: &[&str], out: &mut Out) -> bool {
        let cells = self.0.iter().copied().zip(cells.iter().copied());
        let mut about: Vec<&str> = Vec::new();
        let mut said = About::default();
        let mut kind = None;
        for (column, cell) in cells.clone().filter(|(_, cell)| !cell.trim().is_empty()) {
            match column {
                Column::About if !about.contains(&cell) => about.push(cell.trim()),
                Column::Kind => kind = kind.or_else(|| word::of(cell)),
                Column::Time => said.published = said.published.max(time(cell)),
                Column::Confidence => said.confidence = said.confidence.or(sure(cell)),
                Column::About | Column::Value(_) | Column::Any | Column::Other => {}
            }
        }
        let about = about.join("; ");
        said.about = Some(about.as_str());
        let mut has_any = false;
        for (column, cell) in cells {
            if is_nothing(cell) {
                continue;
            }
            let found = match (column, kind) {
                (Column::Value(word), _) | (Column::Any, Some(word)) => values(word, cell),
                (Column::Any, None) => guessed(cell),
                (Column::Kind | Column::About | Column::Time, _)
                | (Column::Confidence | Column::Other, _) => continue,
            };
            for value in found {
                has_any = true;
                out.add(place, value, &said);
            }
        }
        has_any
    }
}

fn column(heading: &str) -> Column {
    let heading = heading.trim().trim_matches(['"', '\'']);
    match normal(heading).as_str() {
        "indicator" | "ioc" | "iocs" | "ioc_value" | "value" | "observable" | "indicator_value"
        | "entity" | "artifact" => Column::Any,
        "type" | "indicator_type" | "ioc_type" | "kind" | "attribute_type" | "value_type"
        | "observable_type" => Column::Kind,
        "description" | "malware" | "malware_printable" | "malware_family" | "app" | "name"
        | "threat" | "threat_type" | "family" | "comment" | "info" | "title" | "meta_desc"
        | "signature" | "campaign" | "actor" | "note" | "notes" | "label" | "tag"
        | "event_info" | "sblid" | "reason" => Column::About,
        "first_seen" | "first_seen_utc" | "last_seen" | "last_seen_utc" | "date" | "dateadded"
        | "date_added" | "created" | "modified" | "published" | "firstseen" | "last_online"
        | "updated" => Column::Time,
        "confidence" | "confidence_level" | "confidence_score" => Column::Confidence,
        _ => word::of(heading).map_or(Column::Other, Column::Value),
    }
}

fn sure(cell: &str) -> Option<Confidence> {
    match cell.trim().to_ascii_lowercase().as_str() {
        "high" => Some(Confidence::High),
        "medium" | "moderate" => Some(Confidence::Medium),
        "low" => Some(Confidence::Low),
        number => number.parse().ok().map(confidence),
    }
}

/// What tables write where there is nothing.
fn is_nothing(cell: &str) -> bool {
    matches!(
        cell.trim(),
        "" | "-" | "(empty)" | "null" | "None" | "none" | "N/A" | "n/a" | "NA"
    )
}

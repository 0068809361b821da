//! A histogram as lines: what it is about, a bar, a number.

use super::histogram::{Histogram, Place};
use super::page::Line;
use super::spread::length;
use crate::messages::rhythm as texts;
use crate::quantity::{measured, multiple};
use crate::tui::theme::Tone;
use crate::visible::display_width;

/// A longer bar says no more.
const LONGEST: usize = 48;
const SHORTEST: usize = 4;
/// The number behind a bar.
const NUMBER: usize = 6;

/// `mark`: what is said at the line that is marked.
pub(super) fn bars(histogram: &Histogram, mark: &str, width: usize) -> Vec<Line> {
    let label = |place| match (place, histogram.step) {
        (Place::Less, _) => texts::LESS.to_owned(),
        (Place::More, _) => texts::MORE.to_owned(),
        (Place::Folded, _) => texts::FOLDED.to_owned(),
        (Place::About(nanos), Some(step)) => multiple(length(nanos), length(step)).to_string(),
        (Place::About(nanos), None) => measured(length(nanos)).to_string(),
    };
    let labels: Vec<String> = histogram.lines.iter().map(|it| label(it.place)).collect();
    let widest = labels.iter().map(|it| display_width(it)).max().unwrap_or(0);
    let highest = histogram.lines.iter().map(|it| it.count).max().unwrap_or(0);
    let beside = widest + display_width(mark) + NUMBER + 6;
    let room = width.saturating_sub(beside).clamp(SHORTEST, LONGEST);
    let lines = histogram.lines.iter().zip(labels).map(|(bin, label)| {
        let blank = widest.saturating_sub(display_width(&label));
        let mut parts = vec![(format!("  {:blank$}{label} ", ""), Tone::Plain)];
        if bin.place == Place::Folded {
            return Line(parts);
        }
        let long = (bin.count * room).div_ceil(highest.max(1));
        parts.push(("█".repeat(long), Tone::Time));
        let between = if long > 0 { " " } else { "" };
        parts.push((format!("{between}{}", bin.count), Tone::Plain));
        if bin.is_marked {
            parts.push((format!("  {mark}"), Tone::Strong));
        }
        Line(parts)
    });
    lines.collect()
}

//! What could not be seen, in lines for people. It stands beside every result.

use std::io::{self, Write};

use model::Gap;

use crate::visible::visible_str;

/// Writes `not seen:` lines; nothing when there is no gap.
pub fn lines(gaps: &[Gap], out: &mut impl Write) -> io::Result<()> {
    for gap in gaps {
        let count = gap
            .count
            .map(|count| format!(" ({count})"))
            .unwrap_or_default();
        let (missed, why) = (visible_str(&gap.missed), visible_str(&gap.why));
        writeln!(out, "not seen: {missed}{count}")?;
        writeln!(out, "     why: {why}")?;
    }
    Ok(())
}

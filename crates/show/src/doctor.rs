//! What can be seen on this computer, for people.

use std::io::{self, Write};

use model::{Condition, Doctor};

use crate::gaps::{folded, lines};
use crate::visible::visible_str;

/// Writes what was checked, then what therefore cannot be seen.
pub fn report(doctor: &Doctor, width: Option<usize>, out: &mut impl Write) -> io::Result<()> {
    for check in &doctor.checks {
        let mark = match check.condition {
            Condition::Good => "ok    ",
            Condition::Limits => "LIMITS",
            Condition::Neutral => "      ",
        };
        let text = format!("{}: {}", check.what, visible_str(&check.found));
        folded(&format!("{mark}  "), &text, width, out)?;
        if let Some(help) = &check.help {
            folded("        help: ", &visible_str(help), width, out)?;
        }
    }
    writeln!(out)?;
    if doctor.gaps.is_empty() {
        return writeln!(
            out,
            "Nothing is known to be out of sight of one look. A look is one moment: what opened \
             and closed before it, or opens after it, is not in it."
        );
    }
    lines(&doctor.gaps, width, out)
}

//! The command line of a Windows program, which is one text there, taken apart into arguments as the
//! program itself would (the C runtime's rules: "Parsing C command-line arguments" in Microsoft's
//! documentation of C++).

use model::Text;

const QUOTE: u16 = b'"' as u16;
const BACKSLASH: u16 = b'\\' as u16;

/// The program's name first. What is no UTF-16 becomes a replacement character.
pub(crate) fn arguments(line: &[u16]) -> Vec<Text> {
    let line = line.split(|unit| *unit == 0).next().unwrap_or_default();
    let (mut rest, mut found) = (line, Vec::new());
    if let Some(name) = program(&mut rest) {
        found.push(text(name));
    }
    while let Some(argument) = argument(&mut rest) {
        found.push(text(&argument));
    }
    found
}

fn text(units: &[u16]) -> Text {
    Text::from(String::from_utf16_lossy(units))
}

fn is_space(unit: u16) -> bool {
    unit == u16::from(b' ') || unit == u16::from(b'\t')
}

/// In the name of the program a quotation mark ends at the next one, whatever stands before it.
fn program<'a>(rest: &mut &'a [u16]) -> Option<&'a [u16]> {
    let (first, behind) = rest.split_first()?;
    let (name, after) = if *first == QUOTE {
        let end = behind.iter().position(|unit| *unit == QUOTE);
        let end = end.unwrap_or(behind.len());
        let (name, after) = behind.split_at_checked(end)?;
        (name, after.get(1..).unwrap_or_default())
    } else {
        let end = rest.iter().position(|unit| is_space(*unit));
        rest.split_at_checked(end.unwrap_or(rest.len()))?
    };
    *rest = after;
    Some(name)
}

fn argument(rest: &mut &[u16]) -> Option<Vec<u16>> {
    let begin = rest.iter().position(|unit| !is_space(*unit))?;
    let mut units = rest.get(begin..)?.iter().copied().peekable();
    let (mut argument, mut is_quoted, mut taken) = (Vec::new(), false, begin);
    while let Some(unit) = units.next_if(|unit| is_quoted || !is_space(*unit)) {
        taken += 1;
        if unit == BACKSLASH {
            let mut count = 1_usize;
            while units.next_if_eq(&BACKSLASH).is_some() {
                count += 1;
            }
            taken += count - 1;
            let is_before_quote = units.peek() == Some(&QUOTE);
            let kept = if is_before_quote { count / 2 } else { count };
            argument.extend(std::iter::repeat_n(BACKSLASH, kept));
            if is_before_quote && count % 2 == 1 {
                units.next();
                taken += 1;
                argument.push(QUOTE);
            }
        } else if unit != QUOTE {
            argument.push(unit);
        } else if is_quoted && units.next_if_eq(&QUOTE).is_some() {
            taken += 1;
            argument.push(QUOTE);
        } else {
            is_quoted = !is_quoted;
        }
    }
    *rest = rest.get(taken..).unwrap_or_default();
    Some(argument)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(line: &str, expected: &[&str]) {
        let units: Vec<u16> = line.encode_utf16().collect();
        let found = arguments(&units);
        let found: Vec<_> = found.iter().map(Text::lossy).collect();
        assert_eq!(found, expected, "{line}");
    }

    /// The examples of Microsoft's page.
    #[test]
    fn as_the_program_itself_would() {
        check(r#"x "abc" d e"#, &["x", "abc", "d", "e"]);
        check(r#"x a\\b d"e f"g h"#, &["x", r"a\\b", "de fg", "h"]);
        check(r#"x a\\\"b c d"#, &["x", r#"a\"b"#, "c", "d"]);
        check(r#"x a\\\\"b c" d e"#, &["x", r"a\\b c", "d", "e"]);
        check(r#"x a"b"" c d"#, &["x", r#"ab" c d"#]);
    }

    #[test]
    fn the_name_of_the_program_has_rules_of_its_own() {
        check(
            r#""C:\Program Files\a.exe" -k b"#,
            &[r"C:\Program Files\a.exe", "-k", "b"],
        );
        check(r"C:\a\ b", &[r"C:\a\", "b"]);
        check(r#""C:\a"#, &[r"C:\a"]);
        check("", &[]);
        check("a   ", &["a"]);
    }

    #[test]
    fn what_is_behind_a_zero_is_not_of_it() {
        check("a b\0c", &["a", "b"]);
    }

    proptest! {
        #[test]
        fn takes_any_units(units: Vec<u16>) {
            let found = arguments(&units);
            prop_assert!(found.len() <= units.len() + 1);
        }
    }
}

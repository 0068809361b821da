//! Names as they are on the wire: lower case, A-labels, no dot at the end.

use std::borrow::Cow;

/// RFC 1035, 2.3.4, as text without the dot at the end.
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

/// `None`: no name of a host with a dot in it.
pub(crate) fn normalised(text: &str) -> Option<Cow<'_, str>> {
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.is_empty() || text.len() > 4 * LONGEST_NAME {
        return None;
    }
    let is_plain = text.bytes().all(is_wire);
    let name = if is_plain {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(of_wire(text)?)
    };
    is_name(&name).then_some(name)
}

fn is_wire(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.')
}

fn is_name(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= LONGEST_NAME
        && name.contains('.')
        && name
            .split('.')
            .all(|label| !label.is_empty() && label.len() <= LONGEST_LABEL)
        // What ends in digits alone is an address, or nothing.
        && !last.bytes().all(|byte| byte.is_ascii_digit())
        && name.bytes().all(is_wire)
}

/// Letters become small, labels that are not ASCII become A-labels. Not the whole of UTS 46: what
/// looks alike there and is written in another way stays another name.
fn of_wire(text: &str) -> Option<String> {
    let mut name = String::with_capacity(text.len() + 8);
    let labels = text.split(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}']);
    for (number, label) in labels.enumerate() {
        if number > 0 {
            name.push('.');
        }
        let label = label.to_lowercase();
        if label.is_ascii() {
            name.push_str(&label);
        } else if label.chars().any(model::acts_or_hides) {
            return None;
        } else {
            name.push_str("xn--");
            punycode(&label, &mut name)?;
        }
    }
    Some(name)
}

/// RFC 3492, 6.3. `None`: too long for a label.
fn punycode(label: &str, to: &mut String) -> Option<()> {
    let characters: Vec<u32> = label.chars().map(u32::from).collect();
    if characters.len() > LONGEST_LABEL {
        return None;
    }
    let basic: String = label.chars().filter(char::is_ascii).collect();
    to.push_str(&basic);
    if !basic.is_empty() {
        to.push('-');
    }
    let total = u32::try_from(characters.len()).ok()?;
    let mut handled = u32::try_from(basic.len()).ok()?;
    let (mut code, mut delta, mut bias, mut is_first) = (128_u32, 0_u32, 72_u32, true);
    while handled < total {
        let next = characters.iter().copied().filter(|it| *it >= code).min()?;
        delta = delta.checked_add((next - code).checked_mul(handled + 1)?)?;
        code = next;
        for character in &characters {
            if *character < code {
                delta = delta.checked_add(1)?;
            }
            if *character == code {
                variable_length(delta, bias, to)?;
                bias = adapted(delta, handled + 1, is_first);
                is_first = false;
                delta = 0;
                handled += 1;
            }
        }
        delta = delta.checked_add(1)?;
        code = code.checked_add(1)?;
    }
    Some(())
}

fn variable_length(delta: u32, bias: u32, to: &mut String) -> Option<()> {
    let (mut rest, mut base) = (delta, 36_u32);
    loop {
        let threshold = base.saturating_sub(bias).clamp(1, 26);
        if rest < threshold {
            to.push(digit(rest)?);
            return Some(());
        }
        let over = rest - threshold;
        to.push(digit(threshold + over % (36 - threshold))?);
        rest = over / (36 - threshold);
        base = base.checked_add(36)?;
    }
}

/// RFC 3492, 6.1.
fn adapted(delta: u32, points: u32, is_first: bool) -> u32 {
    let delta = if is_first { delta / 700 } else { delta / 2 };
    let (mut delta, mut bias) = (delta + delta / points, 0);
    while delta > 455 {
        delta /= 35;
        bias += 36;
    }
    bias + 36 * delta / (delta + 38)
}

fn digit(value: u32) -> Option<char> {
    char::from_digit(value.checked_add(10)? % 36, 36).filter(|_| value < 36)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(normalised(text).as_deref(), expected, "{text}");
    }

    #[test]
    fn a_name_is_as_on_the_wire() {
        check("Evil.Example.", Some("evil.example"));
        check("evil.example", Some("evil.example"));
        check("_dmarc.evil.example", Some("_dmarc.evil.example"));
        check("b\u{fc}cher.example", Some("xn--bcher-kva.example"));
        check("B\u{dc}CHER.example", Some("xn--bcher-kva.example"));
        // RFC 3492, 7.1, examples A, B, D and L.
        check(
            "\u{644}\u{64a}\u{647}\u{645}\u{627}\u{628}\u{62a}\u{643}\u{644}\u{645}\u{648}\u{634}\u{639}\u{631}\u{628}\u{64a}\u{61f}.x.example",
            Some("xn--egbpdaj6bu4bxfgehfvwxn.x.example"),
        );
        check(
            "\u{4ed6}\u{4eec}\u{4e3a}\u{4ec0}\u{4e48}\u{4e0d}\u{8bf4}\u{4e2d}\u{6587}.x.example",
            Some("xn--ihqwcrb4cv8a8dqg056pqjye.x.example"),
        );
        check(
            "Pro\u{10d}prost\u{11b}nemluv\u{ed}\u{10d}esky.example",
            Some("xn--proprostnemluvesky-uyb24dma41a.example"),
        );
        check(
            "3\u{5e74}B\u{7d44}\u{91d1}\u{516b}\u{5148}\u{751f}.example",
            Some("xn--3b-ww4c5e180e575a65lsy2b.example"),
        );
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in [
            "",
            ".",
            "localhost",
            "a..b",
            ".a.b",
            "192.0.2.1",
            "a b.example",
            "evil.example/x",
            "a\u{202e}.example",
            "*.example",
            "evil.example:80",
            "1.2",
        ] {
            check(text, None);
        }
        check(&format!("{}.example", "a".repeat(64)), None);
        check(&format!("{}example", "abc.".repeat(70)), None);
    }

    proptest! {
        #[test]
        fn never_panics_and_is_settled(text in "\\PC{0,80}") {
            if let Some(name) = normalised(&text) {
                let again = normalised(&name).map(Cow::into_owned);
                prop_assert_eq!(again.as_deref(), Some(&*name));
            }
        }
    }
}

//! Punycode (RFC 3492): letters of all scripts as those of ASCII. Labels only, without `xn--`.

const BASE: u32 = 36;
const TMIN: u32 = 1;
const TMAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const FIRST_BIAS: u32 = 72;
const FIRST_CODE: u32 = 128;
/// No label decodes to more characters than it has bytes.
const MOST: usize = 63;

/// RFC 3492, 6.2. `None`: no Punycode, or not what encoding gives.
pub(super) fn decode(text: &str) -> Option<String> {
    if text.len() > MOST {
        return None;
    }
    let (basic, rest) = text.rsplit_once('-').unwrap_or(("", text));
    let mut out: Vec<char> = basic.chars().collect();
    let (mut code, mut place, mut bias) = (FIRST_CODE, 0_u32, FIRST_BIAS);
    let mut digits = rest.bytes();
    while digits.len() > 0 {
        let before = place;
        let mut weight = 1_u32;
        for step in (BASE..).step_by(36) {
            let digit = value(digits.next()?)?;
            place = place.checked_add(digit.checked_mul(weight)?)?;
            let threshold = threshold(step, bias);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(BASE - threshold)?;
        }
        let count = u32::try_from(out.len()).ok()? + 1;
        bias = adapt(place - before, count, before == 0);
        code = code.checked_add(place / count)?;
        place %= count;
        out.insert(usize::try_from(place).ok()?, char::from_u32(code)?);
        place += 1;
    }
    let out: String = out.into_iter().collect();
    (!out.is_ascii() && encode(&out).as_deref() == Some(text)).then_some(out)
}

/// RFC 3492, 6.3. `None`: too long.
pub(super) fn encode(text: &str) -> Option<String> {
    let codes: Vec<u32> = text.chars().map(u32::from).collect();
    if codes.len() > MOST {
        return None;
    }
    let mut out: String = text.chars().filter(char::is_ascii).collect();
    let basic = u32::try_from(out.len()).ok()?;
    if basic > 0 {
        out.push('-');
    }
    let (mut code, mut delta, mut bias, mut handled) = (FIRST_CODE, 0_u32, FIRST_BIAS, basic);
    while (handled as usize) < codes.len() {
        let next = codes.iter().copied().filter(|it| *it >= code).min()?;
        delta = delta.checked_add((next - code).checked_mul(handled + 1)?)?;
        code = next;
        for one in &codes {
            if *one < code {
                delta = delta.checked_add(1)?;
            }
            if *one == code {
                let mut rest = delta;
                for step in (BASE..).step_by(36) {
                    let threshold = threshold(step, bias);
                    if rest < threshold {
                        break;
                    }
                    let span = BASE - threshold;
                    out.push(digit(threshold + (rest - threshold) % span));
                    rest = (rest - threshold) / span;
                }
                out.push(digit(rest));
                bias = adapt(delta, handled + 1, handled == basic);
                delta = 0;
                handled += 1;
            }
        }
        delta = delta.checked_add(1)?;
        code += 1;
    }
    Some(out)
}

fn threshold(step: u32, bias: u32) -> u32 {
    step.saturating_sub(bias).clamp(TMIN, TMAX)
}

fn adapt(delta: u32, count: u32, is_first: bool) -> u32 {
    let mut delta = if is_first { delta / DAMP } else { delta / 2 };
    delta += delta / count;
    let mut steps = 0;
    while delta > (BASE - TMIN) * TMAX / 2 {
        delta /= BASE - TMIN;
        steps += BASE;
    }
    steps + (BASE - TMIN + 1) * delta / (delta + SKEW)
}

fn value(byte: u8) -> Option<u32> {
    match byte {
        b'a'..=b'z' => Some(u32::from(byte - b'a')),
        b'0'..=b'9' => Some(u32::from(byte - b'0') + 26),
        _ => None,
    }
}

fn digit(value: u32) -> char {
    char::from_digit(value + 10, 36)
        .or_else(|| char::from_digit(value.saturating_sub(26), 36))
        .unwrap_or('a')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_the_document_hold() {
        for (text, encoded) in [
            ("bücher", "bcher-kva"),
            ("münchen", "mnchen-3ya"),
            ("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"),
            (
                "почемужеонинеговорятпорусски",
                "b1abfaaepdrnnbgefbadotcwatmq2g4l",
            ),
            ("3年b組金八先生", "3b-ww4c5e180e575a65lsy2b"),
        ] {
            assert_eq!(encode(text).as_deref(), Some(encoded), "{text}");
            assert_eq!(decode(encoded).as_deref(), Some(text), "{encoded}");
        }
        for wrong in ["", "-", "abc-", "99999999", "bcher-kva9", "ü"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(text in "[a-z0-9à-ÿа-я中-龥😀-😎-]{1,20}") {
            if !text.is_ascii() {
                let encoded = encode(&text).unwrap();
                prop_assert!(encoded.len() > MOST || decode(&encoded).unwrap() == text);
            }
        }

        #[test]
        fn no_text_fails(text in "\\PC{0,70}") {
            let _ = decode(&text);
            let _ = encode(&text);
        }
    }
}

//! Sizes as people write them on the command line.

/// Reads a number of bytes: `512k`, `64MB`, `1.5G`; 1024-based, as in filters.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    const NOT_A_SIZE: &str = "not a size; write 512k, 64M or 1.5G";
    let digits = text.find(|it: char| !it.is_ascii_digit() && it != '.');
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    let unit = unit.to_ascii_lowercase();
    let power = match unit.trim_end_matches("ib").trim_end_matches('b') {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        _ => return Err(NOT_A_SIZE.to_owned()),
    };
    let number: f64 = number.parse().map_err(|_| NOT_A_SIZE.to_owned())?;
    let bytes = number * 1024_f64.powi(power);
    if !(1.0..=1e15).contains(&bytes) {
        return Err("between 1 byte and 900 TB".to_owned());
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is between these bounds, and a part of a byte is none"
    )]
    Ok(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_with_and_without_units() {
        for (text, bytes) in [
            ("1", 1),
            ("512", 512),
            ("512k", 512 << 10),
            ("64M", 64 << 20),
            ("64MB", 64 << 20),
            ("64MiB", 64 << 20),
            ("1.5g", 3 << 29),
            ("2T", 2 << 40),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size() {
        for text in [
            "", "k", "-1", "0", "1x", "1 M", "1.2.3", "1e3", "inf", "nan", "9999999T",
        ] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}

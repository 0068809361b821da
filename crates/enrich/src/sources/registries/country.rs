//! Countries, as registries write them.
//!
//! Some have a name where others have the code (ARIN, in the last line of a postal address). The names
//! are those of ISO 3166 and of everyday use: `countries.txt`, made from `iso3166.tab` of the time zone
//! database (public domain), with the longer names of ISO beside them.

use model::Text;

const NAMES: &str = include_str!("countries.txt");

/// Two letters in upper case. `None`: it is no code, or the one for an unknown country (`ZZ`). `EU` and
/// `AP` stand for regions, and are kept.
pub(in crate::sources) fn code(text: &str) -> Option<Text> {
    let text = text.split('#').next().unwrap_or_default().trim();
    let is_code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    let code = text.to_ascii_uppercase();
    (is_code && code != "ZZ").then(|| code.into())
}

/// The code of a name, or of a code.
pub(in crate::sources) fn code_of_name(text: &str) -> Option<Text> {
    let text = text.trim().trim_end_matches('.');
    let lower = text.to_lowercase();
    let found = NAMES.lines().find_map(|line| {
        let (code, names) = line.split_once('\t')?;
        let is_it = code == text || names.split('\t').any(|name| name.to_lowercase() == lower);
        is_it.then(|| code.into())
    });
    found.or_else(|| matches!(text, "EU" | "AP").then(|| text.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_upper_case() {
        assert_eq!(code("de"), Some("DE".into()));
        assert_eq!(code("EU # Country is really world wide"), Some("EU".into()));
        assert_eq!(code("ZZ"), None);
        assert_eq!(code("Germany"), None);
    }

    #[test]
    fn names_have_codes() {
        for (name, expected) in [
            ("UNITED STATES", "US"),
            ("Syrian Arab Republic", "SY"),
            ("Korea, Republic of", "KR"),
            ("KYRGYZSTAN", "KG"),
            ("Türkiye", "TR"),
            ("United Kingdom", "GB"),
            ("FR", "FR"),
        ] {
            assert_eq!(code_of_name(name), Some(expected.into()), "{name}");
        }
        assert_eq!(code_of_name("Johannesburg 2196"), None);
        assert_eq!(code_of_name("is"), None);
    }
}

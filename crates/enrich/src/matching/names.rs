//! What belongs together by name: the public suffix list says below what somebody can register.

use crate::suffix::Section;
use crate::tables::Tables;

/// The domain that somebody registered and that a name lies in. `None`: it is a public suffix, or lies
/// below one that a platform gives names away under, so that others have the neighbours.
pub(super) fn registered<'a>(tables: &Tables, name: &'a str) -> Option<&'a str> {
    let suffix = tables.suffix(name);
    let is_of_platform = suffix.section == Section::Platform;
    suffix.registrable.filter(|_| !is_of_platform)
}

/// The names that it lies below, nearest first, each with a dot in it.
pub(super) fn parents(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(above(name), |name| above(name))
}

fn above(name: &str) -> Option<&str> {
    let (_, above) = name.split_once('.')?;
    above.contains('.').then_some(above)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn platforms_have_no_registered_domain() {
        for (name, expected) in [
            ("evil.example", Some("evil.example")),
            ("a.b.evil.example", Some("evil.example")),
            ("a.evil.co.uk", Some("evil.co.uk")),
            ("co.uk", None),
            ("1ca43.appspot.com", None),
            ("x.1ca43.appspot.com", None),
            ("appspot.com", None),
            ("someone.github.io", None),
        ] {
            let tables = Tables::embedded();
            assert_eq!(registered(&tables, name), expected, "{name}");
        }
    }

    #[test]
    fn parents_end_before_the_last_label() {
        let all: Vec<_> = parents("a.b.evil.example").collect();
        assert_eq!(all, ["b.evil.example", "evil.example"]);
        assert_eq!(parents("evil.example").count(), 0);
    }

    proptest! {
        #[test]
        fn never_panics(name in "[a-z.\u{e4}-]{0,40}") {
            if let Some(domain) = registered(&Tables::embedded(), &name) {
                prop_assert!(name.ends_with(domain));
            }
            parents(&name).for_each(drop);
        }
    }
}

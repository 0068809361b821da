//! A terminal stays open here, whoever ends in it.

pub(crate) fn is_own() -> bool {
    false
}

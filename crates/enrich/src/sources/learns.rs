//! stub
use model::{OnlineSource, Question};
pub struct Learns {
    pub receiver: &'static str,
    pub what: &'static str,
    pub risk: Risk,
}
#[derive(Clone, Copy)]
pub enum Risk {
    Low,
}
impl Risk {
    pub fn word(self) -> &'static str {
        "low"
    }
}
pub fn learns(_: OnlineSource, _: &Question) -> Learns {
    Learns {
        receiver: "it",
        what: "that",
        risk: Risk::Low,
    }
}
pub fn needs_key(_: OnlineSource) -> bool {
    false
}
pub struct Gone {
    pub name: &'static str,
    pub what: &'static str,
    pub instead: &'static str,
}
pub const GONE: &[Gone] = &[];
pub fn gone(_: &str) -> Option<&'static Gone> {
    None
}
pub fn link(_: OnlineSource, _: &Question) -> Option<String> {
    None
}

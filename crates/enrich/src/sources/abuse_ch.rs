//! What the services of abuse.ch have in common: they say in the body how it went, with status 200.

use model::Failure;

use super::KeyPlace;
use super::members::{Object, unreadable};

pub(super) const KEY: KeyPlace = KeyPlace::Header("Auth-Key");

/// Whether they have something. Errors: what they say instead of an answer.
pub(super) fn has_data(answer: Object<'_>) -> Result<bool, Failure> {
    let Some(status) = answer.text("query_status") else {
        return Err(unreadable("it has no `query_status`"));
    };
    match status.as_str() {
        "ok" => Ok(true),
        "no_result" | "no_results" | "hash_not_found" => Ok(false),
        "rate_limited" => Err(Failure::AskedTooOften(None)),
        "unknown_auth_key" | "no_auth_key" | "no_api_key" | "unauthorized" | "forbidden"
        | "user_blacklisted" => Err(Failure::Refused(Some(status.into()))),
        _ => {
            let status: String = status.chars().take(40).collect();
            Err(unreadable(format!(
                "it does not take the question: {status}"
            )))
        }
    }
}

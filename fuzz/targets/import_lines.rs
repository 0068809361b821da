#![no_main]
//! JSON, times and addresses of logs: what is an object for one parser is one for another.

#[expect(dead_code, reason = "others need more of it")]
#[path = "../../crates/observe/src/import/field.rs"]
mod field;
#[expect(dead_code, reason = "others need more of it")]
#[path = "../../crates/observe/src/import/json.rs"]
mod json;

use json::Value;
use libfuzzer_sys::fuzz_target;

fn check(value: Value<'_>, expected: &serde_json::Value) {
    match expected {
        serde_json::Value::Object(members) => {
            // Of names that come twice, that parser keeps one.
            assert!(value.members().count() >= members.len());
        }
        serde_json::Value::Array(items) => {
            assert_eq!(value.items().count(), items.len());
            value
                .items()
                .zip(items)
                .for_each(|(value, expected)| check(value, expected));
        }
        serde_json::Value::String(text) => {
            assert_eq!(value.string().as_deref(), Some(text.as_bytes()));
        }
        serde_json::Value::Null => assert!(value.is_null()),
        _ => assert!(value.plain().is_some()),
    }
}

fuzz_target!(|data: &[u8]| {
    let _ = (field::any_time(data), field::address(data));
    if let Ok(expected) = serde_json::from_slice::<serde_json::Value>(data)
        && expected.is_object()
    {
        check(Value::object(data).expect("an object"), &expected);
    }
    if let Some(object) = Value::object(data) {
        object.members().for_each(|(_, value)| drop(value.text()));
    }
});

#![no_main]
//! The `format` of a tracepoint: the name of a field, a line feed, the file.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;
use parse::tracepoint::field_offset;

fuzz_target!(|input: (u32, &str)| {
    let (number, text) = input;
    let (name, format) = text.split_once('\n').unwrap_or((text, ""));
    if let Some(offset) = field_offset(format, name) {
        assert!(format.contains(&offset.to_string()) && format.contains(name));
    }
    // The first field of that name counts.
    if !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        for declared in [
            format!("int {name}"),
            format!("const void * {name}"),
            format!("char {name}[16]"),
        ] {
            let longer =
                format!("\tfield:{declared};\toffset:{number};\tsize:4;\tsigned:1;\n{format}");
            assert_eq!(field_offset(&longer, name), Some(number));
        }
    }
});

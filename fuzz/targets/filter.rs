#![no_main]
//! The filter language: a filter reads back as itself, an error points into the text.

use libfuzzer_sys::fuzz_target;
use show::filter::Filter;

fuzz_target!(|text: &str| {
    match Filter::parse(text) {
        Ok(filter) => {
            let written = filter.to_string();
            assert_eq!(Filter::parse(&written).as_ref(), Ok(&filter), "{written:?}");
        }
        Err(error) => {
            assert!(text.get(error.start..error.end).is_some(), "{error:?}");
            let shown = error.to_string();
            assert!(
                !shown.contains(|c: char| c.is_control() && c != '\n'),
                "{shown:?}"
            );
            assert!(shown.lines().count() <= 4, "{shown:?}");
        }
    }
});

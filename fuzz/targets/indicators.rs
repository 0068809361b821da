#![no_main]
//! Lists of indicators in every format of text: as what they look like, and as each format.

use enrich::files::{Format, Loaded, Said, read, read_as};
use libfuzzer_sys::fuzz_target;
use model::IndicatorValue;

fuzz_target!(|data: &[u8]| {
    let said = Said::default();
    check(read(data, &said));
    for format in Format::ALL {
        check(read_as(data.to_vec(), format, &said));
    }
});

fn check(loaded: Result<Loaded, enrich::files::Error>) {
    match loaded {
        Ok(Loaded::Indicators(content)) => {
            assert!(!content.indicators.is_empty());
            assert!(content.skipped.first.len() as u64 <= content.skipped.count);
            for indicator in content.indicators {
                assert!(indicator.about.is_none_or(|about| about.len() <= 512));
                match indicator.value {
                    IndicatorValue::Name { name, .. } => {
                        assert!(name.len() <= 253 && name.contains('.'));
                        assert!(name.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()));
                    }
                    IndicatorValue::Network(network) => assert!(network.prefix() > 0),
                    other => assert!(other.to_string().len() <= 2048),
                }
            }
        }
        Ok(Loaded::Table(_)) => {}
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

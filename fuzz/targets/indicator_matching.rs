#![no_main]
//! A list and something that was seen: what is listed fits itself.

use enrich::files::{Format, Loaded, Said, read_as};
use enrich::matching::Matcher;
use libfuzzer_sys::fuzz_target;
use model::{IndicatorValue, ListOrigin};

fuzz_target!(|data: &[u8]| {
    let Ok(Loaded::Indicators(content)) = read_as(data.to_vec(), Format::List, &Said::default())
    else {
        return;
    };
    let list = content.into_list("list".to_owned(), ListOrigin::Embedded);
    let matcher = Matcher::new(vec![list.clone()]);
    for indicator in &list.indicators {
        let found = match &indicator.value {
            IndicatorValue::Address(address) => matcher.of_address(*address),
            IndicatorValue::Name { name, .. } => matcher.of_name(name),
            IndicatorValue::Hash(hash) => matcher.of_hash(hash),
            IndicatorValue::Url { url, host } => matcher.of_url(url, host),
            IndicatorValue::Path(path) => matcher.of_path(path),
            _ => continue,
        };
        assert!(!found.is_empty(), "{:?}", indicator.value);
    }
    let text = String::from_utf8_lossy(data);
    matcher.of(&text);
    matcher.of_name(&text);
    matcher.of_path(&text);
});

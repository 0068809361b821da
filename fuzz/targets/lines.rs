#![no_main]
//! The events of a case: what is read is written and read again as it was.

use libfuzzer_sys::fuzz_target;
use record::lines::{Encoder, Line, Lines};

/// All lines up to the first fault; looks with their users left out, which have no order.
fn read(bytes: &[u8]) -> Vec<Line> {
    let lines = Lines::new(bytes).map_while(Result::ok);
    lines
        .filter(|line| !matches!(line, Line::Unknown))
        .collect()
}

fn told(lines: &[Line]) -> Vec<String> {
    let told = lines.iter().map(|line| match line {
        Line::Observed(model::Observed::Look(look)) => {
            let mut look = look.clone();
            look.users.clear();
            format!("{look:?}")
        }
        Line::Restated(state) => {
            let mut state = state.clone();
            state.users.clear();
            format!("{state:?}")
        }
        // The encoder counts itself.
        Line::End(end) => end.time.to_string(),
        line => format!("{line:?}"),
    });
    told.collect()
}

fuzz_target!(|data: &[u8]| {
    let lines = read(data);
    let mut encoder = Encoder::new();
    let mut written = Vec::new();
    for line in &lines {
        match line {
            Line::Start(it) => {
                encoder.start(&it.host, it.taken, it.tier, it.segment, &mut written);
            }
            Line::Observed(observed) => encoder.observed(observed, &mut written),
            Line::Restated(state) => encoder.restate(state, &mut written),
            Line::End(end) => encoder.end(end.time, end.lost, &mut written),
            Line::Unknown => {}
        }
    }
    let text = std::str::from_utf8(&written).unwrap();
    assert!(
        !text
            .chars()
            .any(|it| it != '\n' && model::acts_or_hides(it))
    );
    let again = read(&written);
    // Counts of nothing and long lists of counts stand in another number of lines.
    let counts = |line: &Line| matches!(line, Line::Observed(model::Observed::Counts(_)));
    if !lines.iter().any(counts) {
        assert_eq!(told(&again), told(&lines));
    }
});

//! Before anything is sent: what goes to whom, and what each of them learns.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use enrich::sources;
use model::OnlineSource;

use super::plan::{Ask, LeftOut, Plan};
use super::settings::Settings;
use crate::output::Talk;

/// Items that are named; further ones are counted.
const MOST_NAMED: usize = 20;

pub(super) const NOTHING_SENT: &str = "Nothing was sent. --online asks, from another computer.\n";

/// `is_of_case`: with all items, since nobody has typed them.
pub(super) fn plan(plan: &Plan, settings: &Settings, is_of_case: bool, talk: Talk) {
    let mut text = String::new();
    if plan.asks.is_empty() {
        text.push_str("Nobody is asked.\n");
    } else {
        text.push_str(
            "What is asked of whom, and what they learn besides the address of this computer:\n",
        );
    }
    let mut by_name = false;
    for (source, asks) in plan.by_source() {
        text.push_str(&of_source(source, &asks, settings));
        by_name |= asks.iter().any(|it| it.receiver.is_some());
        if is_of_case && !source.is_list() {
            let questions: Vec<_> = asks.iter().map(|it| it.question.to_string()).collect();
            // Whoever agrees has seen all of them.
            let _ = writeln!(text, "      about   {}", questions.join(", "));
        }
    }
    if by_name {
        let usual = if settings.is_usual_resolver {
            "Quad9; --resolver chooses another"
        } else {
            "as you chose"
        };
        let _ = writeln!(
            text,
            "  The names of these servers are asked of {} ({usual}), or of the proxy.",
            settings.resolver
        );
    }
    for (why, words) in [
        (
            LeftOut::UnpackagedHash,
            "of programs of no package: whoever made one for you learns that it was found",
        ),
        (
            LeftOut::UniqueName,
            "host names that may be known to nobody else: who asks for one is known by it",
        ),
    ] {
        let items: Vec<_> = plan.left_out.iter().filter(|it| it.1 == why).collect();
        if !items.is_empty() {
            let items: Vec<_> = items.iter().map(|it| it.0.clone()).collect();
            let _ = writeln!(
                text,
                "  Left out unless you tick them (--tick ITEM), {words}:"
            );
            let _ = writeln!(text, "    [ ] {}", named(&items));
        }
    }
    let mut whys: Vec<_> = plan.never.iter().map(|it| it.1).collect();
    whys.sort_unstable();
    whys.dedup();
    for why in whys {
        let items = plan.never.iter().filter(|it| it.1 == why);
        let items: Vec<_> = items.map(|it| it.0.clone()).collect();
        let _ = writeln!(text, "  Never asked about, since {why}: {}", named(&items));
    }
    if !plan.without_key.is_empty() {
        let words: Vec<_> = plan.without_key.iter().map(|it| it.word()).collect();
        let _ = writeln!(
            text,
            "  Not asked, as they want a key (--keys): {}",
            words.join(", ")
        );
    }
    for source in &plan.useless {
        let _ = writeln!(
            text,
            "  Not asked: {} has nothing of this kind.",
            source.word()
        );
    }
    if plan.known > 0 {
        let _ = writeln!(
            text,
            "  Not asked again, as the answer is there and young enough: {}.",
            plan.known
        );
    }
    talk.say(&text);
}

fn of_source(source: OnlineSource, asks: &[&Ask], settings: &Settings) -> String {
    let mut receivers: Vec<_> = asks.iter().filter_map(|it| it.receiver.clone()).collect();
    receivers.sort_unstable();
    receivers.dedup();
    let mut receivers = named(&receivers);
    if receivers.is_empty() {
        receivers = settings.resolver.to_string();
    }
    let count = asks.len();
    let questions = if count == 1 { "question" } else { "questions" };
    let through = match settings.proxy(source) {
        Some(proxy) => format!(", through {}", without_password(proxy)),
        None => String::new(),
    };
    let title = source.title();
    let mut text = format!("  [x] {title}: {count} {questions} to {receivers}{through}\n");
    let mut told = BTreeSet::new();
    for ask in asks {
        let learns = sources::learns(source, &ask.question);
        if told.insert((learns.what, learns.receiver)) {
            let risk = learns.risk.word();
            let _ = writeln!(text, "      learns  {} (risk {risk})", learns.what);
            let _ = writeln!(text, "      who     {}", learns.receiver);
        }
    }
    text
}

/// A proxy without what stands before the `@`.
fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        _ => url.to_owned(),
    }
}

fn named(items: &[String]) -> String {
    let shown: Vec<_> = items.iter().take(MOST_NAMED).map(String::as_str).collect();
    let mut text = shown.join(", ");
    if let Some(more) = items.len().checked_sub(MOST_NAMED).filter(|it| *it > 0) {
        let _ = write!(text, " and {more} more");
    }
    text
}

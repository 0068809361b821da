//! What stands in the panel, from top to bottom.

use model::{Call, ConnectionId, Fact, Finding, NameStrength, Severity, Text, Unchecked};

use super::bars::bars;
use super::histogram::Histogram;
use super::series::{Series, concerns};
use super::spread::{Spread, length, nanos};
use super::{Looked, hours, talk};
use crate::findings::{Concerned, Shown};
use crate::messages::findings::unchecked;
use crate::messages::{check, detail as words, rhythm as texts};
use crate::quantity::{bytes, duration, measured};
use crate::table::endpoint::named;
use crate::tui::columns::mark;
use crate::tui::detail::{self, pieces};
use crate::tui::programs;
use crate::tui::theme::Tone;
use crate::visible::visible;

/// So many addresses, names and titles are told, the rest is counted.
const MOST: usize = 4;

/// The panel, in lines of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) struct Page {
    pub(in crate::tui) title: String,
    /// Which of several it is about. Empty: there is only one.
    pub(in crate::tui) which: String,
    pub(in crate::tui) lines: Vec<Line>,
}

/// Text, each part with its tone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) struct Line(pub(in crate::tui) Vec<(String, Tone)>);

impl Line {
    pub(super) fn dim(text: String) -> Self {
        Self(vec![(text, Tone::Dim)])
    }
}

/// `place`: which of how many it is, from 0.
pub(super) fn page(
    looked: &Looked<'_>,
    series: &Series<'_>,
    (place, all): (usize, usize),
    width: usize,
) -> Page {
    let mut writer = Writer {
        looked,
        series,
        calls: series.calls(),
        width,
        lines: Vec::new(),
    };
    writer.said();
    // Where calls have no gaps, what happens inside of them matters more.
    if writer.calls.len() > 1 {
        writer.gaps();
        writer.calls();
        writer.when();
        writer.inside();
    } else {
        writer.inside();
        writer.gaps();
        writer.calls();
        writer.when();
    }
    Page {
        title: texts::title(&writer.title()),
        which: match all {
            1 => String::new(),
            all => texts::one_of(place + 1, all),
        },
        lines: writer.lines,
    }
}

struct Writer<'a> {
    looked: &'a Looked<'a>,
    series: &'a Series<'a>,
    /// Those that are kept, in the order of their start.
    calls: Vec<&'a Call>,
    width: usize,
    lines: Vec<Line>,
}

impl Writer<'_> {
    /// Who calls whom.
    fn title(&self) -> String {
        let Some(first) = self.series.pairs.first() else {
            return String::new();
        };
        let key = &first.key;
        let program = programs::caller_name(key.program.as_ref(), key.device, self.looked.snapshot);
        let to = programs::destination(&key.destination, key.port);
        let others = self.series.pairs.len() - 1;
        let to = match others {
            0 => to,
            others => check::and_others(&to, others),
        };
        match key.local_port {
            Some(port) => words::pair(&to, &texts::port_of(&program, port), key.protocol.word()),
            None => words::pair(&program, &to, key.protocol.word()),
        }
    }

    fn heading(&mut self, text: &str, tone: Tone) {
        let pieces = pieces(text, self.width.max(10)).into_iter();
        self.lines
            .extend(pieces.map(|piece| Line(vec![(piece, tone)])));
    }

    fn fact(&mut self, name: &'static str, text: impl ToString) {
        let fact = detail::Fact::Of(name, text.to_string());
        let lines = detail::lines(&[fact], self.width).into_iter();
        self.lines
            .extend(lines.map(|(_, text)| Line(vec![(text, Tone::Plain)])));
    }

    /// What the rules say.
    fn said(&mut self) {
        let (snapshot, series) = (self.looked.snapshot, self.series);
        for finding in &series.findings {
            let shown = Shown::of(finding, snapshot, &Concerned::default());
            let sign = mark(Some(finding.severity));
            let tone = match finding.severity {
                Severity::Critical | Severity::High => Tone::LookFirst,
                Severity::Medium => Tone::Look,
                Severity::Low | Severity::Informational => Tone::Strong,
            };
            self.heading(&texts::found(sign, shown.word, &shown.said.title), tone);
            self.fact(check::FOUND, &shown.said.explanation);
            self.fact(check::HARMLESS, &shown.said.innocent);
            self.fact(check::NEXT, &shown.said.next);
        }
        if snapshot.findings.revision() == 0 {
            self.heading(texts::NOT_JUDGED, Tone::Strong);
        } else if series.findings.is_empty() {
            self.heading(&texts::no_rhythm(self.calls.len()), Tone::Strong);
            let unseen = snapshot.findings.unchecked().iter();
            let seldom = unseen.filter(|it| matches!(it, Unchecked::Seldom(_)));
            for it in seldom {
                self.fact(texts::NOT_CHECKED, unchecked(*it));
            }
            self.fact(texts::LEFT_OUT, texts::WHAT_RULES_LEAVE_OUT);
        }
        let others = snapshot.findings.iter().filter(|it| {
            let known = series.findings.iter().any(|known| known.id == it.id);
            !known && series.pairs.iter().any(|pair| concerns(it, pair))
        });
        let titles = others.map(|it| Shown::of(it, snapshot, &Concerned::default()).said.title);
        let mut titles: Vec<String> = titles.collect();
        titles.dedup();
        if !titles.is_empty() {
            self.fact(texts::ALSO_FOUND, texts::others(&in_short(&titles)));
        }
    }

    fn gaps(&mut self) {
        let begins = self.calls.iter().map(|call| call.opened);
        let next = begins.clone().skip(1);
        let gaps = begins.zip(next).map(|(one, next)| nanos(one.until(next)));
        let mut gaps: Vec<u64> = gaps.collect();
        gaps.sort_unstable();
        if let [gap] = gaps.as_slice() {
            return self.heading(&texts::one_gap(measured(length(*gap))), Tone::Title);
        }
        let of_calls = self.series.findings.iter();
        let mut of_calls = of_calls.filter(|it| it.rule != HEARTBEAT);
        let found = of_calls.find_map(|it| found(it));
        let drawn = self.histogram(&gaps, found, &|step| {
            texts::gaps(gaps.len(), texts::OF_CALLS, step)
        });
        if !drawn {
            self.heading(&texts::no_gaps(self.calls.len()), Tone::Title);
        }
    }

    /// Whether there was anything to draw.
    fn histogram(
        &mut self,
        gaps: &[u64],
        found: Option<(u64, String)>,
        title: &dyn Fn(Option<&str>) -> String,
    ) -> bool {
        let marked = found.as_ref().map(|it| it.0);
        let Some((histogram, spread)) = Histogram::of(gaps, marked).zip(Spread::of(gaps)) else {
            return false;
        };
        let step = histogram
            .step
            .map(|step| duration(length(step)).to_string());
        self.heading(&title(step.as_deref()), Tone::Title);
        let mark = found.map_or_else(String::new, |it| texts::marked(&it.1));
        self.lines.extend(bars(&histogram, &mark, self.width));
        let told = |nanos| measured(length(nanos)).to_string();
        let half = (told(spread.low), told(spread.high));
        let half = (half.0.as_str(), half.1.as_str());
        let text = texts::middle(&told(spread.middle), half, spread.jitter());
        self.fact(texts::MIDDLE, text);
        let (least, most) = (told(spread.least), told(spread.most));
        self.fact(texts::ALL, texts::least_and_most(least, most));
        true
    }

    /// How many, how large, whom.
    fn calls(&mut self) {
        let series = self.series;
        let count = series.count(|pair| pair.connections);
        let failed = series.count(|pair| pair.failed);
        let open = series.count(|pair| pair.open);
        let text = texts::calls(&words::calls(count, failed, open));
        self.heading(&text, Tone::Title);
        let ended = self.calls.iter();
        let ended = ended.filter(|call| call.closed.is_some() && !call.failed);
        let sizes = |of: fn(&Call) -> u64| ended.clone().map(|it| of(it)).collect::<Vec<_>>();
        let (sent, received) = (sizes(|it| it.bytes_sent), sizes(|it| it.bytes_received));
        self.sizes(words::SENT, sent);
        self.sizes(words::RECEIVED, received);
        let firsts = series.pairs.iter().filter_map(|pair| pair.first.told());
        let lasts = series.pairs.iter().filter_map(|pair| pair.last.told());
        let now = self.looked.snapshot.taken;
        let ago = |time: model::Timestamp| words::ago(second(time), duration(time.until(now)));
        if let Some(first) = firsts.min() {
            self.fact(words::FIRST, ago(first));
        }
        if let Some(last) = lasts.max() {
            self.fact(words::LAST, ago(last));
        }
        if series.pairs.len() > 1 {
            let addresses = series.pairs.iter().map(|pair| &pair.key);
            let addresses = addresses.map(|key| programs::destination(&key.destination, key.port));
            let mut addresses: Vec<String> = addresses.collect();
            addresses.dedup();
            self.fact(words::ADDRESSES, in_short(&addresses));
        }
        let names = self.names();
        if !names.is_empty() {
            self.fact(texts::NAMES, in_short(&names));
        }
        let let_go = series.count(|pair| pair.let_go);
        let present = series.count(|pair| pair.members.present);
        if let_go > 0 || present > 0 {
            self.fact(texts::NOT_KEPT, texts::calls_not_told(let_go, present));
        }
    }

    fn sizes(&mut self, name: &'static str, mut sizes: Vec<u64>) {
        sizes.sort_unstable();
        let Some(spread) = Spread::of(&sizes).filter(|it| it.most > 0) else {
            return self.fact(name, texts::NO_SIZES);
        };
        let tenth = spread.middle / 10;
        let alike = sizes
            .iter()
            .filter(|it| it.abs_diff(spread.middle) <= tenth);
        let told = |count| bytes(count).to_string();
        let ends = (told(spread.least), told(spread.most));
        let text = texts::size(
            &told(spread.middle),
            (&ends.0, &ends.1),
            alike.count(),
            sizes.len(),
        );
        self.fact(name, text);
    }

    /// What the other side was called, the surest first.
    fn names(&self) -> Vec<String> {
        let named_of = self
            .series
            .pairs
            .iter()
            .flat_map(|pair| &pair.members.names);
        let mut names: Vec<(NameStrength, &Text)> =
            named_of.map(|it| (it.strength, &it.name)).collect();
        names.sort_by(|one, other| (other.0, one.1).cmp(&(one.0, other.1)));
        names.dedup_by_key(|it| it.1);
        let names = names.into_iter();
        names
            .map(|(strength, name)| named(&visible(name), strength).into_owned())
            .collect()
    }

    fn when(&mut self) {
        let map = hours::map(self.looked, self.series, &self.calls, self.width);
        let Some((title, lines)) = map else {
            return;
        };
        self.heading(title, Tone::Title);
        self.lines.extend(lines);
        let room = self.width.saturating_sub(2).max(10);
        let signs = pieces(texts::SIGNS, room).into_iter();
        self.lines
            .extend(signs.map(|it| Line::dim(format!("  {it}"))));
    }

    /// The bursts of one connection.
    fn inside(&mut self) {
        let findings = self.series.findings.iter();
        let found = findings.into_iter().find_map(|it| match it.rule {
            HEARTBEAT => found(it),
            _ => heartbeat(it),
        });
        let period = found.as_ref().map(|it| it.0);
        let Some((pace, others)) = talk::best(self.series, period) else {
            return self.heading(texts::NO_BURSTS, Tone::Title);
        };
        let title = texts::inside(&self.connection(pace.connection), pace.talk.count());
        self.heading(&title, Tone::Title);
        self.histogram(&pace.gaps, found, &|step| {
            texts::gaps(pace.gaps.len(), texts::OF_BURSTS, step)
        });
        let sizes = pace.talk.bursts().map(|it| it.bytes).collect();
        self.sizes(words::SENT, sizes);
        let kept = pace.talk.bursts().len();
        if pace.talk.count() > kept as u64 {
            self.fact(texts::KEPT, texts::newest(kept));
        }
        let resolution = pace.talk.resolution();
        if !resolution.is_zero() {
            self.fact(texts::KNOWN, texts::by_counters(duration(resolution)));
        }
        if others > 0 {
            self.fact(texts::OTHERS, texts::other_talks(others));
        }
    }

    /// By its end here; it may have been let go.
    fn connection(&self, id: ConnectionId) -> String {
        let connections = self.looked.snapshot.connections.iter();
        let mut it = connections.filter(|it| it.id == id);
        it.next().map_or_else(
            || texts::INSIDE_ONE.to_owned(),
            |it| texts::inside_from(&detail::this_end(it)),
        )
    }
}

const HEARTBEAT: &str = "heartbeat";

/// The period that a rule has found, in nanoseconds, and how it is told; the mean of what has none.
pub(super) fn found(finding: &Finding) -> Option<(u64, String)> {
    let length = |name: &str| match finding.fact(name) {
        Some(Fact::Duration(length)) => Some(*length),
        Some(_) | None => None,
    };
    let period = length("period").map(|it| (nanos(it), texts::period(measured(it))));
    let mean = || length("mean_gap").map(|it| (nanos(it), texts::mean_gap(measured(it))));
    period.or_else(mean)
}

/// The same of what is told beside another thing.
pub(super) fn heartbeat(finding: &Finding) -> Option<(u64, String)> {
    match finding.fact(HEARTBEAT) {
        Some(Fact::Duration(length)) => Some((nanos(*length), texts::period(measured(*length)))),
        Some(_) | None => None,
    }
}

fn in_short(all: &[String]) -> String {
    let (first, rest) = all.split_at(all.len().min(MOST));
    texts::first_and_more(first, rest.len())
}

/// `2026-11-22T10:15:00Z`.
fn second(time: model::Timestamp) -> String {
    let text = time.to_string();
    format!("{}Z", text.get(..19).unwrap_or_default())
}

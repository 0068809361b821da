//! What a score weighs: who calls, and whom. Times and sizes alone do not tell a beacon from an update
//! service; where the program comes from and who else calls there does.

use model::{Confidence, NetworkKind, Protocol, Severity};

use super::habit::{Habit, Standing};
use super::regularity::count;
use super::rhythm::{Kind, Rhythm};

/// From here on a person should look.
pub(super) const LOOK: f64 = 60.0;
/// From here on a person should look where nobody knows where the program comes from, and it does not live in
/// the open.
pub(super) const NOTE: f64 = 40.0;

/// Points for each sign that a destination is rare, above so many points for the rhythm.
const RARE_POINTS: f64 = 5.0;
const RARE_FROM: f64 = 30.0;
/// And sizes as alike as this: people's differ.
const ALIKE: f64 = 0.85;
/// So long somebody must have been there, and away, in seconds, and so many calls must have come, until they say
/// anything about each other.
const ATTENDED: f64 = 600.0;
const CHATTER: usize = 30;
/// Seconds, and the part of them by which a timer is off.
const LONG: f64 = 290.0;
const EXACT: f64 = 0.003;
/// So many destinations are few.
pub(super) const FEW: usize = 3;
/// Where no process is known a few beats are not enough for more than a note.
const BEATS: usize = 12;

/// Those who answer such calls are called by everything.
const CALLED_BY_ALL: [NetworkKind; 5] = [
    NetworkKind::PublicResolver,
    NetworkKind::CertificateStatus,
    NetworkKind::CaptivePortal,
    NetworkKind::Service,
    NetworkKind::Mail,
];

/// What speaks for and against it, each as a factor.
pub(super) fn weighed(score: f64, rhythm: Option<&Rhythm>, habit: &Habit<'_>) -> f64 {
    let unpackaged = habit.standing == Standing::Unpackaged;
    let standing = match habit.standing {
        Standing::Ordinary => 0.6,
        Standing::Packaged => 0.9,
        Standing::Unknown => 1.0,
        Standing::Unpackaged => 1.15,
        Standing::Ours => 0.0,
    };
    let made_to = habit.is_made_to_call() && !unpackaged;
    let made_to = if made_to { 0.4 } else { 1.0 };
    let by_all = match (habit.has_kind(&CALLED_BY_ALL), unpackaged) {
        (true, false) => 0.4,
        (true, true) => 0.8,
        (false, _) => 1.0,
    };
    let link = if habit.is_on_link() { 0.5 } else { 1.0 };
    // Where the program is known it weighs more than a name that it chose itself.
    let maker = habit.is_of_maker() && habit.standing <= Standing::Unknown;
    let platform = habit.is_of_platform() && habit.standing <= Standing::Unknown;
    let maker = match (platform, maker) {
        (true, _) => 0.2,
        (false, true) => 0.5,
        (false, false) => 1.0,
    };
    let others = prevalence(habit) * provider(habit) * timer(rhythm, habit) * openness(habit);
    let others = others * attendance(rhythm, habit) * tunnel(habit);
    let score = score * standing * made_to * by_all * link * maker * others;
    (score + rarity(score, rhythm, habit)).min(100.0)
}

/// A program of no package that calls an address without a name, to which nobody else calls: some points,
/// where there is something to add them to.
fn rarity(score: f64, rhythm: Option<&Rhythm>, habit: &Habit<'_>) -> f64 {
    let is_alike = rhythm.is_some_and(|it| it.alike >= ALIKE);
    if habit.standing != Standing::Unpackaged || score < RARE_FROM || !is_alike {
        return 0.0;
    }
    let alone = habit.callers.here <= 1;
    let nameless = habit.name.is_none();
    RARE_POINTS * (f64::from(u8::from(alone)) + f64::from(u8::from(nameless)))
}

/// Services that ask for news wait for long, and to the millisecond; what waits for long to stay unseen
/// does not keep to the second.
fn timer(rhythm: Option<&Rhythm>, habit: &Habit<'_>) -> f64 {
    let is_timer = rhythm.is_some_and(|it| it.period >= LONG && it.jitter < EXACT);
    let is_known = matches!(habit.standing, Standing::Packaged | Standing::Unpackaged);
    if is_timer && !is_known { 0.45 } else { 1.0 }
}

/// What has no period, goes on as long as somebody is there, and never while nobody is, is what that person does.
fn attendance(rhythm: Option<&Rhythm>, habit: &Habit<'_>) -> f64 {
    if rhythm.is_none_or(|it| it.kind != Kind::Chatter) {
        return 1.0;
    }
    let [(there, attended), (away, alone)] = habit.attended();
    let both = attended >= ATTENDED && alone >= ATTENDED;
    if both && there >= CHATTER && away == 0 {
        0.6
    } else {
        1.0
    }
}

/// A VPN keeps its way open, by datagrams to a server of those who offer it. Spyware that hides behind such a
/// server is called by connections.
fn tunnel(habit: &Habit<'_>) -> f64 {
    let datagrams = matches!(habit.protocol(), Protocol::Udp | Protocol::UdpLite);
    if datagrams && habit.has_kind(&[NetworkKind::Vpn]) {
        0.2
    } else {
        1.0
    }
}

/// Who uses many services of one provider is called back by it all day.
fn provider(habit: &Habit<'_>) -> f64 {
    if habit.standing == Standing::Unpackaged {
        return 1.0;
    }
    let rented = habit.has_kind(&[NetworkKind::Hosting, NetworkKind::Cloud, NetworkKind::Vpn]);
    match (habit.callers.of_provider, rented) {
        (0..=1, _) => 1.0,
        (2..=4, true) => 0.95,
        (_, true) => 0.8,
        (2..=4, false) => 0.8,
        (_, false) => 0.6,
    }
}

/// What people use shows itself, and calls many; what hides has one or two whom it calls.
fn openness(habit: &Habit<'_>) -> f64 {
    match (calls_many(habit), is_seen(habit)) {
        _ if habit.standing != Standing::Unpackaged => 1.0,
        (true, true) => 0.5,
        (true, false) | (false, true) => 0.75,
        (false, false) => 1.0,
    }
}

fn calls_many(habit: &Habit<'_>) -> bool {
    habit.callers.of_program > FEW
}

fn is_seen(habit: &Habit<'_>) -> bool {
    habit.shows && habit.name.is_some()
}

/// What half of all devices do is what their system does; so is what several programs do.
fn prevalence(habit: &Habit<'_>) -> f64 {
    let (here, devices) = (habit.callers.here, habit.callers.devices);
    if habit.is_of_device() && devices >= 3 {
        // Two may have been broken into by the same.
        let share = count(here) / count(devices);
        return if share >= 0.5 && here >= 3 { 0.3 } else { 1.0 };
    }
    if !habit.is_of_device() && here >= 3 {
        0.7
    } else {
        1.0
    }
}

/// `None`: it weighs nothing. High only with a reason besides.
pub(super) fn severity(
    score: f64,
    rhythm: Option<&Rhythm>,
    habit: &Habit<'_>,
) -> Option<(Severity, Confidence)> {
    let is_short = rhythm.is_some_and(|it| it.beats < BEATS);
    let is_foreign = match habit.standing {
        Standing::Unpackaged => !calls_many(habit) && !is_seen(habit),
        Standing::Unknown => !is_short || habit.pairs.iter().any(|it| it.key.program.is_some()),
        Standing::Ordinary | Standing::Packaged | Standing::Ours => false,
    };
    let severity = if score < NOTE {
        return None;
    } else if habit.standing == Standing::Ordinary && habit.reasons.is_empty() {
        Severity::Informational
    } else if is_told(habit) && habit.reasons.is_empty() {
        Severity::Low
    } else if score >= LOOK && !habit.reasons.is_empty() {
        Severity::High
    } else if score >= LOOK || is_foreign || !habit.reasons.is_empty() {
        Severity::Medium
    } else {
        Severity::Low
    };
    Some((severity, confidence(habit)))
}

/// Whether it does what people have such programs do: scripts that look for news, copies by the clock and
/// logins that are kept alive call somebody who has a name, or something in the same house, or where they were told to log in. Whoever hides
/// behind that has given another reason, or is of no package.
pub(super) fn is_told(habit: &Habit<'_>) -> bool {
    let is_known = habit.pairs.iter().all(|it| it.key.program.is_some());
    match habit.standing {
        Standing::Packaged => habit.name.is_some() || habit.is_at_home() || habit.logs_in,
        Standing::Unknown => is_known && habit.name.is_some(),
        Standing::Ordinary | Standing::Unpackaged | Standing::Ours => false,
    }
}

/// How well it separates guilty from innocent: time by itself does not.
pub(super) fn confidence(habit: &Habit<'_>) -> Confidence {
    match (habit.reasons.is_empty(), habit.standing) {
        (false, _) => Confidence::High,
        (true, Standing::Unpackaged) => Confidence::Medium,
        (true, _) => Confidence::Low,
    }
}

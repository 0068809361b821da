//! What findings say to a person: one table from the rule to its sentences. They are made from the
//! facts of the finding; what comes from outside is bounded and made visible first.
//!
//! `next` is one harmless step: nothing that the other side could notice, and nothing that takes
//! protection away.

mod behaviour;
mod files;
mod habits;
mod memory;
mod names;

use std::borrow::Cow;
use std::time::Duration;

use model::{Fact, Finding, Severity, Unchecked};

use super::{counted, grouped};
use crate::quantity::{bytes, duration, measured};
use crate::visible::{shorten_middle, visible_str};

/// The sentences of one finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    /// What was found, in a few words.
    pub(crate) title: String,
    pub(crate) explanation: String,
    /// How it can be harmless.
    pub(crate) innocent: String,
    pub(crate) next: String,
}

/// `who` is the program or the device, as the begin of a sentence.
pub(crate) fn said(finding: &Finding, who: &str) -> Said {
    let told = Told { finding, who };
    let known = messages().find(|it| it.rule == finding.rule);
    let message = known.unwrap_or(&OF_ANOTHER_VERSION);
    Said {
        title: (message.title)(&told).into_owned(),
        explanation: (message.explanation)(&told) + &beside(&told),
        innocent: (message.innocent)(&told).into_owned(),
        next: (message.next)(&told).into_owned(),
    }
}

/// One word for a person: what is to be done with it.
pub(crate) fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "look first",
        Severity::Medium => "look",
        Severity::Low | Severity::Informational => "note",
    }
}

/// Columns that a fact from outside takes at most within a sentence.
const LONGEST: usize = 120;

struct Told<'a> {
    finding: &'a Finding,
    who: &'a str,
}

impl Told<'_> {
    /// A fact as it stands in a sentence. `None`: the finding does not have it.
    fn fact(&self, name: &str) -> Option<String> {
        self.finding
            .fact(name)
            .map(fact)
            .filter(|it| !it.is_empty())
    }

    /// A length of time that was measured, rounded. `None`: the finding does not have it.
    fn measured(&self, name: &str) -> Option<String> {
        match self.finding.fact(name) {
            Some(Fact::Duration(length)) => Some(measured(*length).to_string()),
            Some(_) | None => None,
        }
    }

    /// The first of several facts that is there.
    fn first_of(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.fact(name))
    }

    /// The other side, by whatever is known of it.
    fn other(&self) -> String {
        let remote = || Some(self.finding.about.remote?.ip?.to_string());
        let told = self.first_of(&["seen", "name", "address"]);
        told.or_else(remote)
            .unwrap_or_else(|| "another computer".to_owned())
    }

    /// `has to do with`, or what is known of the way.
    fn does(&self) -> &'static str {
        match self.finding.fact("direction") {
            Some(Fact::Text(way)) if way == "inbound" => "was called by",
            Some(_) | None => "has to do with",
        }
    }

    /// `the list X of Y, published on Z`.
    fn list(&self) -> String {
        let list = self.fact("list");
        let mut text = match &list {
            Some(list) => format!("the list {list}"),
            None => "a list".to_owned(),
        };
        // Some lists are called like their publisher.
        if let Some(publisher) = self
            .fact("publisher")
            .filter(|it| Some(it) != list.as_ref())
        {
            text += &format!(" of {publisher}");
        }
        if let Some(published) = self.fact("published") {
            text += &format!(", published {published},");
        }
        text
    }

    fn kind(&self) -> &str {
        match self.finding.fact("kind") {
            Some(Fact::Text(kind)) => kind,
            Some(_) | None => "",
        }
    }
}

/// Whether the program is one of Windows, by its path: a case is read on other systems, too. There a
/// signature tells whose a program is, and no package.
fn is_of_windows(told: &Told<'_>) -> bool {
    let Some(Fact::Text(path)) = told.finding.fact("path") else {
        return false;
    };
    let mut characters = path.chars();
    let letter = characters.next().is_some_and(|it| it.is_ascii_alphabetic());
    letter && characters.as_str().starts_with(r":\")
}

/// A fact for a person, on one line.
pub(crate) fn fact(fact: &Fact) -> String {
    match fact {
        Fact::Count(count) => grouped_number(*count),
        Fact::Bytes(count) => bytes(*count).to_string(),
        Fact::Share(share) => format!("{:.0} %", share * 100.0),
        Fact::Duration(length) => duration(*length).to_string(),
        // The day is enough: lists are not made to the second.
        Fact::Time(time) => time.to_string().get(..10).unwrap_or_default().to_owned(),
        Fact::Text(text) => shorten_middle(&visible_str(text), LONGEST).into_owned(),
    }
}

fn grouped_number(count: u64) -> String {
    grouped(count, "", "").trim_end().to_owned()
}

/// The sentences of one rule.
struct Message {
    rule: &'static str,
    title: fn(&Told<'_>) -> Cow<'static, str>,
    explanation: fn(&Told<'_>) -> String,
    innocent: fn(&Told<'_>) -> Cow<'static, str>,
    next: fn(&Told<'_>) -> Cow<'static, str>,
}

/// About the other side; then about processes; then about habits.
fn messages() -> impl Iterator<Item = &'static Message> {
    let others = [
        memory::MESSAGES,
        files::MESSAGES,
        behaviour::MESSAGES,
        habits::MESSAGES,
        names::MESSAGES,
    ];
    DESTINATIONS.iter().chain(others.into_iter().flatten())
}

const DESTINATIONS: [Message; 11] = [
    Message {
        rule: "known_bad",
        title: |told| {
            match told.kind() {
                "address" => "Known bad address",
                "network" => "Known bad network",
                "name" => "Known bad name",
                "url" => "Known bad web address",
                "hash" => "Known bad program file",
                "process_name" => "Known bad process name",
                "path" => "Known bad file path",
                "file_name" => "Known bad file name",
                _ => "Known as bad",
            }
            .into()
        },
        explanation: known_bad,
        innocent: |told| {
            match told.kind() {
                "address" | "network" => {
                    "Addresses change hands, and many names share one: who had it when the list was made \
                     need not be who has it now. Programs that protect call such addresses, too."
                }
                "name" | "url" => {
                    "A name may have been given up and taken by somebody else, and security programs or \
                     people who examine such things ask for it on purpose."
                }
                "hash" => {
                    "Somebody may keep the file to examine it, or may have installed it knowingly: \
                     programs for monitoring are on such lists, too."
                }
                _ => {
                    "Names and places of files are not unique: an ordinary program may have the same by \
                     chance."
                }
            }
            .into()
        },
        next: |_| KEEP.into(),
    },
    Message {
        rule: "drop_list",
        title: |_| "Network on a block list".into(),
        explanation: |told| {
            let network = told.fact("network");
            let network = network.map_or_else(String::new, |it| format!(" is in {it}, which"));
            format!(
                "{who} {does} {other}. It{network} is on {list}: networks that were taken over or are \
                 rented by criminals, with which hardly anybody has ordinary business.",
                who = told.who,
                does = told.does(),
                other = told.other(),
                list = told.list().trim_end_matches(','),
            )
        },
        innocent: |_| {
            "Such lists name whole networks: an innocent customer may have an address in one, and one may \
             have been given back since."
                .into()
        },
        next: look_up,
    },
    Message {
        rule: "sinkhole",
        title: |_| "Sinkhole of malware".into(),
        explanation: |told| {
            let operator = told.first_of(&["operator", "provider"]);
            let operator = operator.map_or_else(String::new, |it| format!(" of {it}"));
            format!(
                "{who} has to do with {other}, a sinkhole{operator}: somebody took over a server or a name \
                 that malware calls, to see who is infected. Who calls it may be.",
                who = told.who,
                other = told.other(),
            )
        },
        innocent: |_| {
            "Some sinkholes also have names that were never bad, or that were only given up; people who \
             examine malware call them on purpose."
                .into()
        },
        next: |_| KEEP.into(),
    },
    Message {
        rule: "tor",
        title: |_| "Tor network".into(),
        explanation: |told| {
            let relays = match told.finding.fact("relays") {
                Some(Fact::Count(relays)) => counted(*relays, "relay", "relays"),
                Some(_) | None => "relays".to_owned(),
            };
            format!(
                "{who} has to do with {relays} of the Tor network, which hides who talks to whom. People \
                 who protect themselves use it; now and then malware does, too.",
                who = told.who,
            )
        },
        innocent: |_| {
            "Whoever uses Tor or Tor Browser here has this, and is protected by it: leave it as it is."
                .into()
        },
        next: |_| "Ask whether somebody here uses Tor. If so, all is as it should be.".into(),
    },
    Message {
        rule: "vpn",
        title: |_| "VPN provider".into(),
        explanation: |told| network_of(told, "a network of a VPN provider"),
        innocent: |_| {
            "Whoever uses this VPN here has this, and is protected by it: leave it as it is. Others who use \
             it call from such addresses, too."
                .into()
        },
        next: |_| "Ask whether somebody here uses this VPN. If so, all is as it should be.".into(),
    },
    Message {
        rule: "relay",
        title: |_| "Private relay".into(),
        explanation: |told| {
            network_of(
                told,
                "a network of relays that hide the addresses of those who use them",
            )
        },
        innocent: |_| "Telephones and browsers have such relays built in.".into(),
        next: |_| NOTHING_BY_ITSELF.into(),
    },
    Message {
        rule: "hosting",
        title: |_| "Rented server".into(),
        explanation: |told| network_of(told, "a network where anybody can rent a server"),
        innocent: |_| "Most web sites, apps and updates come from such networks.".into(),
        next: |_| NOTHING_BY_ITSELF.into(),
    },
    Message {
        rule: "dynamic_dns",
        title: |_| "Name anybody can have".into(),
        explanation: |told| {
            let suffix = told.fact("suffix");
            let below = suffix.map_or_else(String::new, |it| format!(" below {it}"));
            format!(
                "{who} has to do with {other}. Anybody can have a name{below} for nothing, and point it at \
                 another address at any time: good for a computer at home, and for who does not want to be \
                 found.",
                who = told.who,
                other = told.other(),
            )
        },
        innocent: |_| {
            "Cameras, home servers and remote access that somebody has set up have such names."
                .into()
        },
        next: |_| "Ask who set up this computer whether the name is known to them.".into(),
    },
    Message {
        rule: "address_echo",
        title: |_| "Asks its own address".into(),
        explanation: |told| {
            let service = told.first_of(&["service", "provider"]);
            let service = service.unwrap_or_else(|| told.other());
            format!(
                "{who} has to do with {other}. The service {service} tells whoever calls from which address \
                 the call comes. Malware asks that to learn where it is, and so do ordinary programs.",
                who = told.who,
                other = told.other(),
            )
        },
        innocent: |_| {
            "VPN programs, file sharing, video calls and what keeps a name for a home computer ask it, too."
                .into()
        },
        next: |told| match told.finding.about.device {
            None => format!(
                "See whether you know {}: its file and who started it stand beside it.",
                told.who
            )
            .into(),
            // Of a device in a capture neither is seen.
            Some(_) => NOTHING_BY_ITSELF.into(),
        },
    },
    Message {
        rule: "raw_address",
        title: |_| "Address without a name".into(),
        explanation: |told| {
            format!(
                "{who} calls {other}, and nobody was seen to ask for a name of that address. Most programs \
                 call by name; malware often has the address within it.",
                who = told.who,
                other = told.other(),
            )
        },
        innocent: |_| {
            "Calls from person to person, file sharing, games, time and VPN programs call addresses; a name \
             may also have been asked for earlier, or in an encrypted way."
                .into()
        },
        next: look_up,
    },
    Message {
        rule: "lookalike",
        title: |_| "Name like another".into(),
        explanation: |told| {
            let taken_for = told.first_of(&["looks_like", "taken_for", "lookalike"]);
            let taken_for =
                taken_for.map_or_else(String::new, |it| format!(": it may be taken for {it}"));
            format!(
                "{who} has to do with {other}. Letters of that name look like others{taken_for}.",
                who = told.who,
                other = told.other(),
            )
        },
        innocent: |_| {
            "Names in other scripts than the Latin one have letters that look alike, and mean no harm.".into()
        },
        next: |_| "Read the name letter by letter, as it is written in the details.".into(),
    },
];

/// Of a rule that a newer version has.
const OF_ANOTHER_VERSION: Message = Message {
    rule: "",
    title: |told| {
        let rule = visible_str(told.finding.rule);
        format!("Found by the rule {}", shorten_middle(&rule, 40)).into()
    },
    explanation: |told| {
        let facts = told.finding.facts.iter().take(MOST_FACTS);
        let facts: Vec<String> = facts
            .map(|(name, it)| format!("{}: {}", visible_str(name), fact(it)))
            .collect();
        format!(
            "{}: this version of whocalls does not know the rule. What it tells: {}.",
            told.who,
            facts.join("; ")
        )
    },
    innocent: |_| "Not known to this version.".into(),
    next: |_| "Open it with a newer version of whocalls.".into(),
};

/// So many facts of a rule that is not known stand in its sentence.
const MOST_FACTS: usize = 12;

/// What makes it weigh more, and in how many runs of the program it was found.
fn beside(told: &Told<'_>) -> String {
    let mut text = String::new();
    if let Some(second) = told.fact("second_reason") {
        text +=
            &format!(" It weighs more beside another finding about the same process: {second}.");
    }
    if let Some(Fact::Count(count)) = told.finding.fact("processes") {
        text += &format!(
            " Found in {}.",
            counted(*count, "process of it", "processes of it")
        );
    }
    text
}

/// `, /tmp/x`, or nothing.
fn place(told: &Told<'_>) -> String {
    told.fact("path")
        .map_or_else(String::new, |it| format!(", {it}"))
}

fn known_bad(told: &Told<'_>) -> String {
    let seen = told.other();
    let did = match told.kind() {
        "address" | "network" | "name" => format!("{} {seen}", told.does()),
        "url" => format!("asked for {seen}"),
        "process_name" => format!("calls itself {seen}"),
        "hash" | "path" | "file_name" => format!("runs the file {seen}"),
        _ => format!("has to do with {seen}"),
    };
    let indicator = told.fact("indicator").filter(|it| *it != seen);
    let has = match (indicator, told.kind()) {
        (Some(hash), "hash") => format!("has its hash {hash}"),
        (Some(indicator), _) => format!("has it as {indicator}"),
        (None, _) => "has it".to_owned(),
    };
    let about = told.fact("about");
    let about = about.map_or_else(String::new, |it| format!(", and says of it: {it}"));
    let lists = match told.finding.fact("lists") {
        Some(Fact::Count(lists)) if *lists > 1 => {
            let others = counted(lists - 1, "more list has", "more lists have");
            format!(" {others} it.")
        }
        Some(_) | None => String::new(),
    };
    format!(
        "{who} {did}. {list} {has}{about}.{lists}",
        who = told.who,
        list = capital(&told.list()),
    )
}

fn network_of(told: &Told<'_>, what: &str) -> String {
    let provider = told.first_of(&["provider", "service"]);
    let provider = provider.map_or_else(String::new, |it| format!(" ({it})"));
    let addresses = match told.finding.fact("addresses") {
        Some(Fact::Count(count)) if *count > 1 => counted(*count, "address", "addresses"),
        Some(_) | None => told.other(),
    };
    format!(
        "{who} has to do with {addresses}, in {what}{provider}. That says little by itself.",
        who = told.who,
    )
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|it| it.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

const KEEP: &str = "Change nothing yet and open nothing of it. Keep a recording (whocalls record), and show it to \
                    somebody you trust who helps with such things.";
const KEEP_RUNNING: &str = "Leave it running: what lies only in memory is gone when it is over. Keep a recording (whocalls \
                            record), and show it to somebody you trust who helps with such things.";
const ASK: &str = "Ask who looks after this computer whether they know it; its file and who started it stand \
                   beside it.";
const ASK_OF_DEVICE: &str =
    "Ask who looks after this network whose device it is, and whether they know of this.";
const RESTART: &str =
    "Nothing at once: after the next restart of the computer it uses the new file.";
const NOTHING_BY_ITSELF: &str = "Nothing by itself: look at it together with what else stands out about the same program or device.";

/// What a capture shows of a device has neither a file nor somebody who started it.
fn ask(told: &Told<'_>) -> Cow<'static, str> {
    match told.finding.about.device {
        None => ASK.into(),
        Some(_) => ASK_OF_DEVICE.into(),
    }
}

fn look_up(told: &Told<'_>) -> Cow<'static, str> {
    let remote = told.finding.about.remote.and_then(|it| it.ip);
    let remote = remote.map(|ip| ip.to_string());
    match remote.or_else(|| told.fact("address")) {
        Some(address) => format!(
            "See what is known of it here: whocalls lookup {address} asks nobody. Who holds it, WHOIS tells \
             from another computer."
        )
        .into(),
        None => NOTHING_BY_ITSELF.into(),
    }
}

/// What no rule could look at.
pub(crate) fn unchecked(unchecked: Unchecked) -> String {
    match unchecked {
        Unchecked::NoNames => {
            "names: none was seen, so nothing is said of names, nor of addresses without one"
                .to_owned()
        }
        Unchecked::NamesNotSeen => {
            "addresses without a name: names cannot be read here, or some were lost".to_owned()
        }
        Unchecked::UnknownOwners(count) => format!(
            "the program behind {}: it is not known",
            grouped(count, "connection", "connections")
        ),
        Unchecked::NoHash(count) => format!(
            "the file of {}: its hash is not known here",
            grouped(count, "program", "programs")
        ),
        Unchecked::NoPath(count) => format!(
            "the place of {}: its path is not known",
            grouped(count, "program", "programs")
        ),
        Unchecked::NotExamined(1) => "how 1 process runs: nobody could look into it".to_owned(),
        Unchecked::NotExamined(count) => format!(
            "how {} run: nobody could look into them",
            grouped(count, "process", "processes")
        ),
        Unchecked::Seldom(0) => {
            "rhythms: programs that call now and then were watched too shortly so far, or looked at once \
             (whocalls watch, record)"
                .to_owned()
        }
        Unchecked::Seldom(seconds) => format!(
            "programs that call less often than about once in {}: nobody watched for longer",
            fact(&Fact::Duration(Duration::from_secs(seconds)))
        ),
        Unchecked::Indicators(count) => format!(
            "{} of kinds that nothing seen here can be compared with",
            grouped(count, "entry of the lists,", "entries of the lists,")
        ),
        Unchecked::Old(newest) => format!(
            "what became known later: the newest list is of {}",
            fact(&Fact::Time(newest))
        ),
        Unchecked::LetGo(count) => format!(
            "{}: let go because there were too many",
            grouped(count, "address or program", "addresses and programs")
        ),
        Unchecked::NotFinished => "what was still being checked when the time was up".to_owned(),
    }
}

#[cfg(test)]
pub(crate) fn rules() -> impl Iterator<Item = &'static str> {
    messages().map(|it| it.rule)
}

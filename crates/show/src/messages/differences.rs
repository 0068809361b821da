//! What differences say to a person: made from their kind, their change and their facts. What comes from
//! outside is bounded and made visible first.

use model::{Difference, DifferenceChange, DifferenceKind, Doubt, Fact, Which};

use super::counted;
use super::findings::{Said, fact, said as said_of_finding};

/// `who` is the program or the device, as the begin of a sentence.
pub(crate) fn said(difference: &Difference, who: &str) -> Said {
    let told = Told { difference, who };
    match difference.kind {
        DifferenceKind::Finding => told.finding(),
        DifferenceKind::Program => told.program(),
        DifferenceKind::ProgramFile => told.file(),
        DifferenceKind::ProgramUser => told.user(),
        DifferenceKind::Listener => told.listener(),
        DifferenceKind::Destination => told.destination(),
        DifferenceKind::DestinationPort => told.port(),
        DifferenceKind::Caller => told.caller(),
    }
}

struct Told<'a> {
    difference: &'a Difference,
    who: &'a str,
}

impl Told<'_> {
    fn fact(&self, name: &str) -> Option<String> {
        let fact = self.difference.fact(name).map(fact);
        fact.filter(|it| !it.is_empty())
    }

    fn is(&self, name: &str) -> bool {
        self.fact(name).as_deref() == Some("yes")
    }

    fn text(&self, name: &str) -> String {
        self.fact(name).unwrap_or_else(|| "?".to_owned())
    }

    /// ` It is of no package.`, or what else is known.
    fn package(&self) -> String {
        let package = self.fact("package");
        let named =
            package.map_or_else(|| "a package".to_owned(), |it| format!("the package {it}"));
        match self.fact("package_state").as_deref() {
            Some("none") => " It is of no package.".to_owned(),
            Some("modified") => format!(" Its file is not what {named} has."),
            Some("intact") => format!(" Its file is what {named} has."),
            Some("this tool") => " It is whocalls itself.".to_owned(),
            Some(_) | None if self.difference.program.is_some() => {
                " Which package it is of is not known.".to_owned()
            }
            Some(_) | None => String::new(),
        }
    }

    /// Whether a package answers for it.
    fn is_packaged(&self) -> bool {
        let state = self.fact("package_state");
        matches!(state.as_deref(), Some("intact" | "this tool"))
    }

    /// ` It runs /x.py.`
    fn runs(&self) -> String {
        let script = self.fact("script");
        let script = script.map(|it| match it.strip_prefix("-c") {
            Some(_) => " It runs code from its command line.".to_owned(),
            None => format!(" It runs {it}."),
        });
        let container = self.fact("container");
        let container = container.map(|it| format!(" It is in a container ({it})."));
        script.unwrap_or_default() + &container.unwrap_or_default()
    }

    fn finding(&self) -> Said {
        let Some(finding) = &self.difference.finding else {
            return self.say("Finding", String::new(), "", "");
        };
        let said = said_of_finding(finding, self.who);
        let (before, after) = (self.text("severity_before"), self.text("severity_after"));
        match self.difference.change {
            DifferenceChange::New => Said {
                title: format!("New: {}", said.title),
                explanation: format!("Not found before. {}", said.explanation),
                ..said
            },
            DifferenceChange::Gone => Said {
                title: format!("Not found any more: {}", said.title),
                explanation: format!("Found before, and not now. {}", said.explanation),
                innocent:
                    "The program may not run now, or may not have done it in the time that was \
                           watched."
                        .to_owned(),
                next: NOTHING.to_owned(),
            },
            DifferenceChange::Changed => Said {
                title: format!("Weighs otherwise now: {}", said.title),
                explanation: format!(
                    "How bad it would be was {before} and is {after}. {}",
                    said.explanation
                ),
                ..said
            },
        }
    }

    fn program(&self) -> Said {
        let who = self.who;
        let (package, runs) = (self.package(), self.runs());
        match self.difference.change {
            DifferenceChange::Changed => self.say(
                "Program in another place",
                format!(
                    "{who} was {was} before: another version of it, as its path says.{package}{runs}",
                    was = self.text("was")
                ),
                "An update puts a program into another folder, where the folder is called like its version.",
                NOTHING,
            ),
            DifferenceChange::Gone if self.is("without_network") => self.say(
                "Program that does not run any more",
                format!("{who} ran before, and does not now.{package}{runs}"),
                "Programs end.",
                NOTHING,
            ),
            DifferenceChange::Gone if self.difference.device.is_some() => self.say(
                "Device not seen any more",
                format!(
                    "{who} used the network before{does}, and was not seen to do so now.",
                    does = self.does()
                ),
                "It was off or elsewhere, or has another address now.",
                NOTHING,
            ),
            DifferenceChange::Gone => self.say(
                "Program without connections now",
                format!(
                    "{who} used the network before{does}, and was not seen to do so now.{package}{runs}",
                    does = self.does()
                ),
                "It was ended or removed, or had nothing to do in the time that was watched.",
                "If it protects this computer, see whether it still should.",
            ),
            DifferenceChange::New if self.is("without_network") => self.say(
                "New program, without connections",
                format!("{who} was not seen to run before.{package}{runs}"),
                OWN_PROGRAM,
                KNOWN,
            ),
            DifferenceChange::New if self.difference.device.is_some() => self.say(
                "New device",
                format!(
                    "{who} was not seen before. It uses the network{does}.",
                    does = self.does()
                ),
                "A guest, a new telephone or a machine that was off came into the network; many devices also give \
                 themselves another address on purpose.",
                "Ask whose it is.",
            ),
            DifferenceChange::New => {
                let before = if self.is("ran") {
                    "ran before, without a connection that was seen. Now it"
                } else if self.is("began_earlier") {
                    "ran already then, without a connection that was seen. Now it"
                } else {
                    "was not seen before. It"
                };
                let (innocent, next) = if self.is_packaged() {
                    (
                        "Somebody installed it, or used it for the first time: it comes from a package and is \
                         as it should be.",
                        NOTHING,
                    )
                } else {
                    (OWN_PROGRAM, KNOWN)
                };
                self.say(
                    "New program with connections",
                    format!("{who} {before} uses the network{does}.{package}{runs}", does = self.does()),
                    innocent,
                    next,
                )
            }
        }
    }

    /// `: it calls a.example:443; it waits at 0.0.0.0:80`, or what it did.
    fn does(&self) -> String {
        let (calls, waits, is) = match self.difference.change {
            DifferenceChange::Gone => ("called", "waited", "was"),
            DifferenceChange::New | DifferenceChange::Changed => ("calls", "waits", "is"),
        };
        let mut parts = Vec::new();
        if let Some(to) = self.fact("to") {
            let more = match self.difference.fact("destinations") {
                Some(Fact::Count(count)) if *count > 3 => format!(" and {} more", count - 3),
                Some(_) | None => String::new(),
            };
            parts.push(format!("it {calls} {to}{more}"));
        }
        if let Some(place) = self.fact("waits") {
            parts.push(format!("it {waits} at {place}"));
        }
        if let Some(callers) = self.fact("callers") {
            parts.push(format!("it {is} called by {callers}"));
        }
        if parts.is_empty() {
            return String::new();
        }
        format!(": {}", parts.join("; "))
    }

    fn file(&self) -> Said {
        let who = self.who;
        let states = (self.fact("state_before"), self.fact("state_after"));
        let was_intact = states.0.as_deref() == Some("intact");
        let is_intact = states.1.as_deref() == Some("intact");
        let versions = match (self.fact("version_before"), self.fact("version_after")) {
            (Some(before), Some(after)) if before != after => {
                format!(" Its package was {before} and is {after}.")
            }
            _ => String::new(),
        };
        let by = match self.fact("by").as_deref() {
            Some("hash") => format!(
                "Its hash began with {} and begins with {}.",
                begin(self.text("sha256_before")),
                begin(self.text("sha256_after"))
            ),
            Some("version") => "The version of its package is another one.".to_owned(),
            Some("package") => "Its package tells that.".to_owned(),
            Some(_) | None => "What is in it was not compared, since hashes are missing: it is another                                file by its number."
                .to_owned(),
        };
        if was_intact && !is_intact {
            return self.say(
                "Program file is not that of its package any more",
                format!("The file of {who} was what its package has, and is not now.{}", self.package()),
                "Somebody may have built and put it there by hand.",
                "Change nothing yet. Ask who looks after this computer whether they replaced it; keep a recording \
                 (whocalls record), which copies the file.",
            );
        }
        if is_intact && !was_intact {
            return self.say(
                "Program file is that of its package again",
                format!("The file of {who} was not what its package has, and is now. {by}"),
                "The package was installed again.",
                "Find out what lay there before: a copy may be in the earlier case.",
            );
        }
        if is_intact {
            return self.say(
                "Program was updated",
                format!("Another file lies where {who} was: the one that its package has.{versions} {by}"),
                "An update does that.",
                NOTHING,
            );
        }
        self.say(
            "Program file changed",
            format!(
                "Another file lies where {who} was.{} {by}{versions}",
                self.package()
            ),
            "Programs that update themselves, and those that were built again, have another file each time.",
            "Ask whether it was updated in between; compare its hash with one from its maker.",
        )
    }

    fn user(&self) -> Said {
        let (who, user) = (self.who, self.text("user"));
        let package = self.package();
        match self.difference.change {
            DifferenceChange::Gone => self.say(
                "Runs as another user no more",
                format!("{who} also ran as {user} before, and was not seen to now.{package}"),
                "Nobody of that name used it in the time that was watched.",
                NOTHING,
            ),
            DifferenceChange::New | DifferenceChange::Changed if self.is("root") => self.say(
                "Runs with all rights now",
                format!(
                    "{who} runs as {user}, and was only seen to run as others before.{package}"
                ),
                "Somebody started it by sudo, or it is a service that has to.",
                "Ask who started it so; see what started it: whocalls list --processes.",
            ),
            DifferenceChange::New | DifferenceChange::Changed => self.say(
                "Runs as another user",
                format!(
                    "{who} runs as {user}, and was only seen to run as others before.{package}"
                ),
                "Somebody else uses this computer, or it is a service with a user of its own.",
                NOTHING,
            ),
        }
    }

    fn listener(&self) -> Said {
        let who = self.who;
        let (waits, package, runs) = (self.text("waits"), self.package(), self.runs());
        let outside = self.is("outside");
        let from = if outside {
            "Other computers can call it there, where no firewall is in the way."
        } else {
            "Only programs of this computer can call it there."
        };
        if self.difference.change == DifferenceChange::Gone {
            return self.say(
                "Waits for calls no more",
                format!("{who} waited for calls at {waits} before, and does not now.{package}"),
                "The program was ended, or was set up otherwise.",
                NOTHING,
            );
        }
        if self.is("reads_packets") {
            return self.say(
                "Reads packets",
                format!("{who} has a socket that can read the packets of others ({waits}), and had none before.{package}{runs}"),
                "Programs that find devices or addresses (DHCP), and tools that somebody started to look into the \
                 network, do that.",
                KNOWN,
            );
        }
        let mut explanation = format!(
            "{who} waits for calls at {waits}, and was not seen to before. {from}{package}{runs}"
        );
        if self.is("was_loopback") {
            explanation = format!(
                "{who} waits for calls at {waits}. Before, only programs of this computer could call it. {from}{package}{runs}"
            );
        }
        if self.is("remote_control") {
            explanation += " This port is usually for working on a computer from elsewhere.";
        }
        let mut title = match (outside, self.is("was_loopback")) {
            (true, true) => "Other computers can call it now",
            (true, false) => "New listener, open to other computers",
            (false, _) => "New listener, for this computer only",
        };
        if let Some(former) = self.fact("held_before_by") {
            title = "Another program waits at the same port";
            explanation += &format!(" Before, {former} waited there, and does so no more.");
        }
        self.say(
            title,
            explanation,
            "Games, sharing of files and music, printers, programs that developers use and services that \
             somebody set up wait for calls.",
            if outside {
                "Ask whether somebody set it up. If nobody knows of it, keep a recording before anything is changed."
            } else {
                NOTHING
            },
        )
    }

    fn destination(&self) -> Said {
        let (who, to) = (self.who, self.text("to"));
        let package = self.package();
        let network = self
            .fact("network")
            .map(|it| format!(" ({it})"))
            .unwrap_or_default();
        // Those who have a name in such a network are known by it.
        let rented = if self.is("rented") && self.fact("domain").is_none() {
            " Anybody can rent a server in that network."
        } else {
            ""
        };
        let nameless = if self.fact("domain").is_none() {
            " No name was seen for it."
        } else {
            ""
        };
        match self.difference.change {
            DifferenceChange::New => self.say(
                match self.difference.device {
                    Some(_) => "New destination of a device that was there",
                    None => "New destination of a program that was there",
                },
                format!("{who} calls {to}{network}, and was not seen to before.{nameless}{rented}{package}"),
                "An update, another setting or something new to do leads programs to other servers.",
                LOOK_UP,
            ),
            DifferenceChange::Gone => self.say(
                "Destination not called any more",
                format!("{who} called {to}{network} before, and was not seen to now."),
                "It had nothing to do there in the time that was watched.",
                NOTHING,
            ),
            DifferenceChange::Changed => self.say(
                "Another server in a network that it called before",
                format!("{who} calls {to}{network}: the network is the same as before, and none of the addresses that were seen.{rented}{package}"),
                "Services in rented networks move between addresses all the time.",
                LOOK_UP,
            ),
        }
    }

    fn port(&self) -> Said {
        let (who, to, port) = (self.who, self.text("to"), self.text("port"));
        let package = self.package();
        match self.difference.change {
            DifferenceChange::Gone => self.say(
                "Port not called any more",
                format!("{who} called {to} also by {port} before, and was not seen to now."),
                "It had nothing to do there in the time that was watched.",
                NOTHING,
            ),
            DifferenceChange::New | DifferenceChange::Changed => self.say(
                "Known destination, by another port",
                format!("{who} calls {to} by {port}, and was only seen to use other ports there before.{package}"),
                "One service may be offered at several ports.",
                NOTHING,
            ),
        }
    }

    fn caller(&self) -> Said {
        let (who, from) = (self.who, self.text("from"));
        let network = self
            .fact("network")
            .map(|it| format!(" ({it})"))
            .unwrap_or_default();
        let control = if self.is("remote_control") {
            " It called a port that is usually for working on a computer from elsewhere."
        } else {
            ""
        };
        match self.difference.change {
            DifferenceChange::Gone => self.say(
                "Caller not seen any more",
                format!("{from}{network} called {who} before, and was not seen to now."),
                "It had nothing to do here in the time that was watched.",
                NOTHING,
            ),
            DifferenceChange::New | DifferenceChange::Changed => self.say(
                "New caller",
                format!("{who} was called by {from}{network}, from where nobody was seen to call before.{control}"),
                "People work from other places, and whatever can be called from the internet is tried by \
                 strangers all the time.",
                "Ask whether somebody was there then; the log of the service says whether they were let in.",
            ),
        }
    }

    fn say(&self, title: &str, explanation: String, innocent: &str, next: &str) -> Said {
        Said {
            title: title.to_owned(),
            explanation,
            innocent: innocent.to_owned(),
            next: next.to_owned(),
        }
    }
}

/// Of a hash so much as people compare.
fn begin(hash: String) -> String {
    hash.chars().take(12).collect()
}

const NOTHING: &str = "Nothing by itself: look at it together with what else differs.";
const OWN_PROGRAM: &str = "Programs that people bring themselves, games, and what is built on this computer are of no package; \
                           a program also counts as new when it had nothing to do before.";
const KNOWN: &str = "Ask whoever uses this computer whether they know it. If nobody does, change nothing yet and keep a \
                     recording (whocalls record).";
const LOOK_UP: &str = "See what is known of it here: whocalls lookup asks nobody. Who holds an address, WHOIS tells from another \
                       computer.";

/// Why a difference may be none. `other`: the side on which it is missing.
pub(crate) fn doubt(doubt: Doubt, other: Which) -> String {
    let other = side(other);
    match doubt {
        Doubt::TooShort => format!(
            "\"{other}\" tells of one moment or a short time: what was not seen in it need not have been absent"
        ),
        Doubt::OwnersNotKnown => {
            format!(
                "in \"{other}\" the program behind some connections is not known: it may be among them"
            )
        }
        Doubt::NotExamined => {
            format!("in \"{other}\" nobody has looked into the program: it may have been so then")
        }
        Doubt::NamesNotSeen => {
            format!("\"{other}\" shows no names: it may have been called then")
        }
        Doubt::ByNetwork => {
            "one side shows no names: only the network could be compared".to_owned()
        }
        Doubt::ByFileNumber => {
            "neither hash nor version could be compared: the same bytes may lie in a new file"
                .to_owned()
        }
        Doubt::LetGo => {
            format!("\"{other}\" had too much to keep all: it may be among what was let go")
        }
    }
}

/// As the sides are called beside every line.
pub(crate) fn side(which: Which) -> &'static str {
    which.word()
}

/// How many of a kind there are, in words.
pub(crate) fn kinds(kind: DifferenceKind, count: u64) -> String {
    let (one, many) = match kind {
        DifferenceKind::Finding => ("finding", "findings"),
        DifferenceKind::Program => ("program", "programs"),
        DifferenceKind::ProgramFile => ("program file", "program files"),
        DifferenceKind::ProgramUser => ("user of a program", "users of programs"),
        DifferenceKind::Listener => ("listener", "listeners"),
        DifferenceKind::Destination => ("destination", "destinations"),
        DifferenceKind::DestinationPort => ("port at a destination", "ports at destinations"),
        DifferenceKind::Caller => ("caller", "callers"),
    };
    counted(count, one, many)
}

//! Sentences about what goes through questions for names and through echoes.

use std::borrow::Cow;

use super::{KEEP, Message, Told, ask};

pub(super) const MESSAGES: &[Message] = &[
    Message {
        rule: "dns_tunnel",
        title: |_| "Data hidden in names".into(),
        explanation: |told| {
            let names = names(told);
            let below = told.fact("name");
            let below = below.map_or_else(String::new, |it| format!(" below {it}"));
            let signs = told.fact("signs");
            let signs = signs.map_or_else(String::new, |it| format!(" What speaks for it: {it}."));
            format!(
                "{who} asked for {names}{below}{sizes}. Nobody visits so many: data may travel in the names, \
                 and come back in the answers, to whoever has that domain.{signs}{examples}{resolver}",
                who = told.who,
                sizes = sizes(told),
                examples = examples(told),
                resolver = resolver(told),
            )
        },
        innocent: |_| {
            "Programs against viruses and spam ask about files and senders in such names; sites that measure how \
             fast they load make one for each visit; and people use such tunnels to get out of a closed network."
                .into()
        },
        next: |_| KEEP.into(),
    },
    Message {
        rule: "dns_direct",
        title: |_| "Names that end nowhere".into(),
        explanation: |told| {
            let names = names(told);
            let end = told.fact("name");
            let end = end.map_or_else(
                || "that end as no name of the internet does".to_owned(),
                |it| format!("that end in {it}, which no registry has"),
            );
            format!(
                "{who} asked for {names} {end}{sizes}. Only the server that is asked can know them: data may \
                 travel in the names, directly to it.{examples}{resolver}",
                who = told.who,
                sizes = sizes(told),
                examples = examples(told),
                resolver = resolver(told),
            )
        },
        innocent: |_| {
            "Networks of companies, containers and homes have ends of their own; their names are short, and asked \
             for again and again."
                .into()
        },
        next: |_| KEEP.into(),
    },
    Message {
        rule: "dns_commands",
        title: |_| "Texts at a steady pace".into(),
        explanation: |told| {
            let texts = told.fact("texts");
            let texts = texts.map_or_else(|| "texts".to_owned(), |it| format!("{it} texts"));
            let below = told.fact("name");
            let below = below.map_or_else(String::new, |it| format!(" below {it}"));
            let pause = told.fact("pause");
            let pause = pause.map_or_else(String::new, |it| format!(", about every {it}"));
            format!(
                "{who} asked the name system for {texts}{below}{pause}. A program that has its orders there looks \
                 at such a pace whether there are new ones.{examples}{resolver}",
                who = told.who,
                examples = examples(told),
                resolver = resolver(told),
            )
        },
        innocent: |_| {
            "Programs ask in this way whether there is a newer version, or what their own address is; mail servers \
             ask for who may send."
                .into()
        },
        next: ask,
    },
    Message {
        rule: "not_dns",
        title: |_| "Not DNS on port 53".into(),
        explanation: |told| {
            let address = told.other();
            let packets = told.fact("packets_sent");
            let packets =
                packets.map_or_else(|| "packets".to_owned(), |it| format!("{it} packets"));
            let questions = told.fact("questions");
            let questions = match questions.as_deref() {
                None => "hardly one".to_owned(),
                Some("0") => "none of them".to_owned(),
                Some(some) => format!("only {some} of them"),
            };
            let answered = told
                .fact("packets_received")
                .zip(told.fact("bytes_received"));
            let answered = answered.map_or_else(String::new, |(packets, bytes)| {
                format!(" {packets} packets with {bytes} came back.")
            });
            format!(
                "{who} sent {packets} to port 53 of {address}, where names are asked for, and {questions} asked \
                 for a name.{answered} Something else goes through that port, which is open in most networks.",
                who = told.who,
            )
        },
        innocent: |_| {
            "VPN programs are set to that port on purpose, to work in hotels and trains: whoever uses one is \
             protected by it, and leaves it as it is."
                .into()
        },
        next: |_| "Ask whether somebody here uses a VPN. If so, all is as it should be.".into(),
    },
    Message {
        rule: "dga",
        title: |_| "Made-up names".into(),
        explanation: |told| {
            let domains = told.fact("domains");
            let domains =
                domains.map_or_else(|| "many domains".to_owned(), |it| format!("{it} domains"));
            let answered = match told.fact("answered").as_deref() {
                Some("nothing") => {
                    "and nobody answered: this computer may have been offline, or cut off"
                }
                _ => "and none of them exists",
            };
            format!(
                "{who} asked for names of {domains} that nobody would call so, {answered}. Some programs make up \
                 names by a rule, and look which of them their master has registered.{examples}{resolver}",
                who = told.who,
                examples = examples(told),
                resolver = resolver(told),
            )
        },
        innocent: |_| {
            "Programs that visit or check very many addresses meet names that are gone, and a blocker of \
             advertisements may say of real ones that they do not exist."
                .into()
        },
        next: |_| KEEP.into(),
    },
    Message {
        rule: "icmp_tunnel",
        title: |_| "Data hidden in pings".into(),
        explanation: |told| {
            let address = told.other();
            let count = |packets: &str, bytes: &str| {
                let told = told.fact(packets).zip(told.fact(bytes));
                told.map(|(packets, bytes)| format!("{packets} packets with {bytes}"))
            };
            let sent = count("packets_sent", "bytes_sent");
            let received = count("packets_received", "bytes_received");
            let counts = sent.zip(received);
            let counts = counts.map_or_else(String::new, |(sent, received)| {
                format!(": {sent} went there, {received} came back")
            });
            format!(
                "{who} exchanges packets with {address} that look like pings{counts}. A ping comes back as it was \
                 sent, each time of one size. These have many sizes, and something else comes back: data may \
                 travel in them.",
                who = told.who,
            )
        },
        innocent: |_| {
            "Tests of a line send packets of all sizes, and people use such tunnels to get out of a closed \
             network."
                .into()
        },
        next: |_| KEEP.into(),
    },
];

/// `1,740 names`, `at least 2,049 names`.
fn names(told: &Told<'_>) -> String {
    let at_least = told
        .fact("names_at_least")
        .map(|it| format!("at least {it} different names"));
    let names = told.fact("names").map(|it| format!("{it} different names"));
    names
        .or(at_least)
        .unwrap_or_else(|| "many different names".to_owned())
}

/// How long they are, and what was asked for.
fn sizes(told: &Told<'_>) -> String {
    let length = told.fact("mean_length");
    let kinds = told.fact("kinds");
    match (length, kinds) {
        (Some(length), Some(kinds)) => {
            format!(", on average of {length} characters ({kinds})")
        }
        (Some(length), None) => format!(", on average of {length} characters"),
        (None, _) => String::new(),
    }
}

fn examples(told: &Told<'_>) -> String {
    let examples = told.fact("examples");
    examples.map_or_else(String::new, |it| format!(" Such as: {it}."))
}

fn resolver(told: &Told<'_>) -> String {
    let resolver: Option<Cow<'_, str>> = told.fact("resolver").map(Cow::from);
    resolver.map_or_else(String::new, |it| format!(" It asked {it}."))
}

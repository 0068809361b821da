//! What others answered, in JSON.

use model::{
    Announcement, Answered, Opinion, Organisation, Registration, Said, SeenName, Text, hex,
};

use crate::json::writer::{Object, object, string};
use crate::lookup::answers::{failed, in_short};

pub(super) fn answered(out: &mut Object<'_>, answered: &Answered) {
    out.word("source", answered.source.word());
    out.text("asked_about", &answered.question.to_string());
    out.plain("time", answered.asked);
    out.optional_text("link", answered.link.as_deref());
    out.text("text", &in_short(answered));
    out.array("replies", &answered.replies, |out, reply| {
        object(out, |it| {
            it.text("asked", &reply.asked);
            it.text("host", &reply.host);
            it.optional_number("status", reply.status);
            it.plain("sha256", hex(&reply.sha256));
            it.number("bytes", reply.bytes);
        });
    });
    let mut said = Members::default();
    said.take(&answered.said);
    match said.registration {
        Some(it) => out.object("registration", |out| registration(out, it)),
        None => out.null("registration"),
    }
    out.array("announced", said.announced, |out, it| {
        object(out, |out| announcement(out, it));
    });
    out.array("names", said.names, |out, it| {
        object(out, |out| name(out, it))
    });
    match said.opinion {
        Some(it) => out.object("opinion", |out| opinion(out, it)),
        None => out.null("opinion"),
    }
    match &answered.said {
        Said::Failed(why) => out.object("failure", |out| {
            out.word("why", why.word());
            out.text("text", &failed(why));
        }),
        Said::Registration(_)
        | Said::Announced(_)
        | Said::Names(_)
        | Said::Opinion(_)
        | Said::NoData => {
            out.null("failure");
        }
    }
}

/// All kinds of answers; one of them is there, or none.
#[derive(Default)]
struct Members<'a> {
    registration: Option<&'a Registration>,
    announced: &'a [Announcement],
    names: &'a [SeenName],
    opinion: Option<&'a Opinion>,
}

impl<'a> Members<'a> {
    fn take(&mut self, said: &'a Said) {
        match said {
            Said::Registration(it) => self.registration = Some(it),
            Said::Announced(it) => self.announced = it,
            Said::Names(it) => self.names = it,
            Said::Opinion(it) => self.opinion = Some(it),
            Said::NoData | Said::Failed(_) => {}
        }
    }
}

fn text(out: &mut Object<'_>, name: &'static str, value: Option<&Text>) {
    out.optional_text(name, value.map(Text::lossy).as_deref());
}

fn texts(out: &mut Object<'_>, name: &'static str, values: &[Text]) {
    out.array(name, values, |out, it| string(out, &it.lossy()));
}

fn registration(out: &mut Object<'_>, it: &Registration) {
    out.optional_plain("first", it.range.map(|range| range.0));
    out.optional_plain("last", it.range.map(|range| range.1));
    out.array("networks", &it.networks, |out, network| {
        string(out, &network.to_string())
    });
    out.optional_number("first_asn", it.autonomous_systems.map(|range| range.0));
    out.optional_number("last_asn", it.autonomous_systems.map(|range| range.1));
    text(out, "name", it.name.as_ref());
    text(out, "handle", it.handle.as_ref());
    text(out, "parent", it.parent.as_ref());
    text(out, "kind", it.kind.as_ref());
    out.array("origins", &it.origins, |out, asn| {
        string(out, &format!("AS{asn}"))
    });
    match &it.organisation {
        Some(it) => out.object("organisation", |out| organisation(out, it)),
        None => out.null("organisation"),
    }
    text(out, "country", it.country.as_ref());
    text(out, "registered", it.registered.as_ref());
    text(out, "changed", it.changed.as_ref());
    text(out, "expires", it.expires.as_ref());
    text(out, "registrar", it.registrar.as_ref());
    texts(out, "abuse", &it.abuse);
    texts(out, "statuses", &it.statuses);
    texts(out, "name_servers", &it.name_servers);
    texts(out, "remarks", &it.remarks);
    text(out, "link", it.link.as_ref());
    text(out, "registry", it.registry.as_ref());
    out.boolean("redacted", it.is_redacted);
}

fn organisation(out: &mut Object<'_>, it: &Organisation) {
    text(out, "name", it.name.as_ref());
    text(out, "handle", it.handle.as_ref());
    texts(out, "address", &it.address);
    text(out, "city", it.city.as_ref());
    text(out, "country", it.country.as_ref());
    text(out, "registered", it.registered.as_ref());
    text(out, "changed", it.changed.as_ref());
    text(out, "link", it.link.as_ref());
}

fn announcement(out: &mut Object<'_>, it: &Announcement) {
    out.number("asn", it.asn);
    out.optional_plain("network", it.network.as_ref());
    text(out, "country", it.country.as_ref());
    text(out, "registry", it.registry.as_ref());
    text(out, "allocated", it.allocated.as_ref());
    text(out, "organisation", it.organisation.as_ref());
}

fn name(out: &mut Object<'_>, it: &SeenName) {
    out.text("name", &it.name.lossy());
    out.optional_plain("first_seen", it.first_seen);
    out.optional_plain("last_seen", it.last_seen);
}

fn opinion(out: &mut Object<'_>, it: &Opinion) {
    out.word("standing", it.standing.word());
    out.array("facts", &it.facts, |out, (name, value)| {
        object(out, |out| {
            out.word("name", name);
            out.text("value", &value.lossy());
        });
    });
}

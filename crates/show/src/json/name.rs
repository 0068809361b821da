//! Names in JSON, what was answered and what was greeted.

use std::collections::HashMap;

use model::{Answer, Connection, Device, DeviceId, Greeting, RemoteName, Text};

use super::process::text_or_hex;
use super::writer::{Object, object, string};
use crate::devices::{Known, mac_address};

/// The name of the other side, and why it is thought to be that.
pub(super) fn remote_name(remote: &mut Object<'_>, name: Option<&RemoteName>) {
    text_or_hex(remote, "name", "name_hex", name.map(|it| &it.name));
    remote.optional_plain("name_source", name.map(|it| it.source.word()));
    remote.optional_plain("name_strength", name.map(|it| it.strength.word()));
}

/// `answer` of an event.
pub(super) fn answer(event: &mut Object<'_>, answer: Option<&Answer>) {
    let Some(answer) = answer else {
        return event.null("answer");
    };
    event.object("answer", |it| {
        it.number("code", answer.code);
        texts(it, "aliases", &answer.aliases);
        it.array("addresses", &answer.addresses, |out, (ip, ttl)| {
            object(out, |entry| {
                entry.ip("ip", *ip);
                entry.number("ttl", *ttl);
            });
        });
        texts(it, "texts", &answer.texts);
        if let Some(ttl) = answer.text_ttl {
            it.number("text_ttl", ttl);
        }
        it.number("bytes", answer.bytes);
    });
}

/// `greeting` of an event or a connection: one member, by what was spoken.
pub(super) fn greeting(object: &mut Object<'_>, greeting: Option<&Greeting>) {
    let Some(greeting) = greeting else {
        return object.null("greeting");
    };
    object.object("greeting", |object| match greeting {
        Greeting::Tls(tls) => object.object("tls", |it| {
            it.optional_number("quic", tls.quic);
            texts(it, "alpn", &tls.alpn);
            it.boolean("ech", tls.ech);
            text_or_hex(it, "ja4", "ja4_hex", tls.ja4.as_ref());
        }),
        Greeting::Http(http) => object.object("http", |it| {
            text_or_hex(it, "method", "method_hex", http.method.as_ref());
            text_or_hex(it, "target", "target_hex", http.target.as_ref());
            text_or_hex(it, "user_agent", "user_agent_hex", http.user_agent.as_ref());
        }),
        Greeting::Ssh { client, server } => object.object("ssh", |it| {
            text_or_hex(it, "client", "client_hex", client.as_ref());
            text_or_hex(it, "server", "server_hex", server.as_ref());
        }),
    });
}

/// The device that stands in the place of a process.
pub(super) fn device(
    object: &mut Object<'_>,
    connection: &Connection,
    devices: &HashMap<DeviceId, Device>,
) {
    let Some(known) = Known::of(connection, devices) else {
        return object.null("device");
    };
    object.object("device", |it| {
        it.optional_plain("mac", known.mac.map(mac_address));
        text_or_hex(it, "name", "name_hex", known.name);
        match known.ip {
            Some(ip) => it.ip("ip", ip),
            None => it.null("ip"),
        }
    });
}

fn texts(object: &mut Object<'_>, name: &'static str, all: &[Text]) {
    object.array(name, all, |out, text| string(out, &text.lossy()));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::{HttpGreeting, NameSource, NameStrength, TlsGreeting};
    use serde_json::{Value, json};

    use super::*;
    use crate::example;

    fn written(write: impl FnOnce(&mut Object<'_>)) -> Value {
        let mut out = Vec::new();
        object(&mut out, write);
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn a_name_says_why_it_is_thought_to_be_that() {
        let name = RemoteName {
            name: Text::from("evil\u{202e}.example"),
            source: NameSource::Sni,
            strength: NameStrength::Greeted,
        };
        let expected = json!({
            "name": "evil\u{202e}.example", "name_source": "sni", "name_strength": "greeted",
        });
        assert_eq!(written(|it| remote_name(it, Some(&name))), expected);
        let nothing = json!({"name": null, "name_source": null, "name_strength": null});
        assert_eq!(written(|it| remote_name(it, None)), nothing);
    }

    #[test]
    fn greetings_stand_by_what_was_spoken() {
        let tls = Greeting::Tls(TlsGreeting {
            quic: Some(1),
            alpn: vec![Text::from("h3")],
            ech: true,
            ja4: Some(Text::from("q13d0310h3_55b375c5d22e_cd85d2d88918")),
        });
        let expected = json!({"greeting": {"tls": {
            "quic": 1, "alpn": ["h3"], "ech": true, "ja4": "q13d0310h3_55b375c5d22e_cd85d2d88918",
        }}});
        assert_eq!(written(|it| greeting(it, Some(&tls))), expected);
        let http = Greeting::Http(HttpGreeting {
            user_agent: Some(Text::from(&b"x\xff"[..])),
            ..HttpGreeting::default()
        });
        let expected = json!({"greeting": {"http": {
            "method": null, "target": null, "user_agent": "x\u{fffd}", "user_agent_hex": "78ff",
        }}});
        assert_eq!(written(|it| greeting(it, Some(&http))), expected);
        let ssh = Greeting::Ssh {
            client: Some(Text::from("SSH-2.0-OpenSSH_9.9")),
            server: None,
        };
        let expected =
            json!({"greeting": {"ssh": {"client": "SSH-2.0-OpenSSH_9.9", "server": null}}});
        assert_eq!(written(|it| greeting(it, Some(&ssh))), expected);
    }

    #[test]
    fn an_answer_has_its_addresses() {
        let known = Answer {
            addresses: vec![([203, 0, 113, 9].into(), 60)],
            aliases: vec![Text::from("edge.example.net")],
            bytes: 70,
            ..Answer::default()
        };
        let expected = json!({"answer": {
            "code": 0, "aliases": ["edge.example.net"],
            "addresses": [{"ip": "203.0.113.9", "ttl": 60}], "texts": [], "bytes": 70,
        }});
        assert_eq!(written(|it| answer(it, Some(&known))), expected);
        let known = Answer {
            texts: vec![Text::from("v=1")],
            text_ttl: Some(0),
            bytes: 70,
            ..Answer::default()
        };
        let expected = json!({"answer": {
            "code": 0, "aliases": [], "addresses": [], "texts": ["v=1"], "text_ttl": 0, "bytes": 70,
        }});
        assert_eq!(written(|it| answer(it, Some(&known))), expected);
    }

    #[test]
    fn a_device_stands_where_a_process_would() {
        let id = DeviceId::Mac([2, 0, 0x5e, 0x10, 0, 1]);
        let phone = Device {
            id,
            name: Some(Text::from("phone")),
            addresses: Vec::new(),
        };
        let connection = Connection {
            device: Some(id),
            ..example::connection()
        };
        let devices = Arc::new(HashMap::from([(id, phone)]));
        let value = written(|it| device(it, &connection, &devices));
        assert_eq!(value["device"]["mac"], "02:00:5e:10:00:01");
        assert_eq!(value["device"]["name"], "phone");
    }
}

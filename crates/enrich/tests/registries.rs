//! Real answers of registries. They are not kept in the project: `WHOCALLS_CORPUS` names the folder
//! that they lie in, and without it these tests say that they are skipped.

#![expect(
    clippy::unwrap_used,
    reason = "a failed test is a panic, and a skipped one says so"
)]

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use enrich::sources::read;
use model::{Failure, OnlineSource, Question, Registration, Reply, Said};

fn corpus(folder: &str) -> Option<PathBuf> {
    let corpus = std::env::var_os("WHOCALLS_CORPUS");
    let corpus = corpus.map(|it| PathBuf::from(it).join("intel").join(folder));
    if corpus.is_none() {
        let test = std::thread::current();
        let name = test.name().unwrap_or("a test");
        let line = format!("skipped: {name}: WHOCALLS_CORPUS does not name the folder\n");
        // Past what the harness keeps of a test that succeeds.
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
    corpus
}

fn question(text: &str) -> Question {
    match text.parse() {
        Ok(address) => Question::Address(address),
        Err(_) => Question::Name(text.to_owned()),
    }
}

fn said(source: OnlineSource, asked: &str, host: &str, bytes: Vec<u8>) -> Said {
    let status = (source == OnlineSource::Rdap).then_some(200);
    let reply = Reply {
        asked: asked.to_owned(),
        host: host.to_owned(),
        status,
        bytes,
    };
    read(source, &question(asked), &[reply])
}

/// What was read, a line for each fact that is there.
fn lines(said: &Said) -> String {
    if let Said::Registration(registration) = said {
        facts(registration)
    } else {
        format!("{said:?}\n")
    }
}

fn facts(it: &Registration) -> String {
    let mut lines = String::new();
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push_str(&format!("{name}: {value}\n"));
        }
    };
    let text = |it: &Option<model::Text>| it.as_ref().map_or(String::new(), |it| it.lossy().into());
    let texts = |it: &[model::Text]| {
        let all: Vec<_> = it.iter().map(|it| it.lossy().into_owned()).collect();
        all.join(" | ")
    };
    let range = it.range.map(|(first, last)| format!("{first} - {last}"));
    line("range", range.unwrap_or_default());
    let networks: Vec<_> = it.networks.iter().map(ToString::to_string).collect();
    line("networks", networks.join(", "));
    let numbers = it.autonomous_systems;
    let numbers = numbers.map(|(first, last)| format!("{first}-{last}"));
    line("autonomous systems", numbers.unwrap_or_default());
    line("name", text(&it.name));
    line("handle", text(&it.handle));
    line("parent", text(&it.parent));
    line("kind", text(&it.kind));
    let origins: Vec<_> = it.origins.iter().map(ToString::to_string).collect();
    line("origins", origins.join(", "));
    line("country", text(&it.country));
    line("registered", text(&it.registered));
    line("changed", text(&it.changed));
    line("expires", text(&it.expires));
    line("registrar", text(&it.registrar));
    if let Some(holder) = &it.organisation {
        line("organisation", text(&holder.name));
        line("organisation handle", text(&holder.handle));
        line("address", texts(&holder.address));
        line("city", text(&holder.city));
        line("organisation country", text(&holder.country));
        line("organisation registered", text(&holder.registered));
        line("organisation changed", text(&holder.changed));
        line("organisation link", text(&holder.link));
    }
    line("abuse", texts(&it.abuse));
    line("statuses", texts(&it.statuses));
    line("name servers", texts(&it.name_servers));
    line("remarks", texts(&it.remarks));
    line("link", text(&it.link));
    line("registry", text(&it.registry));
    if it.is_redacted {
        line("redacted", "yes".to_owned());
    }
    lines
}

/// What each answer must give: so many words as tell that it was read whole.
fn check(source: OnlineSource, file: &PathBuf, asked: &str, host: &str, expected: &[&str]) {
    let found = lines(&said(source, asked, host, fs::read(file).unwrap()));
    for expected in expected {
        let is_there = found.lines().any(|line| line == *expected);
        assert!(is_there, "{}: {expected}\n{found}", file.display());
    }
    for person in ["REDACTED PERSON", "+00 0000"] {
        assert!(!found.contains(person), "{found}");
    }
}

#[test]
fn answers_of_rdap_are_read_whole() {
    let Some(folder) = corpus("rdap") else { return };
    let any = "62.239.237.1";
    for (file, asked, expected) in [
        (
            "20c-autnum-205697",
            any,
            &[
                "autonomous systems: 205697-205697",
                "name: ALOJALIA",
                "country: ES",
                "organisation: ALOJALIA CLOUD S.L.",
                "organisation handle: ORG-IYCS4-RIPE",
                "abuse: abuse@alojalia.com",
                "registry: RIPE",
            ][..],
        ),
        (
            "20c-autnum-2515",
            any,
            &["name: JPNIC", "country: JP", "registry: JPNIC"],
        ),
        (
            "20c-autnum-2914",
            any,
            &[
                "organisation: NTT America, Inc.",
                "country: US",
                "registered: 1998-12-07T00:00:00-05:00",
                "abuse: abuse@ntt.net",
                "registry: ARIN",
            ],
        ),
        (
            "20c-autnum-37271",
            any,
            &[
                "organisation: Workonline Communications(Pty) Ltd",
                "address: 114 West St | Johannesburg 2196",
                "registry: AFRINIC",
            ],
        ),
        (
            "20c-autnum-53170",
            any,
            &[
                "autonomous systems: 53170-53170",
                "handle: 53170",
                "country: BR",
                "organisation: Cabangu Internet Ltda",
            ],
        ),
        (
            "20c-autnum-61399",
            any,
            &["organisation: KG-IX LLC", "country: KG", "abuse: lir@ix.kg"],
        ),
        (
            "20c-autnum-9269",
            any,
            &[
                "organisation: Hong Kong Broadband Network Ltd",
                "country: HK",
                "abuse: abuse@hkbn.net",
                "registry: APNIC",
            ],
        ),
        (
            "20c-ip-206.41.110.0-arin",
            "206.41.110.0",
            &[
                "range: 206.41.110.0 - 206.41.110.255",
                "networks: 206.41.110.0/24",
                "name: CHIX",
                "parent: NET-206-0-0-0-0",
                "country: US",
                "organisation: United-IX",
            ],
        ),
        (
            "icann-autnum_16509",
            any,
            &[
                "name: AMAZON-02",
                "organisation: Amazon.com, Inc.",
                "abuse: abuse@amazonaws.com",
            ],
        ),
        (
            "icann-domain-lemonde.fr",
            "www.lemonde.fr",
            &[
                "name: lemonde.fr",
                "registrar: NAMESHIELD",
                "organisation: SOCIETE EDITRICE DU MONDE",
                "expires: 2025-06-09T22:08:09Z",
            ],
        ),
        (
            "icann-domain-microsoft.click",
            "microsoft.click",
            &[
                "organisation: Microsoft Corporation",
                "registrar: MarkMonitor Inc.",
                "redacted: yes",
            ],
        ),
        (
            "icann-domain_afnic_fr",
            "afnic.fr",
            &["name servers: ns2.nic.fr | ns1.nic.fr | ns3.nic.fr"],
        ),
        (
            "icann-domain_search_with_redaction",
            "www.example1.com",
            &["name: example1.com", "redacted: yes"],
        ),
        (
            "icann-entity_arin_hostmaster",
            any,
            &["handle: ARIN-HOSTMASTER", "statuses: validated"],
        ),
        (
            "icann-error_ripe_net",
            any,
            &[r#"Failed(Status(501, Some("501 Not Implemented: Nameserver not supported")))"#],
        ),
        (
            "icann-help_nic_fr",
            any,
            &[r#"Failed(Unreadable("JSON without registration data"))"#],
        ),
        (
            "icann-lookup_with_redaction",
            "example.com",
            &[
                "registrar: Example Registrar Inc.",
                "abuse: abuse@organization.example",
                "redacted: yes",
            ],
        ),
        (
            "icann-nameserver_ns1_nic_fr",
            "ns1.nic.fr",
            &["name: ns1.nic.fr"],
        ),
        (
            "icann-network_192_198_0_0",
            "192.198.0.0",
            &[
                "networks: 192.198.0.0/22",
                "origins: 53301",
                "organisation: Radio Link Internet",
            ],
        ),
        (
            "ipwhois-ip-196.11.240.215",
            "196.11.240.215",
            &[
                "range: 196.11.239.0 - 196.11.246.255",
                "country: ZA",
                "organisation handle: ORG-VSA1-AFRINIC",
                "registry: AFRINIC",
            ],
        ),
        // Its range is the address that was asked for, and no network.
        (
            "ipwhois-ip-200.57.141.161",
            "200.57.141.161",
            &[
                "organisation: Triara.com, S.A. de C.V.",
                "country: MX",
                "city: Tlalpan Mexico",
                "registry: LACNIC",
            ],
        ),
        (
            "ipwhois-ip-210.107.73.73",
            "210.107.73.73",
            &[
                "range: 210.107.0.0 - 210.107.127.255",
                "country: KR",
                "parent: 210.0.0.0 - 210.255.255.255",
                "registry: APNIC",
            ],
        ),
        (
            "ipwhois-ip-62.239.237.1",
            "62.239.237.1",
            &[
                "range: 62.239.237.0 - 62.239.237.255",
                "networks: 62.239.237.0/24",
                "name: BT-CORPORATE",
                "country: GB",
                "remarks: UDC",
            ],
        ),
        (
            "ipwhois-ip-74.125.225.229",
            "::ffff:74.125.225.229",
            &[
                "range: 74.125.0.0 - 74.125.255.255",
                "organisation: Google Inc.",
                "country: US",
                "abuse: arin-contact@google.com",
            ],
        ),
        (
            "openrdap-domain-example.cz",
            "example.cz",
            &[
                "registrar: REG-INTERNET-CZ",
                "expires: 2019-08-30T12:00:00+00:00",
            ],
        ),
    ] {
        let file = folder.join(format!("{file}.json"));
        check(OnlineSource::Rdap, &file, asked, "rdap.a.example", expected);
    }
}

#[test]
fn cards_and_lists_that_are_wrong_spoil_nothing() {
    let Some(folder) = corpus("rdap") else { return };
    let mut seen = 0;
    for file in fs::read_dir(folder.join("jcard")).unwrap() {
        let file = file.unwrap().path();
        let card = fs::read_to_string(&file).unwrap();
        let answer = format!(
            r#"{{"objectClassName": "ip network", "name": "NET", "entities": [
                {{"roles": ["registrant"], "handle": "ORG-A", "vcardArray": {card}}}]}}"#
        );
        let said = said(OnlineSource::Rdap, "192.0.2.7", "a.example", answer.into());
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if matches!(
            name.as_str(),
            "error_invalid_json.json"
                | "error_bad_property_parameters_2.json"
                | "error_bad_property_nest_depth.json"
        ) {
            let is_unreadable = matches!(said, Said::Failed(Failure::Unreadable(_)));
            assert!(is_unreadable, "{name}: {said:?}");
        } else {
            assert!(lines(&said).contains("name: NET\n"), "{name}: {said:?}");
        }
        seen += 1;
    }
    assert_eq!(seen, 13);
    for file in fs::read_dir(folder.join("bootstrap-malformed")).unwrap() {
        let file = file.unwrap().path();
        let said = said(
            OnlineSource::Rdap,
            "https://data.iana.org/rdap/dns.json",
            "data.iana.org",
            fs::read(&file).unwrap(),
        );
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        // What is right in it is used; then there is nobody for the name.
        if matches!(name.as_str(), "dns_bad_services.json" | "dns_bad_url.json") {
            assert_eq!(said, Said::Failed(Failure::NobodyToAsk), "{name}");
        } else {
            let is_unreadable = matches!(said, Said::Failed(Failure::Unreadable(_)));
            assert!(is_unreadable, "{name}: {said:?}");
        }
    }
}

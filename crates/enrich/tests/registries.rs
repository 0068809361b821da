//! Real answers of registries. They are not kept in the project: `WHOCALLS_CORPUS` names the folder
//! that they lie in, and without it these tests say that they are skipped.

#![expect(
    clippy::unwrap_used,
    reason = "a failed test is a panic, and a skipped one says so"
)]

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use enrich::sources::{Conversation, Request, next, read, without_asker};
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
fn check(
    source: OnlineSource,
    bytes: Vec<u8>,
    file: &str,
    (asked, host): (&str, &str),
    expected: &[&str],
) {
    let found = lines(&said(source, asked, host, bytes));
    for expected in expected {
        let is_there = found.lines().any(|line| line == *expected);
        assert!(is_there, "{file}: {expected}\n{found}");
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
        let bytes = fs::read(folder.join(format!("{file}.json"))).unwrap();
        let from = (asked, "rdap.a.example");
        check(OnlineSource::Rdap, bytes, file, from, expected);
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

#[test]
fn answers_of_whois_are_read_whole() {
    let Some(folder) = corpus("whois") else {
        return;
    };
    for (file, asked, host, expected) in [
        (
            "afrinic-196.11.240.215",
            "196.11.240.215",
            "whois.afrinic.net",
            &[
                "range: 196.11.239.0 - 196.11.246.255",
                "name: NET-196-11-239-0",
                "country: ZA",
                "organisation: MTN SA",
                "organisation handle: ORG-VSA1-AFRINIC",
                "registry: AFRINIC",
            ][..],
        ),
        (
            "apnic-210.107.73.73",
            "210.107.73.73",
            "whois.apnic.net",
            &[
                "range: 210.107.0.0 - 210.107.127.255",
                "name: BORANET-NET-210-107",
                "parent: BORANET-KR",
                "changed: 20021025",
                "abuse: hostmaster@nic.or.kr",
                "registry: APNIC",
            ],
        ),
        (
            "arin-74.125.225.229",
            "74.125.225.229",
            "whois.arin.net",
            &[
                "networks: 74.125.0.0/16",
                "handle: NET-74-125-0-0-1",
                "kind: Direct Allocation",
                "organisation: Google Inc.",
                "city: Mountain View",
                "abuse: arin-contact@google.com",
            ],
        ),
        (
            "domain-google.co.il",
            "www.google.co.il",
            "whois.isoc.org.il",
            &[
                "registered: 05-06-1999",
                "expires: 05-06-2026",
                "registrar: Domain The Net Technologies Ltd",
            ],
        ),
        (
            "domain-google.com.tr",
            "google.com.tr",
            "whois.nic.tr",
            &[
                "registered: 2001-Aug-23",
                "expires: 2019-Aug-22",
                "name servers: ns1.google.com | ns2.google.com | ns3.google.com | ns4.google.com",
            ],
        ),
        (
            "domain-google.com",
            "google.com",
            "whois.verisign-grs.com",
            &[
                "registered: 15-sep-1997",
                "registrar: MARKMONITOR INC.",
                "expires: 14-sep-2011",
            ],
        ),
        (
            "domain-google.de",
            "google.de",
            "whois.denic.de",
            &["changed: 2018-03-12T21:44:25+01:00", "statuses: connect"],
        ),
        (
            "domain-google.fr",
            "google.fr",
            "whois.nic.fr",
            &[
                "organisation: Google Ireland Holdings Unlimited Company",
                "country: IE",
                "registrar: MARKMONITOR Inc.",
                "expires: 2026-12-30T17:16:48Z",
            ],
        ),
        (
            "domain-google.lv",
            "google.lv",
            "whois.nic.lv",
            &["organisation: Google LLC", "registrar: MarkMonitor Inc."],
        ),
        (
            "domain-microsoft.com",
            "microsoft.com",
            "whois.verisign-grs.com",
            &["registered: 02-may-1991", "registrar: TUCOWS INC."],
        ),
        (
            "domain-nic.live",
            "nic.live",
            "whois.nic.live",
            &[
                "organisation: United TLD Holdco Ltd.",
                "country: IE",
                "abuse: abuse@identity.digital",
                "redacted: yes",
            ],
        ),
        (
            "domain-web.de",
            "web.de",
            "whois.denic.de",
            &["changed: 2016-04-11T11:09:54+02:00"],
        ),
        (
            "domain-yandex.ru",
            "yandex.ru",
            "whois.tcinet.ru",
            &[
                "organisation: YANDEX, LLC.",
                "registrar: RU-CENTER-RU",
                "expires: 2018-09-30T21:00:00Z",
                "name servers: ns1.yandex.ru | ns2.yandex.ru | ns9.z5h64q92x9.net",
            ],
        ),
        (
            "lacnic-200.57.141.161",
            "200.57.141.161",
            "whois.lacnic.net",
            &[
                "networks: 200.57.128.0/19",
                "organisation: Triara.com, S.A. de C.V.",
                "country: MX",
                "registered: 20001204",
                "abuse: operacion.redes@TRIARA.COM",
                "registry: LACNIC",
            ],
        ),
        (
            "likexian-rwhois_shawcable_net_4321_174",
            "174.0.0.1",
            "rwhois.shawcable.net",
            &[r#"Failed(Unreadable("text without registration data"))"#],
        ),
        (
            "likexian-whois_apnic_net_171",
            "171.0.0.1",
            "whois.apnic.net",
            &[
                "networks: 171.0.0.0/15",
                "organisation: Starhub Ltd.",
                "abuse: abuse@starhub.com",
            ],
        ),
        (
            "likexian-whois_arin_net_170",
            "170.0.0.1",
            "whois.arin.net",
            &["kind: Transferred to LACNIC"],
        ),
        (
            "likexian-whois_arin_net_174",
            "174.0.0.1",
            "whois.arin.net",
            &["name: SHAW-COMM", "origins: 6327", "country: CA"],
        ),
        (
            "likexian-whois_iana_org_171",
            "171.0.0.1",
            "whois.iana.org",
            &["organisation: Administered by APNIC"],
        ),
        (
            "likexian-whois_iana_org_as264957",
            "171.0.0.1",
            "whois.iana.org",
            &["autonomous systems: 264605-265628"],
        ),
        (
            "radb-AS15169-routes",
            "66.249.64.1",
            "whois.radb.net",
            &[
                "networks: 66.249.64.0/20",
                "origins: 15169",
                "registry: RADB",
            ],
        ),
        (
            "ripe-62.239.237.1",
            "62.239.237.1",
            "whois.ripe.net",
            &[
                "networks: 62.239.237.0/24",
                "name: BT-CORPORATE",
                "origins: 2856",
                "abuse: protect@bt.com",
                "registry: RIPE",
            ],
        ),
        (
            "weppos-arin_referral_apnic",
            "144.134.121.81",
            "whois.arin.net",
            &[
                "networks: 144.132.0.0/14, 144.136.0.0/14, 144.130.0.0/15, 144.140.0.0/16",
                "kind: Early Registrations, Transferred to APNIC",
            ],
        ),
        (
            "weppos-arin_referral_missing",
            "4.2.2.1",
            "whois.arin.net",
            &["name: LVLT-ORG-4-8", "abuse: security@level3.com"],
        ),
        (
            "weppos-arin_referral_ripe",
            "128.79.1.1",
            "whois.ripe.net",
            &[
                "range: 128.79.0.0 - 128.79.63.0",
                "country: FR",
                "origins: 5410",
            ],
        ),
        (
            "weppos-arin_referral_rwhois",
            "69.65.39.166",
            "whois.arin.net",
            &["organisation: GigeNET", "origins: 32181"],
        ),
        (
            "nir-jpnic",
            "133.1.2.5",
            "whois.nic.ad.jp",
            &[
                "networks: 133.1.0.0/16",
                "name: OSAKAU-NET",
                "organisation: Osaka University",
                "changed: 2015/01/14 11:50:03(JST)",
            ],
        ),
        (
            "nir-krnic",
            "115.1.2.3",
            "whois.krnic.net",
            &[
                "networks: 115.1.2.0/26",
                "parent: KORNET",
                "organisation: KT",
                "registered: 20150317",
            ],
        ),
    ] {
        let bytes = if file.starts_with("nir") {
            let text = fs::read(folder.join(format!("{file}.json"))).unwrap();
            let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
            let answer = value.get(asked).and_then(|it| it.get("response")).unwrap();
            answer.as_str().unwrap().as_bytes().to_vec()
        } else {
            fs::read(folder.join(format!("{file}.txt"))).unwrap()
        };
        // None of them tells the asker, and all else stays.
        assert_eq!(without_asker(&bytes), bytes, "{file}");
        check(OnlineSource::Whois, bytes, file, (asked, host), expected);
    }
}

/// Where an answer sends us on to.
#[test]
fn answers_of_whois_send_on() {
    let Some(folder) = corpus("whois") else {
        return;
    };
    for (file, asked, expected) in [
        // Whom the lists name for it already was asked.
        ("likexian-whois_iana_org_171", "171.0.0.1", None),
        (
            "likexian-whois_iana_org_171",
            "170.0.0.1",
            Some("whois.apnic.net"),
        ),
        (
            "likexian-whois_arin_net_170",
            "170.0.0.1",
            Some("whois.lacnic.net"),
        ),
        ("likexian-whois_arin_net_174", "174.0.0.1", None),
        (
            "weppos-arin_referral_apnic",
            "144.134.121.81",
            Some("whois.apnic.net"),
        ),
        ("weppos-arin_referral_missing", "4.2.2.1", None),
        ("weppos-arin_referral_rwhois", "69.65.39.166", None),
    ] {
        let reply = Reply {
            asked: String::new(),
            host: String::new(),
            status: None,
            bytes: fs::read(folder.join(format!("{file}.txt"))).unwrap(),
        };
        let conversation = Conversation {
            question: &question(asked),
            replies: &[reply],
            base: None,
        };
        let host = next(OnlineSource::Whois, conversation).map(|request| {
            let Request::Line { host, .. } = request else {
                unreachable!()
            };
            host
        });
        assert_eq!(host.as_deref(), expected, "{file}");
    }
}

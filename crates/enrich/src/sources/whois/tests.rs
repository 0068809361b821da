use model::{Failure, Text};
use proptest::prelude::*;

use super::*;

fn question(text: &str) -> Question {
    match text.parse() {
        Ok(address) => Question::Address(address),
        Err(_) => Question::Name(text.to_owned()),
    }
}

fn reply(host: &str, text: &str) -> Reply {
    Reply {
        asked: String::new(),
        host: host.to_owned(),
        status: None,
        bytes: text.as_bytes().to_vec(),
    }
}

/// `host:port line`
fn asked(question: &Question, replies: &[Reply], base: Option<&str>) -> Option<String> {
    let conversation = Conversation {
        question,
        replies,
        base,
    };
    let Request::Line { host, port, line } = next(conversation)? else {
        unreachable!()
    };
    Some(format!("{host}:{port} {line}"))
}

fn registration(asked: &str, host: &str, text: &str) -> Registration {
    let said = read(&question(asked), &[reply(host, text)]);
    let Said::Registration(registration) = said else {
        unreachable!("{said:?}")
    };
    *registration
}

fn text(text: &str) -> Option<Text> {
    Some(text.into())
}

#[test]
fn each_registry_is_asked_in_its_way() {
    let check = |item: &str, base: Option<&str>, expected: Option<&str>| {
        assert_eq!(
            asked(&question(item), &[], base).as_deref(),
            expected,
            "{item}"
        );
    };
    check("216.6.0.28", None, Some("whois.arin.net:43 n + 216.6.0.28"));
    check(
        "::ffff:216.6.0.28",
        None,
        Some("whois.arin.net:43 n + 216.6.0.28"),
    );
    check(
        "62.239.237.1",
        None,
        Some("whois.ripe.net:43 -r 62.239.237.1"),
    );
    check(
        "210.107.73.73",
        None,
        Some("whois.apnic.net:43 -r 210.107.73.73"),
    );
    check(
        "196.11.240.215",
        None,
        Some("whois.afrinic.net:43 -r 196.11.240.215"),
    );
    check(
        "200.57.141.161",
        None,
        Some("whois.lacnic.net:43 200.57.141.161"),
    );
    check(
        "2a00:1450::1",
        None,
        Some("whois.ripe.net:43 -r 2a00:1450::1"),
    );
    // 6to4 is nobody's in the lists.
    check("10.0.0.1", None, None);
    check("192.168.0.1", None, None);
    check("printer.local", None, None);
    check("www.example.co.uk", None, Some("whois.iana.org:43 uk"));
    check(
        "133.1.2.5",
        Some("whois.nic.ad.jp"),
        Some("whois.nic.ad.jp:43 133.1.2.5/e"),
    );
    check(
        "192.0.2.1",
        Some("127.0.0.1:4343"),
        Some("127.0.0.1:4343 192.0.2.1"),
    );
    check("192.0.2.1", Some("[::1]:4343"), Some("::1:4343 192.0.2.1"));
    check(
        "a.example.de",
        Some("whois.denic.de:43"),
        Some("whois.denic.de:43 -T dn,ace example.de"),
    );
    let network = model::Network::new("216.6.0.0".parse().unwrap(), 23).unwrap();
    let asked = asked(&Question::Network(network), &[], None);
    assert_eq!(asked.as_deref(), Some("whois.arin.net:43 r + 216.6.0.0/23"));
}

#[test]
fn goes_where_it_is_sent_and_no_further_than_that() {
    let address = question("216.6.0.28");
    let check = |text: &str, expected: Option<&str>| {
        let next = asked(&address, &[reply("whois.arin.net", text)], None);
        assert_eq!(next.as_deref(), expected, "{text}");
    };
    check(
        "ReferralServer: whois://whois.ripe.net",
        Some("whois.ripe.net:43 -r 216.6.0.28"),
    );
    check(
        "ReferralServer:  whois://a.whoseisit.net:4343/",
        Some("a.whoseisit.net:4343 216.6.0.28"),
    );
    check(
        "NetType: Early Registrations, Transferred to APNIC",
        Some("whois.apnic.net:43 -r 216.6.0.28"),
    );
    check(
        "refer:   whois.lacnic.net",
        Some("whois.lacnic.net:43 216.6.0.28"),
    );
    for nowhere in [
        "ReferralServer: rwhois://rwhois.a.whoseisit.net:4321",
        "ReferralServer: whois://10.0.0.1",
        "ReferralServer: whois://[::1]:43",
        "ReferralServer: whois://localhost",
        "ReferralServer: whois://127.1",
        "ReferralServer: whois://router.local",
        "ReferralServer: whois://a.whoseisit.net:25",
        "ReferralServer: whois://a b.whoseisit.net",
        "ReferralServer: http://a.whoseisit.net",
        "ReferralServer: whois://whois.arin.net",
        "ReferralServer:",
        "NetType: Direct Allocation",
    ] {
        check(nowhere, None);
    }
    // A place that was set is the only one that is asked.
    let referral = reply("x", "refer: whois.ripe.net");
    assert_eq!(asked(&address, &[referral], Some("127.0.0.1:43")), None);
    let chain: Vec<Reply> = (0..9)
        .map(|at| reply("x", &format!("refer: w{at}.whoseisit.net")))
        .collect();
    assert!(asked(&address, &chain[..4], None).is_some());
    assert_eq!(asked(&address, &chain[..5], None), None);
}

#[test]
fn a_name_is_asked_for_at_its_registry_and_not_at_the_registrar() {
    let name = question("www.whoseisit.com");
    let iana = "refer: whois.verisign-grs.com\n\ndomain: COM\n\nwhois: whois.verisign-grs.com\n\nsource: IANA\n";
    let mut replies = vec![reply(IANA, iana)];
    let next = asked(&name, &replies, None);
    assert_eq!(
        next.as_deref(),
        Some("whois.verisign-grs.com:43 domain whoseisit.com")
    );
    let registry = "   Domain Name: WHOSEISIT.COM\r\n   Registry Domain ID: 1_DOMAIN_COM-VRSN\r\n   \
        Registrar WHOIS Server: whois.seller.example\r\n   Registrar: Seller, Inc.\r\n   \
        Registrar Abuse Contact Email: abuse@seller.example\r\n   \
        Creation Date: 1995-08-14T04:00:00Z\r\n   Registry Expiry Date: 2026-08-13T04:00:00Z\r\n   \
        Updated Date: 2025-08-14T07:01:39Z\r\n   Name Server: A.EXAMPLE.NET\r\n   \
        Domain Status: clientTransferProhibited https://icann.org/epp#clientTransferProhibited\r\n\
        >>> Last update of whois database: 2025-11-01T00:00:00Z <<<\r\n";
    replies.push(reply("whois.verisign-grs.com", registry));
    assert_eq!(asked(&name, &replies, None), None);
    let Said::Registration(it) = read(&name, &replies) else {
        unreachable!()
    };
    assert_eq!(it.name, text("whoseisit.com"));
    assert_eq!(it.registrar, text("Seller, Inc."));
    assert_eq!(it.registered, text("1995-08-14T04:00:00Z"));
    assert_eq!(it.expires, text("2026-08-13T04:00:00Z"));
    assert_eq!(it.changed, text("2025-08-14T07:01:39Z"));
    assert_eq!(it.abuse, ["abuse@seller.example".into()]);
    assert_eq!(it.statuses, ["clientTransferProhibited".into()]);
    assert_eq!(it.handle, text("1_DOMAIN_COM-VRSN"));
    // The registry of the top-level domain is not its holder.
    assert_eq!(read(&name, &replies[..1]), {
        let what = "text without registration data".to_owned();
        Said::Failed(Failure::Unreadable(what))
    });
}

/// After the guide that whocalls follows: what it shows of the address of a demonstration.
const SEED: &str = "
NetRange:       216.6.0.0 - 216.6.1.255
CIDR:           216.6.0.0/23
NetName:        SYRIAN-5
NetHandle:      NET-216-6-0-0-2
Parent:         TATAC-ARIN-9 (NET-216-6-0-0-1)
NetType:        Reassigned
OriginAS:
Organization:   STE (Syrian Telecommunications Establishment) (SSTE)
RegDate:        2005-07-21
Updated:        2005-07-21
Comment:        Fax-no-963 11 3739765
Ref:            https://rdap.arin.net/registry/ip/216.6.0.0


OrgName:        STE (Syrian Telecommunications Establishment)
OrgId:          SSTE
Address:        Fayz Mansour St
Address:        STE Building
City:           Damascus
StateProv:
PostalCode:
Country:        SY
RegDate:        2005-07-21
Updated:        2011-09-24
Ref:            https://rdap.arin.net/registry/entity/SSTE
";

/// Made up: what the block above is a part of.
const PARENT: &str = "
# start

NetRange:       216.6.0.0 - 216.6.127.255
CIDR:           216.6.0.0/17
NetName:        TATAC-ARIN-9
NetHandle:      NET-216-6-0-0-1
NetType:        Direct Allocation
OriginAS:       AS64500, AS64501
Organization:   Carrier (TATAC)
RegDate:        1998-09-18

OrgName:        Carrier
OrgId:          TATAC
Country:        US

OrgAbuseEmail:  abuse@carrier.example

# end
";

#[test]
fn reads_all_of_the_answer_of_the_guide() {
    let it = registration("216.6.0.28", "whois.arin.net", SEED);
    let first = "216.6.0.0".parse().unwrap();
    assert_eq!(it.range, Some((first, "216.6.1.255".parse().unwrap())));
    assert_eq!(it.networks, [model::Network::new(first, 23).unwrap()]);
    assert_eq!(it.name, text("SYRIAN-5"));
    assert_eq!(it.handle, text("NET-216-6-0-0-2"));
    assert_eq!(it.parent, text("TATAC-ARIN-9 (NET-216-6-0-0-1)"));
    assert_eq!(it.kind, text("Reassigned"));
    assert!(it.origins.is_empty());
    assert_eq!(it.registered, text("2005-07-21"));
    assert_eq!(it.changed, text("2005-07-21"));
    assert_eq!(it.remarks, ["Fax-no-963 11 3739765".into()]);
    assert_eq!(it.link, text("https://rdap.arin.net/registry/ip/216.6.0.0"));
    assert_eq!(it.country, text("SY"));
    assert_eq!(it.registry, text("ARIN"));
    let holder = it.organisation.unwrap();
    assert_eq!(
        holder.name,
        text("STE (Syrian Telecommunications Establishment)")
    );
    assert_eq!(holder.handle, text("SSTE"));
    assert_eq!(
        holder.address,
        ["Fayz Mansour St".into(), Text::from("STE Building")]
    );
    assert_eq!(holder.city, text("Damascus"));
    assert_eq!(holder.country, text("SY"));
    assert_eq!(holder.registered, text("2005-07-21"));
    assert_eq!(holder.changed, text("2011-09-24"));
    assert_eq!(
        holder.link,
        text("https://rdap.arin.net/registry/entity/SSTE")
    );
}

#[test]
fn of_several_networks_the_smallest_counts() {
    for both in [format!("{PARENT}{SEED}"), format!("{SEED}{PARENT}")] {
        let it = registration("216.6.0.28", "whois.arin.net", &both);
        assert_eq!(it.name, text("SYRIAN-5"));
        assert_eq!(it.organisation.unwrap().handle, text("SSTE"));
        // The other half of the parent is not the child's.
        let it = registration("216.6.9.1", "whois.arin.net", &both);
        assert_eq!(it.name, text("TATAC-ARIN-9"));
        assert_eq!(it.origins, [64500, 64501]);
        assert_eq!(it.abuse, ["abuse@carrier.example".into()]);
        assert_eq!(it.organisation.unwrap().country, text("US"));
    }
    let customer = "NetRange: 192.0.2.0 - 192.0.2.255\nNetName: X\nCustomer: Shop (C1)\n\nCustName: Shop\nCity: A\nCountry: US\n";
    let it = registration("192.0.2.1", "whois.arin.net", customer);
    assert_eq!(it.organisation.unwrap().city, text("A"));
    let list = "Carrier TATAC-ARIN-9 (NET-216-6-0-0-1) 216.6.0.0 - 216.6.127.255\n\
        STE (Syria) SYRIAN-5 (NET-216-6-0-0-2) 216.6.0.0 - 216.6.1.255\n";
    let it = registration("216.6.0.28", "whois.arin.net", list);
    assert_eq!(
        (it.name, it.handle),
        (text("SYRIAN-5"), text("NET-216-6-0-0-2"))
    );
    assert_eq!(it.organisation.unwrap().name, text("STE (Syria)"));
}

#[test]
fn objects_of_rpsl_are_put_together() {
    // Made up, in the form of RIPE.
    let answer = "% Abuse contact for '192.0.2.0 - 192.0.2.255' is 'abuse@a.example'\n\n\
        inetnum: 192.0.2.0 - 192.0.2.255\nnetname: A-NET\ndescr: A\n       and B\ncountry: de # home\n\
        org: ORG-A1-RIPE\nadmin-c: P1-RIPE\nstatus: ASSIGNED PA\ncreated: 2001-01-01T00:00:00Z\n\
        last-modified: 2002-01-01T00:00:00Z\nsource: RIPE # Filtered\n\n\
        organisation: ORG-A1-RIPE\norg-name: A Ltd\ncountry: ZZ\naddress: Street\naddress: Town\ne-mail: x@a.example\n\
        source: RIPE # Filtered\n\nperson: Ann Example\naddress: Home\nnic-hdl: P1-RIPE\n\n\
        route: 192.0.0.0/16\norigin: AS64496\n\nroute: 198.51.100.0/24\norigin: AS64497\n";
    let it = registration("192.0.2.1", "whois.ripe.net", answer);
    assert_eq!(it.country, text("DE"));
    assert_eq!(it.origins, [64496]);
    assert_eq!(it.abuse, ["abuse@a.example".into()]);
    assert_eq!(it.remarks, ["A and B".into()]);
    assert!(!format!("{it:?}").contains("Ann"));
    assert!(!format!("{it:?}").contains("x@a"));
    let holder = it.organisation.unwrap();
    assert_eq!((holder.name, holder.country), (text("A Ltd"), None));
    assert_eq!(holder.address, ["Street".into(), Text::from("Town")]);
}

#[test]
fn names_are_read_in_many_forms() {
    // Made up, in the forms of Nominet, EURid, Registro .it, and of a registry that knows companies.
    let uk = "\n    Domain name:\n        example.co.uk\n\n    Registrar:\n        Seller Ltd t/a S [Tag = S]\n        \
        URL: https://s.example\n\n    Relevant dates:\n        Registered on: 14-Feb-1999\n        Expiry date:  14-Feb-2027\n        \
        Last updated:  13-Jan-2026\n\n    Registration status:\n        Registered until expiry date.\n\n    \
        Name servers:\n        ns1.example.net   192.0.2.1\n        ns2.example.net\n\n    WHOIS lookup made at 1:2:3\n";
    let it = registration("www.example.co.uk", "whois.nic.uk", uk);
    assert_eq!(it.name, text("example.co.uk"));
    assert_eq!(it.registrar, text("Seller Ltd t/a S"));
    assert_eq!(it.registered, text("14-Feb-1999"));
    assert_eq!(it.expires, text("14-Feb-2027"));
    assert_eq!(it.changed, text("13-Jan-2026"));
    assert_eq!(
        it.name_servers,
        ["ns1.example.net".into(), Text::from("ns2.example.net")]
    );
    let eu = "Domain: example.eu\nScript: LATIN\n\nRegistrant:\n        NOT DISCLOSED!\n        Visit x\n\n\
        Technical:\n        Organisation: Tech Ltd\n        Email: t@t.example\n\nRegistrar:\n        Name: Seller BV\n        \
        Website: https://s.example\n\nName servers:\n        ns1.example.eu (192.0.2.1)\n";
    let it = registration("example.eu", "whois.eu", eu);
    assert_eq!(it.registrar, text("Seller BV"));
    assert_eq!(it.organisation, None);
    assert_eq!(it.name_servers, ["ns1.example.eu".into()]);
    assert!(it.is_redacted);
    let it = "Domain:             example.it\nStatus:             ok\nCreated:            1999-12-10 00:00:00\n\n\
        Registrant\n  Organization:     Esempio S.p.A.\n  Address:          Via 1\n                    Roma\n\n\
        Admin Contact\n  Name:             Ann Example\n\nRegistrar\n  Organization:     Venditore\n\nNameservers\n  ns1.example.it\n";
    let it = registration("example.it", "whois.nic.it", it);
    assert_eq!(
        it.organisation.as_ref().unwrap().name,
        text("Esempio S.p.A.")
    );
    assert_eq!(it.registrar, text("Venditore"));
    assert_eq!(it.name_servers, ["ns1.example.it".into()]);
    assert!(!format!("{it:?}").contains("Ann"));
    let thick = "Domain Name: example.org\nRegistrant Name: Ann Example\nRegistrant Organization: A Ltd\n\
        Registrant Street: 1 Street\nRegistrant City: Town\nRegistrant Country: KG\nAdmin Organization: B Ltd\nTech Country: DE\n";
    let it = registration("example.org", "whois.pir.org", thick);
    let holder = it.organisation.as_ref().unwrap();
    assert_eq!(
        (&holder.name, &holder.city),
        (&text("A Ltd"), &text("Town"))
    );
    assert_eq!(it.country, text("KG"));
    assert!(!format!("{it:?}").contains("Ann"));
    let free = read(
        &question("example.de"),
        &[reply(
            "whois.denic.de",
            "Domain: example.de\nStatus: free\n",
        )],
    );
    assert_eq!(free, Said::NoData);
}

#[test]
fn says_why_there_is_no_answer() {
    let too_often = Said::Failed(Failure::AskedTooOften(None));
    let check = |text: &str, expected: &Said| {
        for asked in ["216.6.0.28", "www.example.com"] {
            assert_eq!(
                &read(&question(asked), &[reply("a.example", text)]),
                expected,
                "{text}"
            );
        }
    };
    check(
        "%ERROR:101: no entries found\n%\n% No entries found in source RIPE.\n",
        &Said::NoData,
    );
    check(
        "%ERROR:201: access denied for (left out)\n%\n% Queries from your IP address ...\n",
        &too_often,
    );
    check(
        "% Query rate limit exceeded. Reduced information.\n",
        &too_often,
    );
    check(
        "WHOIS LIMIT EXCEEDED - SEE WWW.PIR.ORG/WHOIS FOR DETAILS\n",
        &too_often,
    );
    check(
        "No match for \"EXAMPLE.COM\".\r\n>>> Last update of whois database <<<",
        &Said::NoData,
    );
    check("% No match for 216.6.0.28\n", &Said::NoData);
    check("Domain not found.\n", &Said::NoData);
    let status = Failure::Status(108, text("bad character in input"));
    check(
        "%ERROR:108: bad character in input\n",
        &Said::Failed(status),
    );
    let unreadable = |what: &str| Said::Failed(Failure::Unreadable(what.to_owned()));
    check(
        "<html><body>Log in</body></html>",
        &unreadable("a web page came where lines should be"),
    );
    check("", &unreadable("nothing came"));
    check(
        "hello\nworld",
        &unreadable("text without registration data"),
    );
}

#[test]
fn who_sends_on_may_know_it_itself() {
    let first = format!("{SEED}\nReferralServer: whois://whois.carrier.example\n");
    let replies = [
        reply("whois.arin.net", &first),
        reply("whois.carrier.example", "% No match\n"),
    ];
    let Said::Registration(it) = read(&question("216.6.0.28"), &replies) else {
        unreachable!()
    };
    assert_eq!(it.name, text("SYRIAN-5"));
    let expected = "whois.carrier.example, to which it sends on, knows nothing of it.";
    assert_eq!(it.remarks.last(), Some(&expected.into()));
}

#[test]
fn a_server_of_the_hoster_is_told_and_not_asked() {
    let answer = format!("{SEED}\nReferralServer: rwhois://rwhois.carrier.example:4321\n");
    let it = registration("216.6.0.28", "whois.arin.net", &answer);
    let remark = it.remarks.last().unwrap().lossy();
    assert!(
        remark.contains("rwhois://rwhois.carrier.example:4321, which was not asked"),
        "{remark}"
    );
}

proptest! {
    #[test]
    fn never_panics(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        text in "([ a-z%#*\\[\\].:/0-9-]{0,30}\n){0,20}",
        keyed in "((NetRange|CIDR|inetnum|org|Organization|OrgName|Domain Name|Registrar|refer|ReferralServer|origin|route|\\[Holder\\]|nic-hdl|type|status): ?[ a-z0-9./:()-]{0,20}\n{0,2}){0,20}",
    ) {
        for bytes in [bytes, text.into_bytes(), keyed.into_bytes()] {
            let reply = Reply { asked: String::new(), host: "a.example".to_owned(), status: None, bytes };
            for asked in ["192.0.2.1", "216.6.0.28", "2a00::1", "a.example.com"] {
                let question = question(asked);
                let replies = [reply.clone(), reply.clone()];
                let _ = read(&question, &replies);
                let _ = next(Conversation { question: &question, replies: &replies, base: None });
            }
        }
    }
}

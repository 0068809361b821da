use model::{
    Check, Imported, Outcome, Owner, PackageState, Protocol, SavedLook, Sign, Tier, WhyUnknown,
};
use proptest::prelude::*;

use super::super::tests::{Read, read};

const DOCUMENT: &str = r#"{"schema":"whocalls/1","host":"lena-laptop","boot":"a0fe5d9a407a4f27852d2ea141663768","taken":"2026-11-22T14:37:27.732339421Z","tier":"full","left_out":{"waiting":6,"others":0},"every_process":false,
"gaps":[{"id":"no_rights","source":"proc","why":"no right","missed":"some","since":null,"until":null,"count":14}],
"processes":[{"id":"305-4484-a0fe5d9a","pid":305,"started":"2026-11-22T14:36:30.452394440Z","ended":null,"name":"updater","path":"/home/lena/.cache/updater","path_state":"deleted","file":{"device":3,"inode":9},"command_line":["updater","-d"],"command_line_truncated":false,"user":"lena","uid":1000,"parents":[{"pid":1,"name":"systemd","path":"/usr/lib/systemd/systemd"}],"container":{"engine":"docker","id":"abc"},"unit":"x.service","netns":4026531840,"kernel_thread":false,"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","ordinary":false,"not_ordinary":["of no package"],"package":null,"package_version":null,"package_manager":null,"package_state":"none","display":"no connection to any display","checks":[{"check":"program-file","result":"found","why":null,"traces":[{"sign":"deleted","path":"/x","bytes":"00ff"}],"more":2},{"check":"traced","result":"not testable","why":"no rights"},{"check":"of-tomorrow","result":"nothing found","why":null}]}],
"connections":[
{"id":"a2c481a50b12042e996d370eaf1c2892","protocol":"tcp","state":"established","direction":"outbound","local":{"ip":"192.0.2.7","port":33022},"remote":{"ip":"::ffff:198.51.100.23","port":8443,"name":"c2.example","name_source":"sni","name_strength":"greeted"},"netns":4026531840,"interface":null,"socket":{"inode":7,"cookie":14},"uid":1000,"opened":null,"closed":null,"error":null,"bytes_sent":1177,"bytes_received":21,"packets_sent":null,"packets_received":null,"community_id":null,"owner":{"known":true,"source":"ebpf","why":null},"process":{"id":"305-4484-a0fe5d9a","pid":305,"started":null,"name":"updater","path":"/home/lena/.cache/updater","uid":1000,"user":"lena"},"also_held_by":[{"id":"318-5138-a0fe5d9a","pid":318,"name":"helper"}],"device":null,"greeting":{"tls":{"quic":null,"alpn":["h2"],"ech":false,"ja4":"t13"}},"address":null,"findings":["00"]},
{"id":"d160438071a579a350b20a797152c6c9","protocol":"raw","ip_protocol":1,"state":"open","direction":"listening","local":{"ip":"0.0.0.0","port":null},"remote":null,"socket":{"inode":null,"cookie":15},"owner":{"known":false,"source":null,"why":"kernel"},"process":null,"also_held_by":[],"error":{"errno":101,"word":"x","phase":"connect"},"device":{"mac":"02:00:5e:10:00:01","name":"phone","ip":"192.0.2.9"},"greeting":null},
{"id":"d1","protocol":"carrier pigeon","local":{"ip":null,"port":null}}],
"findings":[{"id":"x","explanation":"}]"}]}
"#;

fn look(read: &Read) -> SavedLook {
    let mut looks = Vec::new();
    for seen in &read.seen {
        if let Imported::Look(look) = seen {
            looks.push((**look).clone());
        }
    }
    looks.pop().expect("a look says what it is")
}

#[test]
fn a_look_is_read_back() {
    let read = read(DOCUMENT.as_bytes());
    let about = look(&read);
    assert_eq!(about.host.unwrap().lossy(), "lena-laptop");
    assert_eq!(
        about.boot.unwrap().to_string(),
        "a0fe5d9a407a4f27852d2ea141663768"
    );
    assert_eq!(
        about.taken.unwrap().to_string(),
        "2026-11-22T14:37:27.732339421Z"
    );
    assert_eq!((about.tier, about.until), (Some(Tier::Full), None));
    assert_eq!(
        (about.waiting_left_out, about.others_left_out),
        (Some(6), Some(0))
    );
    assert_eq!(about.every_process, Some(false));
    // The one of an unknown protocol is counted.
    assert_eq!(read.skipped.count, 1);
    assert_eq!(read.skipped.first[0].place, "item 5, of connections");
    assert_eq!(read.skipped.cut, None);

    let [call, raw] = read.connections().collect::<Vec<_>>()[..] else {
        panic!("two connections");
    };
    let remote = call.remote.unwrap();
    assert_eq!(
        (remote.ip.unwrap().to_string().as_str(), remote.port),
        ("198.51.100.23", Some(8443))
    );
    assert_eq!(call.name.as_ref().unwrap().name.lossy(), "c2.example");
    assert_eq!((call.bytes_sent, call.socket.inode), (Some(1177), Some(7)));
    assert!(call.greeting.is_some() && call.also_held_by.len() == 1);
    assert_eq!(raw.protocol, Protocol::Raw { ip_protocol: 1 });
    assert_eq!(
        raw.owner,
        Owner::Unknown {
            why: WhyUnknown::Kernel
        }
    );
    assert!(raw.device.is_some() && raw.error.is_some() && raw.remote.is_none());

    let updater = read.processes().find(|it| it.id.pid == 305).unwrap();
    assert_eq!(call.owner.process(), Some(updater.id));
    assert_eq!(updater.file.unwrap().inode, 9);
    assert_eq!(
        (updater.sha256.unwrap()[0], updater.parents.len()),
        (0xe3, 1)
    );
    assert_eq!(updater.container.as_ref().unwrap().engine, "docker");
    let examined = updater.examined.as_ref().unwrap();
    assert_eq!(
        examined.package.as_ref().unwrap().state,
        PackageState::Unpackaged
    );
    assert_eq!(examined.signs(Check::ProgramFile, Sign::Deleted).count(), 1);
    assert!(matches!(
        examined.outcome(Check::Traced),
        Some(Outcome::NotTestable(_))
    ));
    assert_eq!(examined.checks.len(), 2);
    let gaps = read
        .seen
        .iter()
        .filter(|it| matches!(it, Imported::Gap(gap) if gap.count == Some(14)));
    assert_eq!(gaps.count(), 1);
}

#[test]
fn a_stream_gives_what_its_document_gives() {
    let read_document = read(DOCUMENT.as_bytes());
    let whole: serde_json::Value = serde_json::from_str(DOCUMENT).unwrap();
    let mut lines = vec![serde_json::json!({
        "schema": "whocalls/1", "type": "start", "host": whole["host"], "boot": whole["boot"],
        "taken": whole["taken"], "tier": whole["tier"],
    })];
    for (list, kind) in [
        ("processes", "process"),
        ("connections", "connection"),
        ("gaps", "gap"),
    ] {
        for item in whole[list].as_array().unwrap() {
            let mut line = item.clone();
            line["type"] = kind.into();
            lines.push(line);
        }
    }
    lines.push(serde_json::json!({"type": "event", "kind": "tick"}));
    let end = "2026-11-22T14:40:00.000000000Z";
    lines.push(serde_json::json!({"type": "end", "time": end}));
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let stream = read(text.as_bytes());
    assert_eq!(look(&stream).until.unwrap().to_string(), end);
    assert_eq!(stream.skipped.cut, None);
    let ends = |read: &Read| -> Vec<_> {
        read.connections()
            .map(|it| (it.protocol, it.local, it.remote, it.name.clone()))
            .collect()
    };
    assert_eq!(ends(&stream), ends(&read_document));
    assert_eq!(
        stream.processes().count(),
        read_document.processes().count()
    );
    // Without its end it was cut off.
    let cut: String = lines
        .iter()
        .rev()
        .skip(1)
        .rev()
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(read(cut.as_bytes()).skipped.cut.is_some());
}

#[test]
fn what_is_no_look_is_left_to_others() {
    for text in [
        r#"{"schema":"whocalls/2","tier":"full","processes":[]}"#,
        r#"{"schema":"whocalls/1","items":[]}"#,
        r#"{"schema":"whocalls/1","tier":"full","gaps":[],"rules":["x"],"processes":[]}"#,
        r#"{"schema":"whocalls/1","type":"start","segment":1,"tier":"full"}"#,
        r#"{"ts":1,"uid":"C","id.orig_h":"192.0.2.1"}"#,
    ] {
        assert!(!super::is_document(text.as_bytes()), "{text}");
        assert!(!super::is_stream(text.as_bytes()), "{text}");
    }
}

#[test]
fn what_is_cut_is_read_up_to_there() {
    for end in 200..DOCUMENT.len() - 3 {
        let read = read(&DOCUMENT.as_bytes()[..end]);
        assert!(read.skipped.cut.is_some(), "{end}");
        assert!(read.connections().count() <= 2);
    }
}

proptest! {
    #[test]
    fn never_panics(at in 0..DOCUMENT.len(), byte: u8, length in 0_usize..9) {
        let mut bytes = DOCUMENT.as_bytes().to_vec();
        let end = (at + length).min(bytes.len());
        bytes.splice(at..end, [byte]);
        read(&bytes);
    }
}

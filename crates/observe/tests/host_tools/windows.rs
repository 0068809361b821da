//! `netstat` of Windows.

use super::{check, read};

const GERMAN: &str = "\r
Aktive Verbindungen\r
\r
  Proto  Lokale Adresse         Remoteadresse          Status           PID\r
  TCP    0.0.0.0:135            0.0.0.0:0              ABHÖREN         988\r
  RpcEptMapper\r
 [svchost.exe]\r
  TCP    0.0.0.0:445            0.0.0.0:0              ABHÖREN         4\r
 Es konnten keine Besitzerinformationen abgerufen werden.\r
  TCP    192.168.0.5:445        192.168.0.9:50222      HERGESTELLT     4\r
 Es konnten keine Besitzerinformationen abgerufen werden.\r
  TCP    192.168.0.5:50001      203.0.113.9:443        SCHLIESSEN_WARTEN 1244\r
 [Name mit [Klammern].exe]\r
  TCP    192.168.0.5:50002      203.0.113.9:443        WARTEND         0\r
  TCP    [::1]:50003            [::1]:50004            HERGESTELLT     1300\r
 [firefox.exe]\r
  UDP    0.0.0.0:500            *:*                                    696\r
 [lsass.exe]\r
  UDP    [fe80::1%12]:546       *:*                                    700\r
  Dhcp\r
 [svchost.exe]\r
";

const EXPECTED: [&str; 8] = [
    "tcp listen listening 0.0.0.0:135 - svchost.exe(988)",
    "tcp listen listening 0.0.0.0:445 - (4)",
    "tcp established inbound 192.168.0.5:445 192.168.0.9:50222 (4)",
    "tcp close_wait outbound 192.168.0.5:50001 203.0.113.9:443 Name mit [Klammern].exe(1244)",
    "tcp time_wait outbound 192.168.0.5:50002 203.0.113.9:443 -",
    "tcp established local ::1:50003 ::1:50004 firefox.exe(1300)",
    "udp open listening 0.0.0.0:500 - lsass.exe(696)",
    "udp open listening fe80::1:546 - svchost.exe(700)",
];

/// Letters that the texts here have, in code page 850.
fn code_page_850(text: &str) -> Vec<u8> {
    let byte = |letter: char| match letter {
        'Ö' => 0x99,
        'À' => 0xb7,
        'É' => 0x90,
        'é' => 0x82,
        'á' => 0xa0,
        'ó' => 0xa2,
        letter => u8::try_from(letter).unwrap(),
    };
    text.chars().map(byte).collect()
}

fn utf_16(text: &str, big_endian: bool, mark: bool) -> Vec<u8> {
    let mark = mark.then_some(0xfeff_u16);
    let units = mark.into_iter().chain(text.encode_utf16());
    let bytes = |unit: u16| {
        if big_endian {
            unit.to_be_bytes()
        } else {
            unit.to_le_bytes()
        }
    };
    units.flat_map(bytes).collect()
}

#[test]
fn a_list_in_german_in_every_encoding() {
    let latin = || {
        GERMAN
            .chars()
            .map(|letter| u8::try_from(letter).unwrap())
            .collect()
    };
    let encoded: [Vec<u8>; 7] = [
        GERMAN.as_bytes().to_vec(),
        format!("\u{feff}{GERMAN}").into_bytes(),
        code_page_850(GERMAN),
        latin(),
        utf_16(GERMAN, false, true),
        utf_16(GERMAN, true, true),
        utf_16(GERMAN, false, false),
    ];
    for bytes in encoded {
        let list = check(&bytes, "netstat output", &EXPECTED, 0);
        let unit = list.processes[&988].unit.as_ref().unwrap();
        assert_eq!(unit.lossy(), "RpcEptMapper");
        assert_eq!(list.processes[&4].unit, None);
        assert_eq!(list.processes.len(), 6);
    }
}

#[test]
fn lists_in_other_languages() {
    let check = |title: &str, header: &str, listen: &str, established: &str, state: &str| {
        let text = format!(
            "C:\\Users\\x> netstat -ano\r\n\r\n{title}\r\n\r\n  {header}\r\n  \
             TCP    0.0.0.0:135            0.0.0.0:0              {listen}       988\r\n  \
             TCP    10.0.0.5:50001         203.0.113.9:443        {established}     1244\r\n  \
             UDP    [::]:5353              *:*                                    1500\r\n\r\n\
             C:\\Users\\x>"
        );
        let expected = [
            "tcp listen listening 0.0.0.0:135 - (988)".to_owned(),
            format!("tcp {state} outbound 10.0.0.5:50001 203.0.113.9:443 (1244)"),
            "udp open listening :::5353 - (1500)".to_owned(),
        ];
        let expected = expected.each_ref().map(String::as_str);
        check(text.as_bytes(), "netstat output", &expected, 0);
    };
    check(
        "Active Connections",
        "Proto  Local Address          Foreign Address        State           PID",
        "LISTENING",
        "ESTABLISHED",
        "established",
    );
    check(
        "Connexions actives",
        "Proto  Adresse locale         Adresse distante       État            PID",
        "À L'ÉCOUTE",
        "ÉTABLIE",
        "established",
    );
    check(
        "Conexiones activas",
        "Proto  Dirección local        Dirección remota       Estado          PID",
        "ESCUCHANDO",
        "ESTABLECIDO",
        "established",
    );
    check(
        "Активные подключения",
        "Имя    Локальный адрес        Внешний адрес          Состояние       PID",
        "ПРОСЛУШИВАНИЕ",
        "УСТАНОВЛЕНО",
        "established",
    );
    check(
        "活动连接",
        "协议  本地地址          外部地址        状态           PID",
        "侦听",
        "已建立",
        "established",
    );
    check(
        "アクティブな接続",
        "プロトコル  ローカル アドレス          外部アドレス        状態           PID",
        "LISTENING",
        "ESTABLISHED",
        "established",
    );
    check(
        "Połączenia aktywne",
        "Protokół Adres lokalny        Obcy adres             Stan            PID",
        "NASŁUCHIWANIE",
        "USTANOWIONO",
        "established",
    );
    check(
        "Hokonga hohe",
        "Kawa  Whare         Tawhiti         Tūnga           PID",
        "WHAKARONGO",
        "TŪHONO",
        "unknown",
    );
}

#[test]
fn names_and_no_processes() {
    let text = "Active Connections\r\n\r\n  Proto  Local Address          Foreign Address        State\r\n  \
        TCP    desktop-bn:epmap       desktop-bn:0           LISTENING\r\n  \
        TCP    desktop-bn:50001       mail.example:imaps     ESTABLISHED     InHost\r\n";
    check(
        text.as_bytes(),
        "netstat output",
        &[
            "tcp listen listening ?:135 - -",
            "tcp established outbound ?:50001 mail.example:993 -",
        ],
        0,
    );
}

#[test]
fn what_is_no_row_is_counted() {
    let text = "Subject: the list you asked for\r\n\r\nHello, here it is: 17 rows\r\n\r\n  \
        Proto  Local Address          Foreign Address        State           PID\r\n  \
        TCP    0.0.0.0:135            0.0.0.0:0              LISTENING       988\r\n \
        [svchost.exe]\r\n  \
        TCP    0.0.0.0:99999          0.0.0.0:0              LISTENING       988\r\n\
        Best wishes\r\n";
    let list = check(
        text.as_bytes(),
        "netstat output",
        &["tcp listen listening 0.0.0.0:135 - svchost.exe(988)"],
        4,
    );
    let places: Vec<_> = list
        .skipped
        .first
        .iter()
        .map(|part| part.place.as_str())
        .collect();
    assert_eq!(places, ["line 1", "line 3", "line 8", "line 9"]);
}

#[test]
fn the_program_is_found_among_the_libraries() {
    let text = "  TCP    0.0.0.0:135            0.0.0.0:0              LISTENING       988\n  \
        c:\\windows\\system32\\WS2_32.dll\n  C:\\WINDOWS\\system32\\svchost.exe\n  \
        -- unknown component(s) --\n  [svchost.exe]\n";
    let list = read(text.as_bytes()).unwrap();
    let path = list.processes[&988].path.as_ref().unwrap();
    assert_eq!(path.lossy(), "C:\\WINDOWS\\system32\\svchost.exe");
    assert_eq!(list.skipped.count, 0);
}

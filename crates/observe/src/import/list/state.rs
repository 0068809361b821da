//! The states of TCP, in the words of tools and of many languages.

use model::State;

/// The state that a word stands for. `None`: a word that is not known.
///
/// Letters outside of ASCII come in any code page, or were lost: a word is also known by the others
/// that it has, and Cyrillic ones by their letters in Windows-1251 and code page 866.
pub(in super::super) fn state(word: &[u8]) -> Option<State> {
    let plain = ascii(word);
    let english = ENGLISH.iter().find(|(known, _)| *known == plain);
    if let Some((_, state)) = english {
        return Some(*state);
    }
    let spoken = word.trim_ascii();
    if spoken.is_empty() {
        return None;
    }
    let found = OTHERS.iter().find(|(known, _)| {
        let letters = ascii(known.as_bytes());
        known.as_bytes() == spoken
            || letters.len() >= 4 && letters == plain
            || cyrillic(known, 0xc0) == spoken
            || cyrillic(known, 0x80) == spoken
    });
    found.map(|(_, state)| *state)
}

/// Its letters and digits of ASCII, in capitals.
fn ascii(word: &[u8]) -> String {
    let letters = word.iter().filter(|byte| byte.is_ascii_alphanumeric());
    letters
        .map(|byte| char::from(byte.to_ascii_uppercase()))
        .collect()
}

/// In a code page that has its Cyrillic capitals in one row, the first of them at `first`. Empty: it
/// has other letters.
fn cyrillic(word: &str, first: u8) -> Vec<u8> {
    let letters = word.chars().map(|letter| match letter {
        '\u{0410}'..='\u{042f}' => u8::try_from(u32::from(letter) - 0x0410)
            .ok()
            .and_then(|nth| first.checked_add(nth)),
        _ => u8::try_from(letter).ok().filter(u8::is_ascii),
    });
    letters.collect::<Option<_>>().unwrap_or_default()
}

#[rustfmt::skip]
const ENGLISH: &[(&str, State)] = &[
    ("LISTEN", State::Listen), ("LISTENING", State::Listen),
    ("ESTABLISHED", State::Established), ("ESTAB", State::Established), ("CONNECTED", State::Established),
    ("SYNSENT", State::SynSent),
    ("SYNRECV", State::SynReceived), ("SYNRCVD", State::SynReceived), ("SYNRECEIVED", State::SynReceived),
    ("NEWSYNRECV", State::SynReceived),
    ("FINWAIT1", State::FinWait1), ("FINWAIT", State::FinWait1), ("FINWAIT2", State::FinWait2),
    ("CLOSEWAIT", State::CloseWait), ("CLOSING", State::Closing), ("LASTACK", State::LastAck),
    ("TIMEWAIT", State::TimeWait),
    ("CLOSED", State::Closed), ("CLOSE", State::Closed), ("DELETETCB", State::Closed),
    ("UNCONN", State::Closed), ("UNCONNECTED", State::Closed), ("IDLE", State::Closed),
    ("BOUND", State::Closed), ("BOUNDINACTIVE", State::Closed),
];

/// Windows has a few of them; others come from translations of netstat for Linux, and from people
/// who wrote a list down.
#[rustfmt::skip]
const OTHERS: &[(&str, State)] = &[
    // German
    ("ABHÖREN", State::Listen), ("HÖRT", State::Listen), ("LAUSCHEND", State::Listen),
    ("HERGESTELLT", State::Established), ("VERBUNDEN", State::Established),
    ("WARTEND", State::TimeWait), ("SCHLIESSEN_WARTEN", State::CloseWait),
    ("SYN_GESENDET", State::SynSent), ("SYN_EMPFANGEN", State::SynReceived),
    ("FIN_WARTEN_1", State::FinWait1), ("FIN_WARTEN_2", State::FinWait2),
    ("LETZTE_BEST", State::LastAck), ("LETZTES_ACK", State::LastAck),
    ("SCHLIESSEND", State::Closing), ("GESCHLOSSEN", State::Closed), ("GEBUNDEN", State::Closed),
    // Spanish
    ("ESCUCHANDO", State::Listen), ("ESCUCHA", State::Listen), ("ESCUCHAR", State::Listen),
    ("EN ESCUCHA", State::Listen), ("A LA ESCUCHA", State::Listen),
    ("ESTABLECIDO", State::Established), ("ESTABLECIDA", State::Established),
    ("CONECTADO", State::Established),
    ("ESPERA_TIEMPO", State::TimeWait), ("TIEMPO_ESPERA", State::TimeWait),
    ("ESPERA_CIERRE", State::CloseWait), ("CERRAR_ESPERA", State::CloseWait),
    ("SYN_ENVIADO", State::SynSent), ("SYN_RECIBIDO", State::SynReceived),
    ("FIN_ESPERA_1", State::FinWait1), ("FIN_ESPERA_2", State::FinWait2),
    ("ÚLTIMO_ACK", State::LastAck), ("CERRANDO", State::Closing), ("CERRADO", State::Closed),
    // French
    ("À L'ÉCOUTE", State::Listen), ("À L’ÉCOUTE", State::Listen), ("ÉCOUTE", State::Listen),
    ("EN ÉCOUTE", State::Listen),
    ("ÉTABLIE", State::Established), ("ÉTABLI", State::Established), ("CONNECTÉ", State::Established),
    ("TEMPS_ATTENTE", State::TimeWait), ("ATTENTE_FERMETURE", State::CloseWait),
    ("FERMETURE_ATTENTE", State::CloseWait), ("SYN_ENVOYÉ", State::SynSent), ("SYN_REÇU", State::SynReceived),
    ("FIN_ATTENTE_1", State::FinWait1), ("FIN_ATTENTE_2", State::FinWait2),
    ("DERNIER_ACK", State::LastAck), ("FERMETURE", State::Closing), ("FERMÉ", State::Closed),
    // Italian
    ("IN ASCOLTO", State::Listen), ("ASCOLTO", State::Listen),
    ("STABILITA", State::Established), ("STABILITO", State::Established),
    ("CONNESSO", State::Established), ("CONNESSA", State::Established),
    ("ATTESA_CHIUSURA", State::CloseWait), ("CHIUSURA_ATTESA", State::CloseWait),
    ("SYN_INVIATO", State::SynSent), ("SYN_RICEVUTO", State::SynReceived),
    ("IN CHIUSURA", State::Closing), ("CHIUSO", State::Closed),
    // Portuguese
    ("OUVINDO", State::Listen), ("ESCUTANDO", State::Listen), ("ESCUTA", State::Listen),
    ("À ESCUTA", State::Listen), ("EM ESCUTA", State::Listen),
    ("ESTABELECIDA", State::Established), ("ESTABELECIDO", State::Established),
    ("ESPERA_FECHAR", State::CloseWait), ("SYN_RECEBIDO", State::SynReceived),
    ("FECHANDO", State::Closing), ("FECHADO", State::Closed), ("FECHADA", State::Closed),
    // Dutch
    ("LUISTEREN", State::Listen), ("LUISTEREND", State::Listen), ("LUISTERT", State::Listen),
    ("BEZIG MET LUISTEREN", State::Listen), ("VERBONDEN", State::Established),
    ("TOT STAND GEBRACHT", State::Established), ("GESLOTEN", State::Closed),
    // Swedish, Danish, Norwegian, Finnish
    ("LYSSNAR", State::Listen), ("LYTTER", State::Listen), ("LYTTENDE", State::Listen),
    ("KUUNTELEE", State::Listen), ("KUUNTELU", State::Listen), ("KUUNNELLAAN", State::Listen),
    ("UPPRÄTTAD", State::Established), ("ETABLERAD", State::Established),
    ("ETABLERET", State::Established), ("ETABLERT", State::Established),
    ("OPRETTET", State::Established), ("OPPRETTET", State::Established),
    ("MUODOSTETTU", State::Established), ("YHDISTETTY", State::Established),
    // Polish, Czech, Slovak, Hungarian, Romanian, Turkish
    ("NASŁUCHIWANIE", State::Listen), ("NASŁUCHUJE", State::Listen),
    ("USTANOWIONO", State::Established), ("USTANOWIONE", State::Established), ("POŁĄCZONO", State::Established),
    ("CZAS_OCZEKIWANIA", State::TimeWait), ("ZAMKNIĘTE", State::Closed), ("ZAMKNIĘTO", State::Closed),
    ("NASLOUCHÁNÍ", State::Listen), ("NASLOUCHÁ", State::Listen), ("POČÚVANIE", State::Listen),
    ("NAVÁZÁNO", State::Established), ("VYTVOŘENO", State::Established), ("NADVIAZANÉ", State::Established),
    ("FIGYELÉS", State::Listen), ("FIGYEL", State::Listen),
    ("LÉTREHOZVA", State::Established), ("KAPCSOLÓDVA", State::Established),
    ("ASCULTARE", State::Listen), ("STABILITĂ", State::Established),
    ("DİNLENİYOR", State::Listen), ("DİNLİYOR", State::Listen), ("KURULDU", State::Established),
    ("BAĞLANDI", State::Established),
    // Russian, Ukrainian, Greek
    ("ПРОСЛУШИВАНИЕ", State::Listen), ("СЛУШАЕТ", State::Listen), ("СЛУШАНИЕ", State::Listen),
    ("УСТАНОВЛЕНО", State::Established), ("УСТАНОВЛЕНА", State::Established), ("СОЕДИНЕНО", State::Established),
    ("ОЖИДАНИЕ", State::TimeWait), ("ЗАКРЫТО", State::Closed),
    ("ПРОСЛУХОВУВАННЯ", State::Listen), ("ВСТАНОВЛЕНО", State::Established),
    ("ΑΚΡΟΑΣΗ", State::Listen), ("ΣΕ ΑΚΡΟΑΣΗ", State::Listen), ("ΕΓΚΑΤΕΣΤΗΜΕΝΗ", State::Established),
    // Chinese, Japanese, Korean
    ("侦听", State::Listen), ("监听", State::Listen), ("正在侦听", State::Listen), ("接聽", State::Listen),
    ("監聽", State::Listen), ("已建立", State::Established), ("已连接", State::Established), ("已連線", State::Established),
    ("リッスン", State::Listen), ("リスニング", State::Listen), ("待ち受け", State::Listen),
    ("確立", State::Established), ("接続済み", State::Established),
    ("수신 대기", State::Listen), ("대기", State::Listen), ("연결됨", State::Established), ("설정됨", State::Established),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(word: &[u8], expected: Option<State>) {
        assert_eq!(state(word), expected, "{}", word.escape_ascii());
    }

    #[test]
    fn knows_a_word_in_any_code_page() {
        check("ABHÖREN".as_bytes(), Some(State::Listen));
        check(b"ABH\x99REN", Some(State::Listen));
        check(b"ABH\xd6REN", Some(State::Listen));
        check(b"ABHREN", Some(State::Listen));
        check("ABH\u{fffd}REN".as_bytes(), Some(State::Listen));
        check(b"\xb7 L'\x90COUTE", Some(State::Listen));
        check("УСТАНОВЛЕНО".as_bytes(), Some(State::Established));
        check(
            b"\x93\x91\x92\x80\x8d\x8e\x82\x8b\x85\x8d\x8e",
            Some(State::Established),
        );
        check(
            b"\xd3\xd1\xd2\xc0\xcd\xce\xc2\xcb\xc5\xcd\xce",
            Some(State::Established),
        );
    }

    #[test]
    fn knows_the_words_of_every_tool() {
        check(b"FIN_WAIT_2", Some(State::FinWait2));
        check(b"FIN-WAIT-2", Some(State::FinWait2));
        check(b"FIN_WAIT2", Some(State::FinWait2));
        check(b"Syn Sent", Some(State::SynSent));
        check(b"", None);
        check(b"7", None);
        check(b"WORD", None);
        check(b"\xc9\xca", None);
    }

    #[test]
    fn no_word_stands_for_two_states() {
        for (one, of_one) in ENGLISH.iter().chain(OTHERS) {
            check(one.as_bytes(), Some(*of_one));
        }
    }
}

//! How texts are cut into tokens, and what is refused on the way.

use super::*;

/// `expected` is the tokens in short form, or a part of the error.
fn check(text: &str, expected: &str) {
    let mut lexer = Lexer::new(text);
    let mut found = Vec::new();
    let read = loop {
        match lexer.next() {
            Ok(Some(placed)) => found.push(short(placed.token)),
            Ok(None) => break found.join(" "),
            Err(error) => break error.to_string(),
        }
    };
    if expected.starts_with("! ") {
        assert!(
            read.contains(expected.trim_start_matches("! ")),
            "{text}: {read}"
        );
    } else {
        assert_eq!(read, expected, "{text}");
    }
}

fn short(token: Token) -> String {
    match token {
        Token::Open => "(".to_owned(),
        Token::Close => ")".to_owned(),
        Token::And => "AND".to_owned(),
        Token::Or => "OR".to_owned(),
        Token::Not => "NOT".to_owned(),
        Token::FreeText(text) => format!("<{text}>"),
        Token::Fact { key, values } => {
            let values: Vec<_> = values.iter().map(Value::to_string).collect();
            format!("{}={}", key.word(), values.join("|"))
        }
    }
}

#[test]
fn terms() {
    check("proc:curl Port:80,443", "proc=curl port=80|443");
    check("proc:\"my prog\",b", "proc=\"my prog\"|b");
    check("Free \"Two Words\" a,b", "<free> <two words> <a,b>");
    check("(a or b)and not c", "( <a> OR <b> ) AND NOT <c>");
    check("-proc:a -(b) NOT(c)", "NOT proc=a NOT ( <b> ) NOT ( <c> )");
    check("proc:-bash a-b", "proc=-bash <a-b>");
    check("\"or\" \"-\"", "<or> <->");
}

#[test]
fn escapes() {
    check(r#""a\"b\\c""#, r#"<a"b\c>"#);
    check(
        r#"exe:"C:\Program Files\x""#,
        r#"exe="C:\\Program Files\\x""#,
    );
    check(r#"exe:"C:\x\\""#, r"exe=C:\x\");
    check(r#"exe:"C:\x\""#, "! for a backslash write \\\\");
    check(r"exe:C:\Users\*", r"exe=C:\Users\*");
    check("\"open", "! this quote is not closed");
    check("proc:\"\"", "! nothing stands between the quotes");
}

#[test]
fn addresses() {
    check(
        "dst:fe80::1 dst:[::1] dst:2001:db8::/32",
        "dst=fe80::1 dst=::1 dst=2001:db8::/32",
    );
    check("::1 [FE80::1] 192.0.2.7", "<::1> <fe80::1> <192.0.2.7>");
    check("192.0.2.7:443", "! write dst:192.0.2.7 port:443");
    check("2001:db8::/32", "! write dst:2001:db8::/32");
}

#[test]
fn unknown_keys() {
    check(
        "prco:curl",
        "! unknown key 'prco:'\n  prco:curl\n  ^^^^\nhelp: did you mean 'proc:'?",
    );
    check("remote:10.0.0.1", "! did you mean 'dst:'?");
    check("!proc:curl", "! write -proc:curl");
    check(
        "https://example.com",
        "! write \"https://example.com\"; keys are proc, pid",
    );
    check(":80", "! no key stands before ':'");
    check("\u{1b}]0;x:y", "! unknown key '‹U+001B›]0;x:'");
}

#[test]
fn what_looks_like_a_term_and_is_none() {
    check("a && b", "! write 'and'");
    check("up>10MB", "! write up:>10MB, or \"up>10MB\"");
    check("*.example.com", "! write \"*.example.com\"");
    check("port!=80", "! write -port:80");
    check("--proc:a", "! '--' is not a term");
    check("- a", "! nothing follows '-'");
    check("proc: curl", "! 'proc:' has no value");
    check("port:80, 443", "! a value of 'port:' is missing");
    check("proc:(a or b)", "! write proc:this,that");
    check("proc:a(b)", "! put a space before the bracket");
    check("proc:my\" prog\"", "! put the whole value between quotes");
    check("\"a\"b", "! it is not clear where this term ends");
}

#![no_main]
//! What a TLS client greets with, whole and cut short, and its fingerprint.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;
use parse::ja4::Transport;
use parse::tls::ClientHello;

fuzz_target!(|data: &[u8]| {
    let _ = parse::tls::record(data);
    let _ = parse::tls::chooses_encryption(data);
    let _ = parse::tls::first_certificate(data);
    for is_datagram in [false, true] {
        let Some(hello) = ClientHello::read(data, is_datagram) else {
            continue;
        };
        assert!(hello.server_name().is_none_or(|name| !name.is_empty()));
        assert!(hello.protocols().count() <= 32);
        let ja4 = parse::ja4::ja4(&hello, Transport::Tcp);
        assert_eq!(ja4.is_some(), hello.is_whole);
        assert!(ja4.is_none_or(|ja4| ja4.bytes().len() == 36 && ja4.as_utf8().is_some()));
    }
    if let Some(part) = ClientHello::part(data) {
        assert_eq!(parse::ja4::ja4(&part, Transport::Quic), None);
    }
});

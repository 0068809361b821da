//! Addresses written backwards, as DNS has them below `in-addr.arpa` (RFC 1035, 3.5) and `ip6.arpa`
//! (RFC 3596, 2.5).

use std::net::IpAddr;

/// `4.3.2.1`, or 32 digits with dots between them.
pub(super) fn backwards(address: IpAddr) -> String {
    let labels: Vec<String> = match address.to_canonical() {
        IpAddr::V4(address) => address.octets().iter().rev().map(u8::to_string).collect(),
        IpAddr::V6(address) => {
            let octets = address.octets();
            let digits = octets
                .iter()
                .rev()
                .flat_map(|octet| [octet & 0xf, octet >> 4]);
            digits.map(|digit| format!("{digit:x}")).collect()
        }
    };
    labels.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_as_dns_has_it() {
        let check = |address: &str, expected: &str| {
            assert_eq!(backwards(address.parse().unwrap()), expected);
        };
        check("192.0.2.7", "7.2.0.192");
        check("::ffff:192.0.2.7", "7.2.0.192");
        check(
            "2001:db8::567:89ab",
            "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2",
        );
    }
}

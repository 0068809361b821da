//! The words by which formats name kinds of values: types of MISP, of Zeek's intelligence files, of
//! TinyCheck, and what heads columns.

use model::{IndicatorValue, UncheckedKind};

use super::value::{address, bare, fanged, guess, hash, name, path, range, url};

/// What stands under a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Address,
    Name,
    /// A name that stands for what is below it as well.
    NameBelow,
    NameAndAddress,
    Url,
    Hash,
    /// The name of a file, and its hash behind a `|`.
    FileAndHash,
    FileName,
    Path,
    ProcessName,
    Unchecked(UncheckedKind),
}

/// Letters and digits, small, with `_` between them.
pub(super) fn normal(word: &str) -> String {
    let mut normal = String::with_capacity(word.len().min(64));
    for character in word.trim().chars().take(64) {
        if character.is_ascii_alphanumeric() {
            normal.push(character.to_ascii_lowercase());
        } else if !normal.ends_with('_') && !normal.is_empty() {
            normal.push('_');
        }
    }
    normal.trim_end_matches('_').to_owned()
}

/// `None`: a word that says nothing here.
pub(super) fn of(word: &str) -> Option<Word> {
    let word = normal(word);
    let word = word.strip_prefix("intel_").unwrap_or(&word);
    Some(match word {
        "ip" | "ips" | "ip_src" | "ip_dst" | "src_ip" | "dst_ip" | "dest_ip" | "ip_address"
        | "ipaddress" | "ip_addr" | "ipaddr" | "address" | "addr" | "ipv4" | "ipv6" | "ip4"
        | "ip6" | "ipv4_addr" | "ipv6_addr" | "ip4addr" | "ip6addr" | "ipv4_address"
        | "ipv6_address" | "ip_port" | "ip_src_port" | "ip_dst_port" | "dst_ip_address"
        | "host_ip" | "cidr" | "cidr4" | "cidr6" | "network" | "subnet" | "netblock" | "prefix"
        | "ip_range" | "ip_prefix" | "range" | "c2_ip" => Word::Address,
        "domain" | "domains" | "domain_name" | "hostname" | "host" | "fqdn" | "host_name"
        | "hostname_port" | "dns" | "domain_host" | "c2_domain" => Word::Name,
        "domain_ip" => Word::NameAndAddress,
        "url" | "uri" | "urls" => Word::Url,
        "md5"
        | "sha1"
        | "sha256"
        | "sha512"
        | "hash"
        | "md5_hash"
        | "sha1_hash"
        | "sha256_hash"
        | "sha512_hash"
        | "file_hash"
        | "hash_md5"
        | "hash_sha1"
        | "hash_sha256"
        | "filehash"
        | "filehash_md5"
        | "filehash_sha1"
        | "filehash_sha256"
        | "hashes"
        | "sha_256"
        | "sha_1"
        | "malware_sample_hash" => Word::Hash,
        "filename_md5" | "filename_sha1" | "filename_sha256" | "filename_sha512"
        | "malware_sample" => Word::FileAndHash,
        "filename" | "file_name" => Word::FileName,
        "path" | "file_path" | "filepath" | "full_path" => Word::Path,
        "process" | "process_name" | "processname" => Word::ProcessName,
        "package" | "package_name" | "app_id" | "appid" | "mobile_application_id" | "bundle_id" => {
            Word::Unchecked(UncheckedKind::App)
        }
        "certificate"
        | "cert"
        | "cert_hash"
        | "x509_fingerprint_sha1"
        | "x509_fingerprint_md5"
        | "x509_fingerprint_sha256" => Word::Unchecked(UncheckedKind::Certificate),
        "email" | "email_address" | "email_src" | "email_dst" | "e_mail" => {
            Word::Unchecked(UncheckedKind::Email)
        }
        "regkey"
        | "mutex"
        | "named_pipe"
        | "ja3_fingerprint_md5"
        | "ja3"
        | "ja3s"
        | "ja4"
        | "jarm_fingerprint"
        | "user_agent"
        | "http_method"
        | "pattern_in_file"
        | "pattern_in_traffic"
        | "yara"
        | "snort"
        | "sigma"
        | "btc"
        | "phone_number"
        | "asn"
        | "imphash"
        | "ssdeep"
        | "tlsh"
        | "authentihash"
        | "sha224"
        | "sha384"
        | "filename_imphash"
        | "filename_ssdeep" => Word::Unchecked(UncheckedKind::Other),
        _ => return None,
    })
}

/// The values of one text under a word; several where it has two parts, or is a range. Empty: it is
/// not what the word says.
pub(super) fn values(word: Word, text: &str) -> Vec<IndicatorValue> {
    let text = fanged(bare(text));
    let one = match word {
        Word::Address => match address(&text) {
            Some(value) => Some(value),
            None => return range(&text).unwrap_or_default(),
        },
        Word::Name | Word::NameBelow => {
            // Some lists have an address, or a name with a path or a port, where a name should be.
            let named = name(&text).map(|value| below(value, word == Word::NameBelow));
            named
                .or_else(|| address(&text))
                .or_else(|| of_port(&text))
                .or_else(|| url(&text, true))
        }
        Word::NameAndAddress => {
            let (first, second) = text.split_once('|').unwrap_or((&text, ""));
            return name(first).into_iter().chain(address(second)).collect();
        }
        Word::Url => url(&text, true),
        Word::Hash => hash(&text),
        Word::FileAndHash => {
            let (_, second) = text.rsplit_once('|').unwrap_or(("", &text));
            hash(second)
        }
        Word::FileName => last_part(&text).map(IndicatorValue::FileName),
        // Without a beginning it may be anywhere.
        Word::Path => path(&text).or_else(|| {
            text.contains(['/', '\\'])
                .then(|| IndicatorValue::Unchecked {
                    kind: UncheckedKind::Part,
                    value: text.clone(),
                })
        }),
        Word::ProcessName => (!text.is_empty()).then(|| IndicatorValue::ProcessName(text.clone())),
        Word::Unchecked(kind) => (!text.is_empty()).then(|| IndicatorValue::Unchecked {
            kind,
            value: text.clone(),
        }),
    };
    one.into_iter().collect()
}

/// Where no word says what it is.
pub(super) fn guessed(text: &str) -> Vec<IndicatorValue> {
    guess(text).map_or_else(
        || range(bare(text)).unwrap_or_default(),
        |value| vec![value],
    )
}

fn below(mut value: IndicatorValue, also: bool) -> IndicatorValue {
    if let IndicatorValue::Name { below, .. } = &mut value {
        *below |= also;
    }
    value
}

/// `evil.example:8080`, `evil.example|8080`.
fn of_port(text: &str) -> Option<IndicatorValue> {
    let (host, port) = text.rsplit_once([':', '|'])?;
    port.parse::<u16>().ok()?;
    name(host)
}

fn last_part(text: &str) -> Option<String> {
    let last = text.rsplit(['/', '\\']).next()?;
    (!last.is_empty()).then(|| last.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(word: &str, text: &str, expected: &[&str]) {
        let word = of(word).unwrap_or_else(|| panic!("{word}"));
        let values = values(word, text);
        let values: Vec<_> = values
            .iter()
            .map(|value| format!("{} {value}", value.kind().word()))
            .collect();
        assert_eq!(values, expected);
    }

    #[test]
    fn words_of_several_formats_are_known() {
        check("ip-dst|port", "192.0.2.1|443", &["address 192.0.2.1"]);
        check(
            "domain|ip",
            "evil.example|192.0.2.1",
            &["name evil.example", "address 192.0.2.1"],
        );
        check(
            "filename|md5",
            &format!("a|b.exe|{}", "0".repeat(32)),
            &[&format!("hash {}", "0".repeat(32))],
        );
        check("Intel::DOMAIN", "evil.example", &["name evil.example"]);
        check("ip4addr", "192.0.2.1", &["address 192.0.2.1"]);
        check("Package Name", "com.spy", &["app com.spy"]);
        check("domain", "evil.example/x", &["url evil.example/x"]);
        check("domain", "192.0.2.1", &["address 192.0.2.1"]);
        check("hostname|port", "evil.example|8080", &["name evil.example"]);
        check("ip", "192.0.2.0-192.0.2.3", &["network 192.0.2.0/30"]);
        check("sha256", "none", &[]);
        assert_eq!(of("count"), None);
    }
}

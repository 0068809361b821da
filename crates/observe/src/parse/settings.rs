//! Text files that say how a computer is set up: os-release(5), nsswitch.conf(5), environment(5).

use model::Text;

/// What the system calls itself for people: `PRETTY_NAME` of os-release(5).
pub(crate) fn pretty_name(file: &[u8]) -> Option<Text> {
    let value = lines(file).find_map(|line| line.strip_prefix(b"PRETTY_NAME="))?;
    let quoted = value
        .strip_prefix(b"\"")
        .and_then(|value| value.strip_suffix(b"\""))
        .or_else(|| {
            value
                .strip_prefix(b"'")
                .and_then(|value| value.strip_suffix(b"'"))
        });
    let name = quoted.unwrap_or(value);
    (!name.is_empty()).then(|| name.into())
}

/// Where names of hosts are looked up, in order: `files mdns4_minimal [NOTFOUND=return] dns`.
pub(crate) fn hosts_line(file: &[u8]) -> Option<Text> {
    let value = lines(file).find_map(|line| line.strip_prefix(b"hosts:"))?;
    Some(value.trim_ascii().into())
}

/// The lines that set a proxy.
pub(crate) fn proxies(file: &[u8]) -> impl Iterator<Item = Text> {
    lines(file).filter_map(|line| {
        let line = line.strip_prefix(b"export ").unwrap_or(line);
        let name = line
            .split(|byte| *byte == b'=')
            .next()?
            .to_ascii_lowercase();
        (name.len() < line.len() && !name.starts_with(b"#") && name.ends_with(b"_proxy"))
            .then(|| line.into())
    })
}

fn lines(file: &[u8]) -> impl Iterator<Item = &[u8]> {
    file.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_system_has_a_name() {
        let check = |file: &str, expected: Option<&str>| {
            assert_eq!(pretty_name(file.as_bytes()), expected.map(Text::from));
        };
        check("ID=x\nPRETTY_NAME=\"Debian 13\"\n", Some("Debian 13"));
        check("PRETTY_NAME='Alpine'", Some("Alpine"));
        check("PRETTY_NAME=Void\n", Some("Void"));
        check("PRETTY_NAME=\"\"\n", None);
        check("NAME=Debian\n", None);
    }

    #[test]
    fn names_are_looked_up_in_an_order() {
        let file = b"# hosts: no\npasswd: files\nhosts:\t files dns [!UNAVAIL=return]\n";
        let expected = Text::from("files dns [!UNAVAIL=return]");
        assert_eq!(hosts_line(file), Some(expected));
        assert_eq!(hosts_line(b"passwd: files"), None);
    }

    #[test]
    fn proxies_are_found() {
        let file =
            b"PATH=/bin\nhttps_proxy=http://a:3128\nexport HTTP_PROXY=b\n#ftp_proxy=c\nx_proxy\n";
        let expected = ["https_proxy=http://a:3128", "HTTP_PROXY=b"].map(Text::from);
        assert_eq!(proxies(file).collect::<Vec<_>>(), expected);
    }

    proptest! {
        #[test]
        fn never_panics(file: Vec<u8>) {
            let _ = pretty_name(&file);
            let _ = hosts_line(&file);
            let longest = proxies(&file).map(|line| line.bytes().len()).max();
            prop_assert!(longest.unwrap_or(0) <= file.len());
        }
    }
}

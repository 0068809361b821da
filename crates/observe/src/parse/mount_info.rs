//! `/proc/PID/mountinfo` (proc(5)).

/// Where a network namespace is mounted, if this line tells of one: the root of such a mount is
/// `net:[NUMBER]`.
pub(crate) fn namespace_mount(line: &[u8]) -> Option<Vec<u8>> {
    let mut fields = line.split(|byte| *byte == b' ').skip(3);
    let (root, mount_point) = (fields.next()?, fields.next()?);
    root.starts_with(b"net:[").then(|| unescaped(mount_point))
}

/// Space, tab, newline and backslash are written as `\\NNN` in octal.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        rest = after;
        let digits = after.first_chunk::<3>().filter(|_| *byte == b'\\');
        match digits.and_then(octal) {
            Some(code) => {
                result.push(code);
                rest = after.get(3..).unwrap_or_default();
            }
            None => result.push(*byte),
        }
    }
    result
}

fn octal(digits: &[u8; 3]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(line: &[u8], expected: Option<&[u8]>) {
        assert_eq!(namespace_mount(line).as_deref(), expected);
    }

    #[test]
    fn finds_mounted_namespaces() {
        check(
            b"603 29 0:4 net:[4026532178] /run/netns/a\\040b rw shared:2 - nsfs nsfs rw",
            Some(b"/run/netns/a b"),
        );
        check(
            b"603 29 0:4 net:[1] /run/\\9\\134\xff rw - nsfs nsfs rw",
            Some(b"/run/\\9\\\xff"),
        );
        check(b"24 29 0:22 / /sys rw - sysfs sysfs rw", None);
        check(b"", None);
    }

    proptest! {
        #[test]
        fn never_panics(line: Vec<u8>) {
            let _ = namespace_mount(&line);
            prop_assert!(unescaped(&line).len() <= line.len());
        }
    }
}

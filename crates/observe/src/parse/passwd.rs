//! `/etc/passwd` (passwd(5)).

use std::collections::{HashMap, HashSet};

use super::proc_pid::decimal;

/// LOGIN_NAME_MAX (limits.h): no program can log in under a longer name.
const LONGEST_NAME: usize = 256;

/// The names of the users by id; of several with one id the first, as getpwuid(3) chooses. Odd
/// lines are skipped: comments, entries of NIS (`+`, `-`), too few fields.
pub(crate) fn user_names(file: &[u8]) -> HashMap<u32, &[u8]> {
    let mut names = HashMap::new();
    for (uid, name) in file.split(|byte| *byte == b'\n').filter_map(entry) {
        names.entry(uid).or_insert(name);
    }
    names
}

/// The home folders of all users, each once, in the order of the file.
pub(crate) fn homes(file: &[u8]) -> Vec<&[u8]> {
    let mut homes = Vec::new();
    for line in file.split(|byte| *byte == b'\n') {
        let home = entry(line).and_then(|_| line.split(|byte| *byte == b':').nth(5));
        homes.extend(home.filter(|home| home.starts_with(b"/")));
    }
    let mut seen = HashSet::new();
    homes.retain(|home| seen.insert(*home));
    homes
}

/// User id and name of one line.
fn entry(line: &[u8]) -> Option<(u32, &[u8])> {
    let mut fields = line.trim_ascii_start().split(|byte| *byte == b':');
    let name = fields.next()?;
    let _password = fields.next()?;
    let uid = decimal(fields.next()?)?;
    let _group: u32 = decimal(fields.next()?)?;
    let odd = name.len() > LONGEST_NAME || matches!(name.first(), None | Some(b'#' | b'+' | b'-'));
    (!odd).then_some((uid, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FILE: &str = "\
# comment:x:1000:1000::/:/bin/sh
root:x:0:0:root:/root:/bin/bash
+nis:x:1000:1000:::
broken
:x:1000:1000::/:/bin/sh
odd:x:+1000:1000::/:
odd:x:1000
odd:x:1000:group::/:
alice:x:1000:1000:Alice,,,:/home/alice:/bin/bash
second:x:1000:1000::/:/bin/sh
 blank:x:1001:1001::/:/bin/sh
big:x:4294967295:0::/:
bigger:x:4294967296:0::/:";

    fn check(uid: u32, expected: Option<&str>) {
        assert_eq!(
            user_names(FILE.as_bytes()).get(&uid).copied(),
            expected.map(str::as_bytes)
        );
    }

    #[test]
    fn finds_each_home_once() {
        let expected = ["/root", "/home/alice", "/"].map(str::as_bytes);
        assert_eq!(homes(FILE.as_bytes()), expected);
    }

    #[test]
    fn finds_the_first_sound_line() {
        check(0, Some("root"));
        check(1000, Some("alice"));
        check(1001, Some("blank"));
        check(u32::MAX, Some("big"));
        check(1, None);
    }

    #[test]
    fn skips_names_nobody_can_have() {
        let file = format!(
            "{}:x:7:7::/:\nbob:x:7:7::/:\n",
            "a".repeat(LONGEST_NAME + 1)
        );
        assert_eq!(
            user_names(file.as_bytes()).get(&7).copied(),
            Some(&b"bob"[..])
        );
    }

    proptest! {
        #[test]
        fn never_panics(file: Vec<u8>, uid: u32) {
            let _ = user_names(&file).get(&uid).copied();
        }

        #[test]
        fn finds_what_was_written(name in "[a-z_][a-z0-9_-]{0,31}", uid: u32, gid: u32) {
            let file = format!("{name}:x:{uid}:{gid}:,,,:/home/{name}:/bin/sh\n");
            prop_assert_eq!(user_names(file.as_bytes()).get(&uid).copied(), Some(name.as_bytes()));
        }
    }
}

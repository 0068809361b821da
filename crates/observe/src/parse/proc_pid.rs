//! Files of `/proc/PID` (proc(5); kernel: fs/proc/array.c, fs/proc/base.c): bytes in, facts out.

use model::Text;

/// PF_KTHREAD (include/linux/sched.h).
const KERNEL_THREAD: u32 = 0x0020_0000;

/// What `/proc/PID/stat` tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    /// As the process wrote it: any byte but NUL may be in it.
    pub(crate) name: Text,
    /// It has ended; what is left waits for its parent, or for its other threads.
    pub(crate) dead: bool,
    /// 0: none in this PID namespace.
    pub(crate) parent: u32,
    pub(crate) kernel_thread: bool,
    pub(crate) threads: u32,
    /// In units of 10 ms since boot.
    pub(crate) start_ticks: u64,
    /// An exec has begun and not ended: the program is there, its arguments are not.
    pub(crate) in_exec: bool,
    /// Where its stack begins: each exec moves it. 0: no right to see it, or no memory.
    pub(crate) stack: u64,
}

/// Reads `/proc/PID/stat`; `None` when it is not one. The name stands in brackets and may contain
/// brackets itself, so that only the last `)` ends it.
pub(crate) fn stat(file: &[u8]) -> Option<Stat> {
    let begin = file.iter().position(|byte| *byte == b'(')?;
    let end = file.iter().rposition(|byte| *byte == b')')?;
    let name = file.get(begin + 1..end)?;
    let mut fields = file
        .get(end + 1..)?
        .trim_ascii()
        .split(|byte| *byte == b' ');
    let state = *fields.next()?.first()?;
    // `nth` counts from the field after the last one read; proc(5) counts from 1.
    let parent = decimal(fields.next()?)?;
    let flags: u32 = decimal(fields.nth(9 - 5)?)?;
    let threads = decimal(fields.nth(20 - 10)?)?;
    let start_ticks = decimal(fields.nth(22 - 21)?)?;
    // Where the code begins: 1 without the right to see it, and set when all else is.
    let code: u64 = decimal(fields.nth(26 - 23)?)?;
    let stack = decimal(fields.nth(28 - 27)?)?;
    let dead = matches!(state, b'Z' | b'X' | b'x');
    let kernel_thread = flags & KERNEL_THREAD != 0;
    Some(Stat {
        name: name.into(),
        dead,
        in_exec: code == 0 && !dead && !kernel_thread,
        parent,
        kernel_thread,
        threads,
        start_ticks,
        stack,
    })
}

/// Takes `/proc/PID/cmdline` apart: the first `most` arguments, and whether there were more.
///
/// A program that wrote its own title over its arguments has one, without the NULs that fill the
/// rest of the room.
pub(crate) fn arguments(file: &[u8], most: usize) -> (Vec<Text>, bool) {
    if file.is_empty() {
        return (Vec::new(), false);
    }
    let length = file
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    let title = file.get(..length).unwrap_or_default();
    if !title.is_empty() && !title.contains(&0) && file.len() - length > 2 {
        return (vec![title.into()], false);
    }
    let mut parts = file
        .strip_suffix(&[0])
        .unwrap_or(file)
        .split(|byte| *byte == 0);
    let arguments = parts.by_ref().take(most).map(Text::from).collect();
    (arguments, parts.next().is_some())
}

/// The number in the link of `/proc/PID/ns/KIND`: `net:[4026531840]`.
pub(crate) fn namespace(link: &[u8]) -> Option<u32> {
    let open = link.iter().position(|byte| *byte == b'[')?;
    decimal(link.get(open + 1..)?.strip_suffix(b"]")?)
}

/// Whether `/proc` is mounted so that it conceals the processes of others, from
/// `/proc/self/mountinfo` (proc(5): mount option `hidepid`).
pub(crate) fn conceals_processes(mountinfo: &[u8]) -> bool {
    // What is mounted last on a place stands last and covers the others.
    let options = mountinfo
        .split(|byte| *byte == b'\n')
        .filter_map(proc_options)
        .next_back();
    options.is_some_and(|options| {
        options
            .split(|byte| *byte == b',')
            .filter_map(|option| option.strip_prefix(b"hidepid="))
            .any(|value| !matches!(value, b"0" | b"off"))
    })
}

/// The options of the file system, when the line is about one of type proc on `/proc`.
fn proc_options(line: &[u8]) -> Option<&[u8]> {
    let mut fields = line.split(|byte| *byte == b' ');
    (fields.nth(4)? == b"/proc").then_some(())?;
    // A varying number of optional fields ends with a hyphen.
    fields.by_ref().find(|field| *field == b"-")?;
    (fields.next()? == b"proc").then_some(())?;
    fields.nth(1)
}

/// A number in decimal digits and nothing else.
pub(super) fn decimal<T: std::str::FromStr>(digits: &[u8]) -> Option<T> {
    digits.iter().all(u8::is_ascii_digit).then_some(())?;
    str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The fields of `stat` after the name, of a real process.
    const AFTER: &str = " S 22405 22405 20956 0 -1 4194304 103 0 0 0 0 0 0 0 20 0 3 0 176490 \
         3133440 390 18446744073709551615 94252535939072 94252535958953 140721268388176 0 0 0\n";

    fn check_name(name: &[u8]) {
        let mut file = b"4242 (".to_vec();
        file.extend(name);
        file.push(b')');
        file.extend(AFTER.as_bytes());
        let expected = Stat {
            name: name.into(),
            dead: false,
            in_exec: false,
            parent: 22405,
            kernel_thread: false,
            threads: 3,
            start_ticks: 176_490,
            stack: 140_721_268_388_176,
        };
        assert_eq!(stat(&file), Some(expected));
    }

    #[test]
    fn reads_any_name() {
        check_name(b"cat");
        check_name(b"");
        check_name(b") R 1 2");
        check_name(b"a) S 1 (b");
        check_name(b"(sd-pam)");
        check_name(b"\x1b[31mred\n\xff");
        check_name(b"Web Content");
    }

    #[test]
    fn knows_kernel_threads_and_the_dead() {
        let kthreadd = b"2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 24 0 0 \
            18446744073709551615 0 0 0 0 0 0 0 2147483647 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n";
        let read = stat(kthreadd).unwrap();
        assert!(read.kernel_thread && !read.dead && read.parent == 0 && read.start_ticks == 24);
        let zombie = b"77 (true) Z 1 77 77 0 -1 4194316 0 0 0 0 0 0 0 0 20 0 1 0 99 0 0 0 0 0 0";
        let read = stat(zombie).unwrap();
        assert!(read.dead && read.stack == 0 && !read.kernel_thread && !read.in_exec);
    }

    #[test]
    fn knows_an_exec_that_has_not_ended() {
        let begun = AFTER.replace(" 94252535939072 ", " 0 ");
        assert!(stat(format!("1 (a){begun}").as_bytes()).unwrap().in_exec);
        let concealed = AFTER.replace(" 94252535939072 ", " 1 ");
        assert!(
            !stat(format!("1 (a){concealed}").as_bytes())
                .unwrap()
                .in_exec
        );
    }

    #[test]
    fn refuses_what_is_not_a_stat() {
        for file in [
            &b""[..],
            b"1 (a",
            b"1 )a(",
            b"1 (a)",
            b"1 (a) S",
            b"1 (a) S x 1 1 1 1 1",
        ] {
            assert_eq!(stat(file), None, "{}", file.escape_ascii());
        }
    }

    fn check_arguments(file: &[u8], expected: &[&str], more: bool) {
        let expected = expected
            .iter()
            .map(|argument| Text::from(*argument))
            .collect();
        assert_eq!(
            arguments(file, 4),
            (expected, more),
            "{}",
            file.escape_ascii()
        );
    }

    #[test]
    fn splits_arguments() {
        check_arguments(b"", &[], false);
        check_arguments(
            b"curl\0-s\0https://example.com\0",
            &["curl", "-s", "https://example.com"],
            false,
        );
        check_arguments(b"sh\0-c\0\0", &["sh", "-c", ""], false);
        check_arguments(b"grep\0\0", &["grep", ""], false);
        check_arguments(b"a\0b\0c\0d\0", &["a", "b", "c", "d"], false);
        check_arguments(b"a\0b\0c\0d\0e\0", &["a", "b", "c", "d"], true);
    }

    #[test]
    fn keeps_a_title_as_one_argument() {
        check_arguments(b"sshd: alice [priv]", &["sshd: alice [priv]"], false);
        check_arguments(
            b"nginx: worker process\0\0\0\0\0\0\0",
            &["nginx: worker process"],
            false,
        );
        check_arguments(b"\0\0\0", &["", "", ""], false);
    }

    #[test]
    fn reads_namespace_links() {
        assert_eq!(namespace(b"net:[4026531840]"), Some(4_026_531_840));
        for link in [
            &b"net:[]"[..],
            b"net:[99999999999]",
            b"net",
            b"[",
            b"net:[-1]",
        ] {
            assert_eq!(namespace(link), None);
        }
    }

    fn check_conceals(mountinfo: &str, expected: bool) {
        assert_eq!(
            conceals_processes(mountinfo.as_bytes()),
            expected,
            "{mountinfo}"
        );
    }

    #[test]
    fn knows_hidepid() {
        let plain = "22 29 0:20 / /proc rw,nosuid shared:13 - proc proc rw\n";
        let hiding = "22 29 0:20 / /proc rw,nosuid - proc proc rw,gid=27,hidepid=invisible\n";
        check_conceals(plain, false);
        check_conceals(hiding, true);
        check_conceals(&format!("{hiding}{plain}"), false);
        check_conceals(&format!("{plain}{hiding}"), true);
        check_conceals("22 29 0:20 / /proc rw - proc proc rw,hidepid=2\n", true);
        check_conceals("22 29 0:20 / /proc rw - proc proc rw,hidepid=off\n", false);
        check_conceals(
            "22 29 0:20 / /chroot/proc rw - proc proc rw,hidepid=2\n",
            false,
        );
        check_conceals("", false);
    }

    proptest! {
        #[test]
        fn never_panics(file: Vec<u8>, most in 0_usize..4) {
            stat(&file);
            namespace(&file);
            conceals_processes(&file);
            prop_assert!(arguments(&file, most).0.len() <= most.max(1));
        }

        #[test]
        fn reads_back_any_name(name: Vec<u8>) {
            check_name(&name);
        }
    }
}

//! How libraries are named that the loader takes before all others (ld.so(8); glibc: elf/rtld.c,
//! handle_preload_list, do_preload): LD_PRELOAD, LD_AUDIT and `/etc/ld.so.preload`.

use model::Text;

/// So many of one list are looked for. Where there are as many, there may be more.
pub(crate) const MOST: usize = 4096;

/// One name in such a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) name: Text,
    /// It begins with a slash, and nothing in it is put in by the loader (`$LIB`, `$ORIGIN`).
    pub(crate) is_whole_path: bool,
}

/// The libraries that one setting of the environment names, and whether they audit.
pub(crate) fn settings(setting: &[u8]) -> impl Iterator<Item = (bool, Listed)> {
    let preload = setting.strip_prefix(b"LD_PRELOAD=");
    let audit = setting.strip_prefix(b"LD_AUDIT=");
    let preload = preload.into_iter().flat_map(names).map(|it| (false, it));
    preload.chain(audit.into_iter().flat_map(names).map(|it| (true, it)))
}

/// The libraries in `/etc/ld.so.preload`. What stands behind `#` in a line is a comment.
pub(crate) fn listed(file: &[u8]) -> impl Iterator<Item = Listed> {
    let lines = file.split(|byte| *byte == b'\n');
    let without_comments = lines.filter_map(|line| line.split(|byte| *byte == b'#').next());
    without_comments.flat_map(names).take(MOST)
}

fn names(text: &[u8]) -> impl Iterator<Item = Listed> {
    let names = text.split(|byte| matches!(byte, b' ' | b':' | b'\t' | b'\n' | 0));
    let names = names.filter(|name| !name.is_empty()).take(MOST);
    names.map(|name| Listed {
        name: name.into(),
        is_whole_path: name.starts_with(b"/") && !name.contains(&b'$'),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(found: impl Iterator<Item = Listed>, expected: &[(&str, bool)]) {
        let found: Vec<_> = found.collect();
        let found: Vec<_> = found
            .iter()
            .map(|it| (it.name.as_utf8().unwrap(), it.is_whole_path))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn settings_are_split() {
        let of = |setting: &str, audits: bool| {
            let found: Vec<_> = settings(setting.as_bytes()).collect();
            assert!(found.iter().all(|it| it.0 == audits));
            found.into_iter().map(|it| it.1)
        };
        check(
            of("LD_PRELOAD=/a/x.so  y.so:/$LIB/z.so", false),
            &[("/a/x.so", true), ("y.so", false), ("/$LIB/z.so", false)],
        );
        check(of("LD_AUDIT=./a", true), &[("./a", false)]);
        check(of("LD_PRELOADS=/a", false), &[]);
        check(of("LD_PRELOAD=", false), &[]);
    }

    #[test]
    fn the_file_has_comments() {
        let file = b"/a.so # /b.so\n#/c.so\n\n/d.so\t/e.so";
        check(
            listed(file),
            &[("/a.so", true), ("/d.so", true), ("/e.so", true)],
        );
        check(listed(b""), &[]);
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            prop_assert!(settings(&bytes).count() <= MOST);
            prop_assert!(listed(&bytes).count() <= MOST);
        }
    }
}

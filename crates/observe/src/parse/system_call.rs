//! `/proc/PID/task/TID/syscall` (proc_pid_syscall(5); kernel: fs/proc/base.c, proc_pid_syscall): the
//! system call that a thread waits in, and the place that made it.

/// What a thread waits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SystemCall {
    /// As this processor counts them, or as an older one does whose programs it runs.
    pub(crate) number: u64,
    pub(crate) stack_pointer: u64,
    /// The instruction behind the one that made it. 0: a thread of the kernel that looks like one of the
    /// process (io_uring, vhost).
    pub(crate) behind: u64,
}

/// `None`: it runs, or waits for something that is no system call (a page that is not there), or this
/// is no such file.
pub(crate) fn system_call(file: &[u8]) -> Option<SystemCall> {
    let mut words = file.trim_ascii().split(|byte| *byte == b' ');
    // -1 outside of system calls.
    let number = std::str::from_utf8(words.next()?).ok()?.parse().ok()?;
    let mut words = words.skip(6);
    let (stack_pointer, behind) = (hexadecimal(words.next()?)?, hexadecimal(words.next()?)?);
    words.next().is_none().then_some(SystemCall {
        number,
        stack_pointer,
        behind,
    })
}

fn hexadecimal(word: &[u8]) -> Option<u64> {
    let digits = word.strip_prefix(b"0x")?;
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_that_waits() {
        let line = b"230 0x0 0x0 0x7ffd 0x7ffe 0x0 0x0 0x7ffda5b0 0x7f0c22e3\n";
        let expected = SystemCall {
            number: 230,
            stack_pointer: 0x7ffd_a5b0,
            behind: 0x7f0c_22e3,
        };
        assert_eq!(system_call(line), Some(expected));
    }

    #[test]
    fn ones_that_do_not() {
        for line in [&b"running\n"[..], b"-1 0x7ffd 0x7f0c\n", b"", b"0 0x0 0x0"] {
            assert_eq!(system_call(line), None);
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = system_call(&bytes);
        }
    }
}

//! What is called otherwise on Windows.

/// How a process is ended that is asked to.
pub(crate) const ASKED_TO_END: &str = if cfg!(windows) {
    "(WM_CLOSE)"
} else {
    "(SIGTERM)"
};

/// And one that is not asked.
pub(crate) const ENDED_AT_ONCE: &str = if cfg!(windows) {
    "at once (TerminateProcess)"
} else {
    "at once (SIGKILL)"
};

pub(crate) const IS_THE_KERNEL: &str = if cfg!(windows) {
    "it is Windows itself"
} else {
    "it is the kernel itself"
};

pub(crate) const WIRESHARK_HOW: &str = if cfg!(windows) {
    "For a console in the folder where whocalls was started, where wireshark.exe is found; copied, where the \
     terminal allows it. Not as administrator: packets are written by strangers."
} else {
    "For a shell in the folder where whocalls was started; copied, where the terminal allows it. Not \
     as root: packets are written by strangers."
};

pub(crate) const HOW_TO_RECORD: &str = if cfg!(windows) {
    "to record: whocalls record --screen  (as administrator)"
} else {
    "to record: sudo whocalls record --screen  (this run has given up its rights)"
};

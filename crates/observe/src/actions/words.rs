//! Why nothing was closed or ended, in the words of this system.

/// Which process the computer cannot do without.
pub(super) const FIRST_PROCESS: &str = if cfg!(windows) {
    "Windows stops when this process ends"
} else {
    "process 1 is what starts and keeps everything else: to end it ends the computer"
};

pub(super) const KERNEL_THREAD: &str = if cfg!(windows) {
    "this is Windows itself and no program, and nobody can end it"
} else {
    "this is a thread of the kernel, which no signal ends"
};

pub(super) const NO_RIGHT_TO_CLOSE: &str = if cfg!(windows) {
    "no right to close connections"
} else {
    "no right to close connections (CAP_NET_ADMIN)"
};

pub(super) const NO_RIGHT_TO_END: &str = if cfg!(windows) {
    "no right to end this process"
} else {
    "no right to end processes of other users (CAP_KILL)"
};

pub(super) const WHO_HAS_RIGHTS: &str = if cfg!(windows) {
    "an administrator has it: start whocalls with 'Run as administrator'"
} else {
    "root has it: start whocalls with sudo"
};

/// Before what the system says.
pub(super) const REFUSED: &str = if cfg!(windows) {
    "Windows refused"
} else {
    "the kernel refused"
};

pub(super) const LOOK_AGAIN: &str = if cfg!(windows) {
    "look again without --polling, or as administrator"
} else {
    "look again without --polling, or as root"
};

pub(super) const ANOTHER_TERMINAL: &str = if cfg!(windows) {
    "'whocalls close' and 'whocalls end' do the same from another console"
} else {
    "'whocalls close' and 'whocalls end' do the same from another terminal"
};

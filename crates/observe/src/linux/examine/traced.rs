//! Another process that holds this one as a debugger does (ptrace(2); `TracerPid` in proc_pid_status(5)).

use model::{Outcome, Sign, Text, Trace, Untested};
use rustix::fs::CWD;

use super::{Kept, Subject};

const LONGEST_PATH: usize = 4096;

pub(super) fn check(subject: &Subject, _: &mut Kept) -> Outcome {
    look(subject).unwrap_or_else(Outcome::NotTestable)
}

fn look(subject: &Subject) -> Result<Outcome, Untested> {
    let pid = tracer(subject.status()?).ok_or(Untested::Unreadable)?;
    if pid == 0 {
        return Ok(Outcome::NothingFound);
    }
    let name = std::fs::read(format!("/proc/{pid}/comm")).ok();
    let mut buffer = [0; LONGEST_PATH];
    let link = rustix::fs::readlinkat_raw(CWD, format!("/proc/{pid}/exe"), &mut buffer[..]);
    let path = link.ok().and_then(|length| buffer.get(..length));
    Ok(Outcome::of(vec![Trace {
        path: path.map(Text::from),
        name: name.map(|name| name.strip_suffix(b"\n").unwrap_or(&name).into()),
        pid: Some(pid),
        ..Trace::new(Sign::Tracer)
    }]))
}

/// `None`: it is not there.
fn tracer(status: &[u8]) -> Option<u32> {
    let mut lines = status.split(|byte| *byte == b'\n');
    let value = lines.find_map(|line| line.strip_prefix(b"TracerPid:"))?;
    std::str::from_utf8(value.trim_ascii()).ok()?.parse().ok()
}

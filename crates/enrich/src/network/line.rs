//! A line over TCP, and all that comes until the other side closes (RFC 3912).

use std::io::Write;

use model::{Failure, OnlineSource, Reply};

use super::answer::{self, Fault};
use super::deadline::{Deadline, End};
use super::url::bracketed;
use super::{Network, visit};
use crate::sources::without_asker;

impl Network {
    pub(super) fn line(
        &self,
        source: OnlineSource,
        (host, port): (&str, u16),
        line: &str,
        is_first: bool,
        stop: &dyn Fn() -> bool,
    ) -> Result<Reply, End> {
        if line.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(
                Failure::Unreachable("it cannot be asked for in one line".to_owned()).into(),
            );
        }
        let host = host.to_ascii_lowercase();
        self.wait_for_turn(source, &host, stop)?;
        let limits = &self.settings.limits;
        let deadline = Deadline::new(limits.line, stop);
        let mut wire = self
            .connect(source, (&host, port), deadline)
            .map_err(|obstacle| {
                if is_first {
                    return obstacle.plain();
                }
                let to = format!("{}:{port}", bracketed(&host));
                obstacle.or(|why| Failure::Redirected { to, why })
            })?;
        wire.write_all(format!("{line}\r\n").as_bytes())
            .map_err(|error| deadline.end(&error))?;
        let bytes = answer::to_the_end(&mut wire, limits.line_bytes)
            .map_err(|fault: Fault| visit::end(fault, deadline))?;
        Ok(Reply {
            asked: line.to_owned(),
            host,
            status: None,
            // Some servers say from where they were asked.
            bytes: without_asker(&bytes),
        })
    }
}

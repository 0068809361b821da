//! What can be seen on this computer, and what not.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use model::{Condition, Diagnosis, Doctor, Tier};
use windows_sys::Win32::Security::{
    GetTokenInformation, TOKEN_ELEVATION, TOKEN_QUERY, TokenElevation,
};

use super::handle::Handle;
use super::tracing::{self, Session};
use super::{Observer, watch};
use crate::traced::attempts_untold;
use crate::{Error, LookOptions};

pub(crate) fn doctor() -> Result<Doctor, Error> {
    let mut observer = Observer::open(false)?;
    let look = observer.look(LookOptions {
        every_process: true,
        remembered: false,
    })?;
    let mut gaps = look.gaps;
    // Begun and ended again: nobody is asked by it.
    let untraced = Session::start().err().map(|why| why.to_string());
    let (told, condition) = match &untraced {
        None => ("told by event tracing (ETW)".to_owned(), Condition::Good),
        Some(why) => {
            let told = format!("missed, unless it is there when whocalls looks again: {why}");
            (told, Condition::Limits)
        }
    };
    let tier = if let Some(why) = untraced {
        gaps.push(tracing::untraced(why));
        gaps.push(watch::between_looks());
        look.tier
    } else {
        gaps.push(attempts_untold());
        Tier::Full
    };
    Ok(Doctor {
        tier,
        checks: vec![
            administrator(),
            Diagnosis {
                what: "how sockets are read",
                found: format!(
                    "through the IP helper: {} sockets, {} processes",
                    look.sockets.len(),
                    look.processes.len()
                ),
                condition: Condition::Good,
                help: None,
            },
            Diagnosis {
                what: "what happens between two looks",
                found: told,
                condition,
                help: None,
            },
        ],
        gaps,
    })
}

fn administrator() -> Diagnosis {
    let (found, condition, help) = match is_elevated() {
        Some(true) => ("an administrator's", Condition::Good, None),
        Some(false) => (
            "those of an ordinary user",
            Condition::Limits,
            Some("right-click whocalls.exe and choose 'Run as administrator'".to_owned()),
        ),
        None => ("not known", Condition::Neutral, None),
    };
    Diagnosis {
        what: "whose rights whocalls has",
        found: found.to_owned(),
        condition,
        help,
    }
}

/// `None`: it is not told.
fn is_elevated() -> Option<bool> {
    let token = Handle::own_token(TOKEN_QUERY)?;
    let (mut elevation, mut length) = (TOKEN_ELEVATION::default(), 0);
    let size = u32::try_from(size_of::<TOKEN_ELEVATION>()).ok()?;
    // SAFETY: the handle is open; `elevation` has `size` bytes to write to.
    let is_told = unsafe {
        GetTokenInformation(
            token.raw(),
            TokenElevation,
            (&raw mut elevation).cast(),
            size,
            &raw mut length,
        )
    };
    (is_told != 0).then_some(elevation.TokenIsElevated != 0)
}

//! What a program is called for a person.

use std::collections::HashMap;

use model::{Device, DeviceId, Text};

use crate::devices;
use crate::messages::rows as sentences;
use crate::visible::visible;

/// `None`: the owner is not known.
pub(crate) fn program_name(program: Option<&Text>) -> String {
    match program {
        Some(program) => last_part(&visible(program)).to_owned(),
        None => sentences::NO_PROCESS_KNOWN.to_owned(),
    }
}

/// The same; where no processes are known, the device stands in the place of a program.
pub(crate) fn caller_name(
    program: Option<&Text>,
    device: Option<DeviceId>,
    devices: &HashMap<DeviceId, Device>,
) -> String {
    match (program, device) {
        (None, Some(id)) => devices::in_short(id, devices),
        (program, _) => program_name(program),
    }
}

/// The name of a file without its folders, on every platform.
pub(crate) fn last_part(path: &str) -> &str {
    path.rsplit(['/', '\\'])
        .find(|part| !part.is_empty())
        .unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_its_last_part() {
        assert_eq!(last_part("/usr/bin/curl"), "curl");
        assert_eq!(last_part("C:\\x\\y.exe"), "y.exe");
        assert_eq!(last_part("curl"), "curl");
        assert_eq!(last_part("/"), "/");
    }
}

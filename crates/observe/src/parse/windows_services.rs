//! The services of Windows that run, as `EnumServicesStatusExW` gives them.
//!
//! Layout: `ENUM_SERVICE_STATUS_PROCESSW` (winsvc.h) of a 64-bit Windows: two addresses of names, then
//! nine numbers of `SERVICE_STATUS_PROCESS`, of which the eighth is the process.

use model::Text;

use super::windows_memory::{Memory, address, number};

const LENGTH: usize = 56;
const PROCESS: usize = 44;
/// The longest name of a service, in units of UTF-16.
const LONGEST_NAME: usize = 256;

/// Process and name of the first `count` services, as far as there are bytes for; without those that no
/// process of their own is told of.
pub(crate) fn services(memory: Memory<'_>, count: usize) -> Vec<(u32, Text)> {
    let rows = memory.bytes.chunks_exact(LENGTH).take(count);
    let one = |row: &[u8]| {
        let pid = number(row, PROCESS).filter(|pid| *pid != 0)?;
        let name = memory.text(address(row, 0)?, LONGEST_NAME)?;
        (!name.is_empty()).then_some((pid, name))
    };
    rows.filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BASE: u64 = 0x7ff0_0000;

    fn row(name: u64, pid: u32) -> Vec<u8> {
        let mut row = [name.to_le_bytes(), 0_u64.to_le_bytes()].concat();
        row.resize(PROCESS, 0);
        row.extend(pid.to_le_bytes());
        row.resize(LENGTH, 0);
        row
    }

    #[test]
    fn two_services_of_one_process() {
        let behind = BASE + 3 * 56;
        let mut bytes = [row(behind, 7), row(behind + 6, 7), row(behind, 0)].concat();
        for unit in "ab\0cd\0".encode_utf16() {
            bytes.extend(unit.to_le_bytes());
        }
        let memory = Memory {
            bytes: &bytes,
            base: BASE,
        };
        let found = services(memory, 3);
        assert_eq!(found, [(7, Text::from("ab")), (7, Text::from("cd"))]);
        assert_eq!(services(memory, 1).len(), 1);
    }

    #[test]
    fn a_name_outside_is_no_name() {
        let bytes = row(BASE - 2, 7);
        let memory = Memory {
            bytes: &bytes,
            base: BASE,
        };
        assert!(services(memory, 9).is_empty());
    }

    proptest! {
        #[test]
        fn takes_any_bytes(bytes: Vec<u8>, base: u64, count: usize) {
            let memory = Memory { bytes: &bytes, base };
            prop_assert!(services(memory, count).len() <= bytes.len());
        }
    }
}

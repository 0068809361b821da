//! Names in a message, also those that go on elsewhere (RFC 1035, 4.1.4).

use model::Text;

use super::{LONGEST_LABEL, LONGEST_NAME};

/// The two high bits of a length: a pointer.
const POINTER: u8 = 0xc0;

/// The name at `at`, and where the message goes on behind it.
///
/// `None`: cut short, too long, or one that points forwards or at itself, of which it would never
/// end.
pub(crate) fn name(message: &[u8], at: usize) -> Option<(Text, usize)> {
    let mut text = Vec::new();
    let mut at = at;
    // Where the part that is being read began: a pointer must go before it.
    let mut part = at;
    let mut behind = None;
    let mut length_of_all = 1;
    loop {
        let length = *message.get(at)?;
        let after = at.checked_add(1)?;
        if length & POINTER == POINTER {
            let low = *message.get(after)?;
            let target = usize::from(u16::from_be_bytes([length & !POINTER, low]));
            if target >= part {
                return None;
            }
            behind.get_or_insert(after.checked_add(1)?);
            (at, part) = (target, target);
            continue;
        }
        let length = usize::from(length);
        if length > LONGEST_LABEL {
            return None;
        }
        let end = after.checked_add(length)?;
        let label = message.get(after..end)?;
        at = end;
        if label.is_empty() {
            break;
        }
        length_of_all += length + 1;
        if length_of_all > LONGEST_NAME {
            return None;
        }
        push_label(&mut text, label);
    }
    if text.is_empty() {
        text.push(b'.');
    }
    Some((text.into(), behind.unwrap_or(at)))
}

/// Appends a label as people write it.
pub(super) fn push_label(name: &mut Vec<u8>, label: &[u8]) {
    if !name.is_empty() {
        name.push(b'.');
    }
    for byte in label {
        if matches!(byte, b'.' | b'\\') {
            name.push(b'\\');
        }
        name.push(*byte);
    }
}

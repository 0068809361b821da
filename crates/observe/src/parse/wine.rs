//! Executable memory of no file that Wine makes in its own processes. Windows has its like in files.

/// `mov rcx, [rcx + 0x20]; mov rax, [rcx]; jmp [rax + NUMBER]; lea rsi, [rsi]`: Wine hands calls of objects
/// in other processes on so (dlls/rpcrt4/cstub.c, `fill_delegated_proxy_table`).
const STUB_BEGINS: [u8; 9] = [0x48, 0x8b, 0x49, 0x20, 0x48, 0x8b, 0x01, 0xff, 0xa0];
const STUB_ENDS: [u8; 3] = [0x48, 0x8d, 0x36];
const STUB: usize = 16;

/// Behind two addresses, of the first part of a heap (dlls/ntdll/heap.c, `SUBHEAP_MAGIC`); Windows has it
/// there as well.
const HEAP: [u8; 4] = 0xffee_ffee_u32.to_le_bytes();
const HEAP_AT: usize = 16;

/// Whether all of it, up to nothing but zeros, is such stubs for the numbers that follow one another.
pub(crate) fn is_delegating(memory: &[u8]) -> bool {
    let (stubs, rest) = memory.as_chunks::<STUB>();
    let mut stubs = stubs.iter().peekable();
    let mut number = None;
    while let Some([begin @ .., a, b, c, d, x, y, z]) = stubs.peek() {
        if *begin != STUB_BEGINS || [*x, *y, *z] != STUB_ENDS {
            break;
        }
        let this = u32::from_le_bytes([*a, *b, *c, *d]);
        if number.is_some_and(|before: u32| before.checked_add(8) != Some(this)) {
            return false;
        }
        number = Some(this);
        stubs.next();
    }
    let mut left = stubs.flatten().chain(rest);
    number.is_some() && left.all(|byte| *byte == 0)
}

/// Whether it is the beginning of a heap.
pub(crate) fn is_heap(memory: &[u8]) -> bool {
    memory
        .get(HEAP_AT..)
        .is_some_and(|it| it.starts_with(&HEAP))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stubs(numbers: &[u32]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for number in numbers {
            bytes.extend(STUB_BEGINS);
            bytes.extend(number.to_le_bytes());
            bytes.extend(STUB_ENDS);
        }
        bytes
    }

    #[test]
    fn nothing_else_passes_for_stubs() {
        let real = stubs(&[0x18, 0x20, 0x28]);
        assert!(is_delegating(&real));
        let page = [real.clone(), vec![0; 4000]].concat();
        assert!(is_delegating(&page));
        let behind = [page, vec![0x90]].concat();
        assert!(!is_delegating(&behind));
        let within = [real.clone(), vec![0xcc; 16], real].concat();
        assert!(!is_delegating(&within));
        assert!(!is_delegating(&stubs(&[0x18, 0x30])));
        assert!(!is_delegating(&[0; 64]) && !is_delegating(&[]));
    }

    #[test]
    fn the_head_of_a_heap() {
        let mut page = vec![0; 64];
        assert!(!is_heap(&page));
        page[16..20].copy_from_slice(&[0xee, 0xff, 0xee, 0xff]);
        assert!(is_heap(&page) && !is_heap(&page[..18]));
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            is_delegating(&bytes);
            is_heap(&bytes);
        }
    }
}

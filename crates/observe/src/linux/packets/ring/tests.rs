//! Blocks that are taken, with a thread in the place of the kernel.
#![expect(unsafe_code, reason = "the kernel writes into blocks that it owns")]

use super::*;
use std::sync::mpsc::sync_channel;
use std::thread;

const BLOCKS: usize = 4;
const ROUNDS: u32 = 50;
/// A word of a block behind those that this test does not use.
const WORDS_AT: usize = 64;

/// What the kernel does with a block: fills it, if it may, and closes it.
fn fill(memory: &Memory, block: usize, number: u32) -> bool {
    let status = memory.status(block).unwrap();
    if status.load(Ordering::Acquire) != GIVEN_BACK {
        return false;
    }
    for at in (WORDS_AT..BLOCK_BYTES).step_by(BLOCK_BYTES / 8) {
        let word = memory.begin(block).unwrap().wrapping_add(at).cast::<u32>();
        // SAFETY: the word lies in the memory, and the block is neither closed nor taken.
        unsafe { word.write(number) };
    }
    status.store(CLOSED, Ordering::Release);
    true
}

/// What stands in it, which is one number.
fn number(block: &Block) -> u32 {
    let mut words = (WORDS_AT..BLOCK_BYTES)
        .step_by(BLOCK_BYTES / 8)
        .map(|at| u32::from_ne_bytes(block.as_ref()[at..at + 4].try_into().unwrap()));
    let first = words.next().unwrap();
    assert!(words.all(|word| word == first), "it changed meanwhile");
    first
}

fn memory() -> Arc<Memory> {
    Arc::new(Memory::of(None, BLOCKS).unwrap())
}

#[test]
fn a_block_that_somebody_has_is_neither_given_back_nor_taken_again() {
    let memory = memory();
    assert!(Memory::take(&memory, 0).is_none(), "it is the kernel's");
    assert!(fill(&memory, 0, 7) && fill(&memory, 1, 8));
    let first = Memory::take(&memory, 0).unwrap();
    assert!(!memory.is_closed(0) && Memory::take(&memory, 0).is_none());
    assert!(!fill(&memory, 0, 9), "it was given back");
    assert!(memory.is_closed(1));
    drop(Memory::take(&memory, 1).unwrap());
    assert!(fill(&memory, 1, 10));
    assert_eq!(number(&first), 7);
    drop(first);
    assert!(!memory.is_closed(0), "it would be read twice");
    assert!(fill(&memory, 0, 11));
    assert_eq!(number(&Memory::take(&memory, 0).unwrap()), 11);
    assert!(Memory::take(&memory, BLOCKS).is_none());
}

#[test]
fn what_is_taken_outlives_the_ring() {
    let memory = memory();
    assert!(fill(&memory, 3, 5));
    let block = Memory::take(&memory, 3).unwrap();
    drop(memory);
    assert_eq!(number(&block), 5);
}

/// The kernel fills, we take, and another thread looks at it and gives it back when it likes.
#[test]
fn each_block_is_read_once_and_does_not_change_while_it_is_lent() {
    let memory = memory();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel::<Arc<Block>>(BLOCKS - 1);
        scope.spawn(|| {
            let mut next = 0;
            while !is_over.load(Ordering::Relaxed) {
                let block = usize::try_from(next).unwrap() % BLOCKS;
                if fill(&memory, block, next) {
                    next += 1;
                } else {
                    thread::yield_now();
                }
            }
        });
        let looking = scope.spawn(move || {
            let numbers = receiver.iter().map(|block| {
                let before = number(&block);
                thread::yield_now();
                assert_eq!(number(&block), before);
                before
            });
            numbers.collect::<Vec<_>>()
        });
        let mut next = 0;
        while next < ROUNDS {
            let place = usize::try_from(next).unwrap() % BLOCKS;
            let Some(block) = Memory::take(&memory, place) else {
                thread::yield_now();
                continue;
            };
            let block = Arc::new(block);
            sender.send(Arc::clone(&block)).unwrap();
            assert_eq!(number(&block), next);
            next += 1;
        }
        drop(sender);
        let numbers = looking.join();
        is_over.store(true, Ordering::Relaxed);
        assert!(numbers.unwrap().into_iter().eq(0..ROUNDS));
    });
}

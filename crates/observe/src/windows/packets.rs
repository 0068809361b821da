//! Packets: not on this platform yet.

use std::time::Duration;

use crate::Error;
use crate::packets::{Captured, RingCounts};

/// There are none to be had.
pub(crate) enum Packets {}

impl Packets {
    pub(crate) fn next(
        &mut self,
        _wait: Duration,
        _until: u64,
        _taken: &mut dyn FnMut(Captured<'_>),
    ) -> Result<usize, Error> {
        match *self {}
    }

    pub(crate) fn is_scarce(&mut self) -> bool {
        match *self {}
    }

    pub(crate) fn counts(&mut self) -> Vec<RingCounts> {
        match *self {}
    }

    pub(crate) fn dropped_in_others(&self) -> u64 {
        match *self {}
    }
}

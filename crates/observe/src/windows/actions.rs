//! Closing and ending: not on this platform yet.

use crate::actions::{ActionError, ConnectionTarget, Done, How, ProcessTarget};

pub(crate) fn close_connection(_target: &ConnectionTarget) -> Result<Done, ActionError> {
    Err(ActionError::NotHere)
}

pub(crate) fn end_process(_target: ProcessTarget, _how: How) -> Result<Done, ActionError> {
    Err(ActionError::NotHere)
}

/// There is none to be had.
pub(crate) enum Actions {}

impl Actions {
    pub(crate) fn close(&mut self, _target: &ConnectionTarget) -> Result<Done, ActionError> {
        match *self {}
    }

    pub(crate) fn end(&mut self, _target: ProcessTarget, _how: How) -> Result<Done, ActionError> {
        match *self {}
    }
}

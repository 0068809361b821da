//! What all tests with the finished program need: network namespaces, programs that hold sockets,
//! whocalls itself, time.

pub(crate) mod actor;
pub(crate) mod network;
pub(crate) mod program;
pub(crate) mod room;
pub(crate) mod setting;

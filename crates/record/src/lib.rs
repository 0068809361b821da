//! Events and packets to and from a case folder: append-only, hashed while written, sealed. What is
//! observed goes in; a folder comes out that can be checked, and read again elsewhere.
#![forbid(unsafe_code)]

pub mod case;
pub mod crypt;
pub mod lines;
pub mod pack;
pub mod pcapng;
pub mod place;

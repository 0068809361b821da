//! The case folder: segments, manifest, log and seal.

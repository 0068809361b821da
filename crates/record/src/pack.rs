//! A case as one file.

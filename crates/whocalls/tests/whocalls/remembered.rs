//! remembered

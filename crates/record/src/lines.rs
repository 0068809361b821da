//! What is observed, as lines of JSON, and back.

//! Encryption to the recipients of a case (age).

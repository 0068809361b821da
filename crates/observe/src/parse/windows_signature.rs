//! What the answers of `WinVerifyTrust` mean (HRESULT; names and numbers of winerror.h).

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signed {
    Trusted,
    /// There is a signature, and it is of other bytes.
    OtherBytes,
    /// No signature in the file.
    Not,
    /// By nobody who is trusted here, or no more.
    OfNobody,
    /// It could not be asked: the file was not read, or what checks it failed.
    Unknown,
}

/// `TRUST_E_FAIL` and `CERT_E_REVOCATION_FAILURE`: nothing was decided.
const UNDECIDED: [u32; 2] = [0x800b_010b, 0x800b_010e];

pub(crate) fn signed(answer: u32) -> Signed {
    match answer {
        0 => Signed::Trusted,
        // TRUST_E_NOSIGNATURE
        0x800b_0100 => Signed::Not,
        // TRUST_E_BAD_DIGEST
        0x8009_6010 => Signed::OtherBytes,
        it if UNDECIDED.contains(&it) => Signed::Unknown,
        // CERT_E_EXPIRED to CERT_E_INVALID_NAME, CERT_E_CHAINING among them
        0x800b_0101..=0x800b_0114 => Signed::OfNobody,
        // TRUST_E_SUBJECT_NOT_TRUSTED
        0x800b_0004 => Signed::OfNobody,
        // TRUST_E_NO_SIGNER_CERT, TRUST_E_COUNTER_SIGNER, TRUST_E_CERT_SIGNATURE, TRUST_E_TIME_STAMP
        0x8009_6002..=0x8009_6005 => Signed::OfNobody,
        // TRUST_E_BASIC_CONSTRAINTS
        0x8009_6019 => Signed::OfNobody,
        _ => Signed::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_signs_himself_is_nobody() {
        for (answer, expected) in [
            (0, Signed::Trusted),
            (0x800b_0100, Signed::Not),
            (0x8009_6010, Signed::OtherBytes),
            // CERT_E_UNTRUSTEDROOT, CERT_E_CHAINING, CERT_E_EXPIRED, CERT_E_REVOKED, TRUST_E_EXPLICIT_DISTRUST
            (0x800b_0109, Signed::OfNobody),
            (0x800b_010a, Signed::OfNobody),
            (0x800b_0101, Signed::OfNobody),
            (0x800b_010c, Signed::OfNobody),
            (0x800b_0111, Signed::OfNobody),
            (0x800b_0004, Signed::OfNobody),
            (0x8009_6004, Signed::OfNobody),
            // TRUST_E_PROVIDER_UNKNOWN, TRUST_E_SYSTEM_ERROR, CRYPT_E_FILE_ERROR
            (0x800b_0001, Signed::Unknown),
            (0x8009_6001, Signed::Unknown),
            (0x8009_2003, Signed::Unknown),
        ] {
            assert_eq!(signed(answer), expected, "{answer:#x}");
        }
    }
}

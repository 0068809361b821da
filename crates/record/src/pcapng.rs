//! Packets with their processes, as pcapng (draft-ietf-opsawg-pcapng), and back.

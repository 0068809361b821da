//! One message to a source.

/// What is sent. It holds no key: whoever sends it puts the key in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    Http {
        method: Method,
        /// With scheme and host.
        url: String,
        headers: Vec<(&'static str, String)>,
        key: Option<KeyPlace>,
    },
    /// A line over TCP, and all that comes until the other side closes (RFC 3912).
    Line {
        host: String,
        port: u16,
        /// Without its end.
        line: String,
    },
    /// A question to the resolver that was chosen.
    Dns { name: String, kind: RecordKind },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post {
        content_type: &'static str,
        body: String,
    },
}

/// Where a source wants its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// The name of a header.
    Header(&'static str),
    /// The name of a parameter behind the `?`.
    Query(&'static str),
    /// `user:password`, as HTTP has it (RFC 7617).
    Basic,
}

/// The types of DNS that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    A,
    Aaaa,
    Ptr,
    Txt,
}

/// A key of a person. It is never shown: not in errors, not in what is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// For whoever sends it.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(not shown)")
    }
}

//! The request's body: a JSON array of strings comes in, and leaves with one more name.
//!
//! Refuses arrays of more than [`MAX_ITEMS`], and anything but strings. The reader of the body enforces
//! [`MAX_BYTES`].

use std::fmt;

use bytes::Bytes;

/// The largest body that is read, in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;
/// The most strings that an array may hold.
pub const MAX_ITEMS: usize = 10_000;

/// The list that travels from service to service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload(Vec<String>);

impl Payload {
    /// Reads a JSON array of strings.
    ///
    /// # Errors
    /// The body is something else.
    pub fn read(body: &[u8]) -> Result<Payload, Malformed> {
        serde_json::from_slice(body)
            .map(Payload)
            .map_err(|error| Malformed::NotAnArrayOfStrings(error.to_string()))
    }

    /// Reads a request's body: a JSON array of at most [`MAX_ITEMS`] strings.
    ///
    /// # Errors
    /// The body is something else, or holds more.
    pub fn accept(body: &[u8]) -> Result<Payload, Malformed> {
        Payload::read(body)?.accepted()
    }

    /// The list, if it has no more than [`MAX_ITEMS`] strings.
    ///
    /// # Errors
    /// It has more.
    pub fn accepted(self) -> Result<Payload, Malformed> {
        match self.size() {
            items if items > MAX_ITEMS => Err(Malformed::TooManyItems(items)),
            _ => Ok(self),
        }
    }

    /// The number of strings.
    pub fn size(&self) -> usize {
        self.0.len()
    }

    /// Appends a service's name.
    pub fn append(&mut self, name: &str) {
        self.0.push(name.to_owned());
    }

    /// What a downstream has added to the list that it was sent: everything after their common prefix.
    pub fn added_to(&self, sent: &Payload) -> &[String] {
        let common = self.0.iter().zip(&sent.0).take_while(|(a, b)| a == b);
        &self.0[common.count()..]
    }

    /// Appends strings.
    pub fn add(&mut self, strings: &[String]) {
        self.0.extend_from_slice(strings);
    }

    /// Writes the list as JSON, for a body.
    pub fn to_json(&self) -> Bytes {
        self.to_text().into()
    }

    /// Writes the list as JSON.
    pub fn to_text(&self) -> String {
        serde_json::to_string(&self.0).expect("strings are always JSON")
    }
}

/// Why a body is not a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Malformed {
    /// It is not JSON, not an array, or holds something other than strings; with the parser's message.
    NotAnArrayOfStrings(String),
    /// It holds this many strings, more than [`MAX_ITEMS`].
    TooManyItems(usize),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Malformed::NotAnArrayOfStrings(why) => {
                write!(f, "the body is not a JSON array of strings: {why}")
            }
            Malformed::TooManyItems(items) => {
                write!(
                    f,
                    "the array has {items} items; at most {MAX_ITEMS} are accepted"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_what_it_accepts() {
        let table = [
            ("[]", r#"["me"]"#),
            (r#"["item1", "item2"]"#, r#"["item1","item2","me"]"#),
            (r#" ["\u00e9\n"] "#, "[\"é\\n\",\"me\"]"),
        ];
        for (body, answer) in table {
            let mut payload = Payload::accept(body.as_bytes()).unwrap();
            payload.append("me");
            assert_eq!(payload.to_json(), answer);
        }
    }

    #[test]
    fn refuses_anything_but_an_array_of_strings() {
        for body in [
            "",
            "{}",
            "null",
            "\"x\"",
            "[1]",
            "[null]",
            "[[\"x\"]]",
            "[\"x\"",
            "[\"x\"] y",
            "\u{feff}[]",
        ] {
            let refusal = Payload::accept(body.as_bytes());
            assert!(
                matches!(refusal, Err(Malformed::NotAnArrayOfStrings(_))),
                "{body}: {refusal:?}"
            );
        }
        assert!(Payload::accept(b"[\"\xff\"]").is_err(), "not UTF-8");
    }

    #[test]
    fn counts_items() {
        let array = |items: usize| serde_json::to_vec(&vec!["x"; items]).unwrap();
        assert_eq!(
            Payload::accept(&array(MAX_ITEMS)).unwrap().size(),
            MAX_ITEMS
        );
        assert_eq!(
            Payload::accept(&array(MAX_ITEMS + 1)),
            Err(Malformed::TooManyItems(10_001))
        );
        assert_eq!(
            Payload::read(&array(MAX_ITEMS + 1)).unwrap().size(),
            10_001,
            "a response may hold more"
        );
    }
}

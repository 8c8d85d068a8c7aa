//! The list that a request sends: `["a","b"]`, or a number of items.

use bytes::Bytes;

/// The maximum number of items in a payload given by its length.
const MAX_ITEMS: usize = 10_000;

/// A JSON array of strings.
#[derive(Debug, Clone, PartialEq)]
pub struct Payload(Vec<String>);

/// Two items.
impl Default for Payload {
    fn default() -> Payload {
        Payload::of_length(2)
    }
}

impl Payload {
    /// A list of these items.
    pub fn new(items: Vec<String>) -> Payload {
        Payload(items)
    }

    /// Parses a JSON array of strings, or a number of items.
    ///
    /// # Errors
    /// A sentence that says what is accepted.
    pub fn parse(text: &str) -> Result<Payload, String> {
        if text.starts_with('[')
            && let Ok(items) = serde_json::from_str(text)
        {
            return Ok(Payload(items));
        }
        let length = text.parse().ok().filter(|length| *length <= MAX_ITEMS);
        length.map(Payload::of_length).ok_or_else(|| {
            format!("write a JSON array of strings, or how many items, at most {MAX_ITEMS}")
        })
    }

    /// The number of items.
    pub fn items(&self) -> usize {
        self.0.len()
    }

    fn of_length(length: usize) -> Payload {
        Payload((1..=length).map(|n| format!("item{n}")).collect())
    }

    /// The request body.
    pub fn body(&self) -> Bytes {
        serde_json::Value::from(self.0.clone()).to_string().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_a_json_array() {
        for (payload, body) in [("2", r#"["item1","item2"]"#), (r#"["é\""]"#, r#"["é\""]"#)] {
            assert_eq!(Payload::parse(payload).unwrap().body(), body.as_bytes());
        }
    }
}

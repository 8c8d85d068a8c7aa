//! JSON objects: written field by field, and read by the names of fields. Code that serde derives for each type takes
//! several times the space.
//!
//! Reading refuses anything but one object, and a wanted field that is there twice.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::de::{Deserializer as _, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Deserializer, Error};

/// An object that is being written.
#[derive(Debug, Default)]
pub struct Object {
    fields: String,
}

impl Object {
    /// Adds a field whose value is JSON already.
    pub fn json(&mut self, name: &str, value: &str) -> &mut Object {
        if !self.fields.is_empty() {
            self.fields.push(',');
        }
        self.fields.push_str(&quoted(name));
        self.fields.push(':');
        self.fields.push_str(value);
        self
    }

    /// Adds a field whose value is JSON already, if there is one.
    pub fn optional_json(&mut self, name: &str, value: Option<&str>) -> &mut Object {
        match value {
            Some(value) => self.json(name, value),
            None => self,
        }
    }

    /// Adds a text.
    pub fn text(&mut self, name: &str, value: &str) -> &mut Object {
        self.json(name, &quoted(value))
    }

    /// Adds a text, if there is one.
    pub fn optional_text(&mut self, name: &str, value: Option<&str>) -> &mut Object {
        self.optional_json(name, value.map(quoted).as_deref())
    }

    /// Adds a whole number.
    pub fn number(&mut self, name: &str, value: u64) -> &mut Object {
        self.json(name, &value.to_string())
    }

    /// Adds a whole number, if there is one.
    pub fn optional_number(&mut self, name: &str, value: Option<u64>) -> &mut Object {
        self.optional_json(name, value.map(|value| value.to_string()).as_deref())
    }

    /// Adds a time: nanoseconds since 1970 as decimal text, since a JSON number may be read as a double.
    pub fn time(&mut self, name: &str, value: SystemTime) -> &mut Object {
        let since = value.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.text(name, &(since.as_nanos() as u64).to_string())
    }

    /// The object, whole.
    pub fn end(&self) -> String {
        ["{", &self.fields, "}"].concat()
    }

    /// The object without its closing brace.
    pub fn open(&self) -> String {
        ["{", &self.fields].concat()
    }
}

/// A text as JSON.
pub fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string is always JSON")
}

/// A number as JSON; `null` unless it is finite.
pub fn float(number: f64) -> String {
    serde_json::to_string(&number).expect("a number is always JSON")
}

/// Values as a list.
pub fn list(values: &[String]) -> String {
    ["[", &values.join(","), "]"].concat()
}

/// The values of these fields of an object, as they are written there.
///
/// # Errors
/// The text is not a JSON object, or has one of the fields twice.
pub fn fields<'j, const N: usize>(
    json: &'j [u8],
    names: [&str; N],
) -> Result<[Option<&'j RawValue>; N], Error> {
    let mut values = [None; N];
    read_fields(json, &names, &mut values)?;
    Ok(values)
}

fn read_fields<'j>(
    json: &'j [u8],
    names: &[&str],
    values: &mut [Option<&'j RawValue>],
) -> Result<(), Error> {
    let mut parser = Deserializer::from_slice(json);
    parser.deserialize_map(Fields { names, values })?;
    parser.end()
}

/// The names and values of an object of texts.
///
/// # Errors
/// The text is something else.
pub fn texts(json: &[u8]) -> Result<Vec<(String, String)>, Error> {
    let mut parser = Deserializer::from_slice(json);
    let texts = parser.deserialize_map(Texts)?;
    parser.end()?;
    Ok(texts)
}

struct Texts;

impl<'j> Visitor<'j> for Texts {
    type Value = Vec<(String, String)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'j>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut texts = Vec::new();
        while let Some(pair) = entries.next_entry()? {
            texts.push(pair);
        }
        Ok(texts)
    }
}

struct Fields<'f, 'j> {
    names: &'f [&'f str],
    values: &'f mut [Option<&'j RawValue>],
}

impl<'j> Visitor<'j> for Fields<'_, 'j> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'j>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(name) = entries.next_key::<String>()? {
            let value = entries.next_value()?;
            let wanted = self.names.iter().position(|wanted| *wanted == name);
            if let Some(at) = wanted
                && self.values[at].replace(value).is_some()
            {
                return Err(A::Error::custom("a field is there twice"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn writes_objects() {
        let time = UNIX_EPOCH + Duration::new(1_700_000_000, 7);
        let mut object = Object::default();
        object
            .text("a\"b", "line\n\u{1}\"é")
            .optional_text("absent", None)
            .number("most", u64::MAX)
            .optional_number("absent", None)
            .time("at", time)
            .time("before", UNIX_EPOCH - Duration::from_secs(1))
            .json("list", &list(&[float(0.5), float(f64::NAN)]));
        let expected = concat!(
            r#"{"a\"b":"line\n\u0001\"é","most":18446744073709551615,"#,
            r#""at":"1700000000000000007","before":"0","list":[0.5,null]}"#
        );
        assert_eq!(object.end(), expected);
        assert_eq!(Object::default().end(), "{}");
    }

    #[test]
    fn reads_fields_by_name() {
        let table = [
            ("{}", Some([None, None]), "none is there"),
            (
                r#" {"b": [1, {}] ,"x":0,"x":0,"\u0061":"y"} "#,
                Some([Some("\"y\""), Some("[1, {}]")]),
                "in any order, however their names are written",
            ),
            (r#"{"a":null}"#, Some([Some("null"), None]), "null"),
            (r#"{"a":1,"a":1}"#, None, "twice"),
            (r#"{"a":1} 2"#, None, "something follows"),
            (r#"{"x":01}"#, None, "no JSON in another field"),
            ("[1,2]", None, "a list"),
            ("", None, "nothing"),
        ];
        for (json, expected, reason) in table {
            let read = fields(json.as_bytes(), ["a", "b"]).ok();
            let read = read.map(|values| values.map(|value| value.map(RawValue::get)));
            assert_eq!(read, expected, "{reason}");
        }
    }
}

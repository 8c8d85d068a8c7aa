//! A pull parser for JSON (RFC 8259): value by value, without building a tree and without recursion.

use super::scalars::is_number;

/// The error for bytes that are not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed {
    /// The offset of the error.
    pub(super) at: usize,
}

/// A scalar value, or the beginning of an object or array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start<'b> {
    /// `{`. The keys are read by [`Reader::key`].
    Object,
    /// `[`. The elements are read by [`Reader::element`].
    Array,
    /// A string: the bytes between the quotes, escapes included.
    Text(&'b [u8]),
    /// A number as it is written.
    Number(&'b str),
    /// `true` or `false`
    Bool(bool),
    /// `null`
    Null,
}

/// Reads values.
#[derive(Debug)]
pub(super) struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Reader<'b> {
    /// A reader at the beginning.
    pub(super) fn new(bytes: &'b [u8]) -> Reader<'b> {
        Reader { bytes, at: 0 }
    }

    /// Whether nothing but white space is left.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    /// Reads a scalar value, or the beginning of an object or array.
    ///
    /// # Errors
    /// [`Malformed`] if the bytes are not JSON.
    pub(super) fn value(&mut self) -> Result<Start<'b>, Malformed> {
        match self.peek() {
            Some(b'{') => self.step(Start::Object),
            Some(b'[') => self.step(Start::Array),
            Some(b'"') => Ok(Start::Text(self.text()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => {
                let words = [
                    ("true", Start::Bool(true)),
                    ("false", Start::Bool(false)),
                    ("null", Start::Null),
                ];
                let rest = &self.bytes[self.at..];
                let word = words
                    .into_iter()
                    .find(|(word, _)| rest.starts_with(word.as_bytes()));
                let (word, value) = word.ok_or(self.malformed())?;
                self.at += word.len();
                Ok(value)
            }
            None => Err(self.malformed()),
        }
    }

    /// Reads the next key of an object. None at its end. `first` is true before the first key.
    ///
    /// # Errors
    /// [`Malformed`] if the bytes are not JSON.
    pub(super) fn key(&mut self, first: &mut bool) -> Result<Option<&'b [u8]>, Malformed> {
        if !self.more(b'}', first)? {
            return Ok(None);
        }
        if self.peek() != Some(b'"') {
            return Err(self.malformed());
        }
        let key = self.text()?;
        if self.peek() != Some(b':') {
            return Err(self.malformed());
        }
        self.at += 1;
        Ok(Some(key))
    }

    /// Whether an array has another element. `first` is true before the first one.
    ///
    /// # Errors
    /// [`Malformed`] if the bytes are not JSON.
    pub(super) fn element(&mut self, first: &mut bool) -> Result<bool, Malformed> {
        self.more(b']', first)
    }

    /// Skips the rest of a value.
    ///
    /// # Errors
    /// [`Malformed`] if the bytes are not JSON.
    pub(super) fn skip(&mut self, start: Start<'b>) -> Result<(), Malformed> {
        let mut open = Vec::new();
        let mut start = start;
        loop {
            let mut first = match start {
                Start::Object | Start::Array => {
                    open.push(start == Start::Object);
                    true
                }
                _ => false,
            };
            loop {
                let Some(is_object) = open.last() else {
                    return Ok(());
                };
                let more = match is_object {
                    true => self.key(&mut first)?.is_some(),
                    false => self.element(&mut first)?,
                };
                if more {
                    break;
                }
                open.pop();
                first = false;
            }
            start = self.value()?;
        }
    }

    fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    fn more(&mut self, end: u8, first: &mut bool) -> Result<bool, Malformed> {
        let next = self.peek();
        if next == Some(end) {
            self.at += 1;
            return Ok(false);
        }
        if !std::mem::replace(first, false) {
            if next != Some(b',') {
                return Err(self.malformed());
            }
            self.at += 1;
            // A trailing comma is not allowed.
            if self.peek() == Some(end) {
                return Err(self.malformed());
            }
        }
        Ok(true)
    }

    fn step(&mut self, start: Start<'b>) -> Result<Start<'b>, Malformed> {
        self.at += 1;
        Ok(start)
    }

    /// The bytes of a string up to its closing quote, escapes included.
    fn text(&mut self) -> Result<&'b [u8], Malformed> {
        let begin = self.at + 1;
        let mut end = begin;
        loop {
            match self.bytes.get(end) {
                Some(b'"') => break,
                Some(b'\\') => end += 2,
                Some(_) => end += 1,
                None => return Err(self.malformed()),
            }
        }
        self.at = end + 1;
        Ok(&self.bytes[begin..end])
    }

    fn number(&mut self) -> Result<Start<'b>, Malformed> {
        let rest = &self.bytes[self.at..];
        let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let length = rest.iter().take_while(|byte| is_part(byte)).count();
        let number = std::str::from_utf8(&rest[..length]).unwrap_or_default();
        if !is_number(number) {
            return Err(self.malformed());
        }
        self.at += length;
        Ok(Start::Number(number))
    }

    fn malformed(&self) -> Malformed {
        Malformed { at: self.at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skip(text: &str) -> Result<(), Malformed> {
        let mut reader = Reader::new(text.as_bytes());
        let start = reader.value()?;
        reader.skip(start)?;
        match reader.is_at_end() {
            true => Ok(()),
            false => Err(reader.malformed()),
        }
    }

    #[test]
    fn takes_what_serde_json_takes() {
        let table = [
            "{}",
            "[]",
            " { \"a\" : [ 1 , 2.5e-3, -0, true,false,null,\"x\\\"y\\\\\" ] , \"\":{} } ",
            "7",
            "\"\"",
            "[[[]]]",
            "[1,2",
            "[1,,2]",
            "[1,]",
            "[,1]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{1:2}",
            "01",
            "+1",
            ".5",
            "1.",
            "1e",
            "1e+",
            "-",
            "NaN",
            "Infinity",
            "nul",
            "tru",
            "\"",
            "\"\\",
            "\"\\\"",
            "[}",
            "{]",
            "]",
            "",
            " ",
            "1 2",
            "{\"a\":1 \"b\":2}",
            "[1 2]",
            "'a'",
            "{\"a\":[{\"b\":[]}],\"c\":[[],{}]}",
            "[{}{}]",
            "-0.0E+10",
            "1.5.2",
            "1-2",
            "--1",
        ];
        for text in table {
            let expected = serde_json::from_str::<serde_json::Value>(text).is_ok();
            assert_eq!(skip(text).is_ok(), expected, "{text}");
        }
    }

    #[test]
    fn depth_needs_no_stack() {
        let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
        assert_eq!(skip(&deep), Ok(()));
        assert!(skip(&deep[1..]).is_err());
    }

    #[test]
    fn says_where_it_breaks_off() {
        assert_eq!(skip("[1, x]"), Err(Malformed { at: 4 }));
    }
}

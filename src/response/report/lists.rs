//! The lists of a report: those that a service writes, and those that it reads in a downstream's report.
//!
//! Items that are read pass on as they are. Refuses a report of another version, items that are not objects, and
//! items that a strict JSON parser would refuse or that are nested deeper than a report is.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::VERSION;

/// How deep objects and lists may nest within an item. A hop has three levels of objects and two of lists.
const MAX_DEPTH: u8 = 8;

/// JSON values, separated by commas.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Items {
    json: String,
    count: u64,
}

impl Items {
    /// Appends a value.
    pub fn push(&mut self, json: &str) {
        self.append(json, 1);
    }

    /// Appends all of `items`.
    pub fn extend(&mut self, items: &Items) {
        if items.count > 0 {
            self.append(&items.json, items.count);
        }
    }

    fn append(&mut self, json: &str, count: u64) {
        if self.count > 0 {
            self.json.push(',');
        }
        self.json.push_str(json);
        self.count += count;
    }

    /// The values as they are written between brackets.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The number of bytes that the values add to a list, a comma included.
    pub fn size(&self) -> usize {
        self.json.len() + 1
    }
}

/// Numbers of spans and hops.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Spans.
    pub spans: u64,
    /// Hops.
    pub hops: u64,
}

impl Counts {
    /// The numbers that take the most digits.
    pub const MAX: Counts = Counts {
        spans: u64::MAX,
        hops: u64::MAX,
    };

    /// Adds `other`. A lying downstream may name any numbers.
    pub fn add(&mut self, other: Counts) {
        self.spans = self.spans.saturating_add(other.spans);
        self.hops = self.hops.saturating_add(other.hops);
    }
}

/// The lists of a report.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Lists {
    /// Hops.
    pub hops: Items,
    /// Spans.
    pub spans: Items,
    /// What the report leaves out.
    pub left_out: Items,
    /// Why the service that answered started a trace of its own, if it says so: an object.
    pub new_trace: Items,
    /// How much is left out, where it is known.
    cut: Counts,
}

impl Lists {
    /// Reads the lists in a downstream's report. `None` if it is no report of this version.
    pub fn read(body: &[u8]) -> Option<Lists> {
        #[derive(Deserialize)]
        struct Received<'a> {
            version: u64,
            #[serde(borrow)]
            hops: Vec<&'a RawValue>,
            #[serde(borrow)]
            spans: Vec<&'a RawValue>,
            #[serde(borrow)]
            left_out: Vec<&'a RawValue>,
            #[serde(borrow, default)]
            new_trace: Option<&'a RawValue>,
        }
        let received: Received<'_> = serde_json::from_slice(body).ok()?;
        if received.version != VERSION || received.hops.is_empty() {
            return None;
        }
        let mut cut = Counts::default();
        for entry in &received.left_out {
            // Entries without counts have none to add.
            cut.add(serde_json::from_str(entry.get()).unwrap_or_default());
        }
        Some(Lists {
            new_trace: objects(received.new_trace.as_slice())?,
            hops: objects(&received.hops)?,
            spans: objects(&received.spans)?,
            left_out: objects(&received.left_out)?,
            cut,
        })
    }

    /// How many spans and hops are missing if the lists are left out.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts {
            spans: self.spans.count,
            hops: self.hops.count,
        };
        counts.add(self.cut);
        counts
    }

    /// The number of bytes that the lists add to a report, at most.
    pub fn size(&self) -> usize {
        self.hops.size() + self.spans.size() + self.left_out.size()
    }

    /// Appends the items of `lists`.
    pub fn extend(&mut self, lists: &Lists) {
        self.hops.extend(&lists.hops);
        self.spans.extend(&lists.spans);
        self.left_out.extend(&lists.left_out);
    }
}

/// The items, if all are acceptable objects.
fn objects(values: &[&RawValue]) -> Option<Items> {
    let mut items = Items::default();
    for value in values {
        let json = value.get();
        let mut parser = serde_json::Deserializer::from_str(json);
        let is_strict = Nested(MAX_DEPTH).deserialize(&mut parser).is_ok();
        if !is_strict || !json.starts_with('{') {
            return None;
        }
        items.push(json);
    }
    Some(items)
}

/// Any JSON value that nests no deeper than this. Decodes strings and numbers, which skipping a value would not.
#[derive(Clone, Copy)]
struct Nested(u8);

impl Nested {
    fn inner<E: Error>(self) -> Result<Nested, E> {
        let Nested(depth) = self;
        let depth = depth.checked_sub(1);
        depth.map(Nested).ok_or_else(|| E::custom("too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Nested {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        while items.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        while entries.next_key_seed(inner)?.is_some() {
            entries.next_value_seed(inner)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(hops: &str, spans: &str, left_out: &str) -> Option<Lists> {
        let report = format!(
            r#"{{"version":2,"payload":[],"hops":{hops},"spans":{spans},"left_out":{left_out}}}"#
        );
        Lists::read(report.as_bytes())
    }

    #[test]
    fn reads_the_lists_of_a_report() {
        let left_out = r#"[{"hop":"x","reason":"no_report"},{"reason":"size","spans":3,"hops":1}]"#;
        let lists = read(
            r#"[{"a":[{}]}, {"b":1}]"#,
            r#"[ {"c" : "\u00e9"} ]"#,
            left_out,
        )
        .unwrap();
        assert_eq!(lists.hops.json(), r#"{"a":[{}]},{"b":1}"#);
        assert_eq!(lists.spans.json(), r#"{"c" : "\u00e9"}"#);
        assert_eq!(lists.left_out.json(), &left_out[1..left_out.len() - 1]);
        assert_eq!(lists.counts(), Counts { spans: 4, hops: 3 });
    }

    #[test]
    fn a_report_that_lies_is_none() {
        let deep =
            |levels: usize| format!("[{{\"a\":{}{}}}]", "[".repeat(levels), "]".repeat(levels));
        let table = [
            ("[{}]".to_owned(), "[]", true, "no more than needed"),
            ("[]".to_owned(), "[]", false, "no hop"),
            ("{}".to_owned(), "[]", false, "hops are no list"),
            ("[1]".to_owned(), "[]", false, "a hop that is no object"),
            ("[{}]".to_owned(), "[[]]", false, "a span that is no object"),
            ("[{}]".to_owned(), "null", false, "no spans"),
            (deep(7), "[]", true, "nested as deep as is allowed"),
            (deep(8), "[]", false, "nested too deep"),
            (deep(100_000), "[]", false, "nested much too deep"),
            (
                r#"[{"a":"\ud800"}]"#.to_owned(),
                "[]",
                false,
                "half a character",
            ),
            (
                r#"[{"a":1e999}]"#.to_owned(),
                "[]",
                false,
                "an infinite number",
            ),
            (r#"[{"a":01}]"#.to_owned(), "[]", false, "no JSON"),
        ];
        for (hops, spans, accepted, reason) in table {
            assert_eq!(read(&hops, spans, "[]").is_some(), accepted, "{reason}");
        }
        for (report, reason) in [
            (&b""[..], "nothing"),
            (b"[]", "no object"),
            (
                br#"{"service":"b","calls":[]}"#,
                "the nested report of before",
            ),
            (
                br#"{"version":3,"hops":[{}],"spans":[],"left_out":[]}"#,
                "a later version",
            ),
            (
                br#"{"version":2,"version":2,"hops":[{}],"spans":[],"left_out":[]}"#,
                "a field twice",
            ),
            (b"{\"version\":2,\"hops\":[{\"\xff\":1}]", "not UTF-8"),
            (&b" ".repeat(1 << 22), "spaces"),
        ] {
            assert_eq!(Lists::read(report), None, "{reason}");
        }
    }

    #[test]
    fn counts_of_a_lying_report_do_not_overflow() {
        let huge = u64::MAX;
        let entry = format!(r#"{{"spans":{huge},"hops":{huge}}}"#);
        let lists = read("[{}]", "[]", &format!("[{entry},{entry},{{\"spans\":-1}}]")).unwrap();
        assert_eq!(lists.counts(), Counts::MAX);
    }
}

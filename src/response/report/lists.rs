//! The lists of a report: those that a service writes, and those that it reads in a downstream's report.
//!
//! Items that are read pass on as they are. Refuses a report of another version, and items that are not acceptable
//! objects (see `strict`).

use serde_json::value::RawValue;

use super::VERSION;
use super::strict::is_strict_object;
use crate::json;

/// JSON values, separated by commas.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Items {
    json: String,
    count: u64,
}

impl Items {
    fn of(values: &[&str]) -> Items {
        Items {
            json: values.join(","),
            count: values.len() as u64,
        }
    }

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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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

    /// The numbers in an entry of `left_out`, zero where there are none. `None` if a number is there twice: readers
    /// would disagree.
    fn read(entry: &str) -> Option<Counts> {
        let fields = json::fields(entry.as_bytes(), ["spans", "hops"]).ok()?;
        let [spans, hops] = fields.map(|count| count.and_then(|count| count.get().parse().ok()));
        Some(Counts {
            spans: spans.unwrap_or_default(),
            hops: hops.unwrap_or_default(),
        })
    }

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
        let names = ["version", "hops", "spans", "left_out", "new_trace"];
        let [version, hops, spans, left_out, new_trace] = json::fields(body, names).ok()?;
        let (hops, spans, left_out) = (objects(hops?)?, objects(spans?)?, objects(left_out?)?);
        if version?.get().parse() != Ok(VERSION) || hops.is_empty() {
            return None;
        }
        let new_trace = new_trace.map(RawValue::get);
        if !new_trace.is_none_or(is_strict_object) {
            return None;
        }
        let mut cut = Counts::default();
        for entry in &left_out {
            cut.add(Counts::read(entry)?);
        }
        Some(Lists {
            new_trace: Items::of(new_trace.as_slice()),
            hops: Items::of(&hops),
            spans: Items::of(&spans),
            left_out: Items::of(&left_out),
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

/// The items of a list, if all are acceptable objects.
fn objects(list: &RawValue) -> Option<Vec<&str>> {
    let list: Vec<&RawValue> = serde_json::from_slice(list.get().as_bytes()).ok()?;
    let items = list.iter().map(|item| item.get());
    let are_objects = items.clone().all(is_strict_object);
    are_objects.then(|| items.collect())
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
        assert_eq!(
            read("[{}]", "[]", r#"[{"hops":1,"hops":2}]"#),
            None,
            "two counts"
        );
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

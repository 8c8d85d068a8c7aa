//! The filter parameters of a request: a condition in SQL, and the checks that SQL cannot do.

use http::Uri;

pub use self::attribute::AttributeFilter;
pub use self::query::{MAX_QUERY, MAX_TERMS, Query, QueryError};
pub use self::shape::Shape;
use crate::attribute_set;
use crate::otlp::hex;
use crate::otlp::service::service_name;
use crate::otlp::text::truncate;
use crate::response::Problem;
use crate::store::trace_row::service_in_json;
use crate::wasi::Value;

mod attribute;
mod query;
mod query_match;
mod query_sql;
mod shape;

use self::shape::OUTCOME_SQL;

/// The default of `limit`.
const LIMIT: i64 = 50;
/// The greatest value of `limit`.
pub const MAX_LIMIT: i64 = 200;
/// The most attributes, and the most calls, of one request.
const MAX_EACH: usize = 8;
/// The most ways to split an attribute or a call that the summaries are searched for.
const MAX_SPLITS: usize = 32;

/// The filter of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// The most traces.
    pub limit: i64,
    /// Only traces that changed after this number, in the order of their changes.
    pub changed_after: Option<i64>,
    /// Services that must each have a span in the trace.
    pub services: Vec<String>,
    /// Parts of span or service names, or whole trace ids.
    pub texts: Vec<TextFilter>,
    /// Calls between services.
    pub calls: Vec<CallFilter>,
    /// Attributes of spans or their resources.
    pub attributes: Vec<AttributeFilter>,
    /// The shape of the trace.
    pub shape: Option<Shape>,
    /// Whether the matching traces are counted.
    pub counts: bool,
    /// Whether traces of nothing but a request without a route are left out.
    pub leaves_out_unrouted: bool,
    /// Terms that spans have to meet, besides the other parameters.
    pub query: Query,
    conditions: Vec<String>,
    values: Vec<Value>,
}

/// A text to search for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFilter {
    lower: String,
    id: Option<[u8; 16]>,
}

impl TextFilter {
    fn new(text: &str) -> TextFilter {
        TextFilter {
            lower: text.to_lowercase(),
            id: hex::decode_id(text),
        }
    }

    /// Whether a name contains it, ignoring case.
    pub fn is_in(&self, name: &str) -> bool {
        name.to_lowercase().contains(&self.lower)
    }

    /// Whether it is the id of this trace.
    pub fn is_id(&self, trace: &[u8]) -> bool {
        self.id.is_some_and(|id| id == trace)
    }
}

/// A call: `caller>callee`. Service names may contain `>`, so every way to split the text counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFilter(Vec<(String, String)>);

impl CallFilter {
    /// None without a `>`, or with too many.
    fn parse(text: &str) -> Option<CallFilter> {
        let places = text.match_indices('>');
        let splits = places.map(|(at, _)| (&text[..at], &text[at + 1..]));
        let known = |service| service_name(Some(service)).to_string();
        let splits = splits.map(|(caller, callee)| (known(caller), known(callee)));
        let splits: Vec<_> = splits.take(MAX_SPLITS + 1).collect();
        (1..=MAX_SPLITS)
            .contains(&splits.len())
            .then_some(CallFilter(splits))
    }

    /// Whether it is the call between these services.
    pub fn matches(&self, caller: &str, callee: &str) -> bool {
        self.0
            .iter()
            .any(|split| split.0 == caller && split.1 == callee)
    }

    /// Whether the services of one of its splits are all present.
    pub fn may_be_among(&self, has: impl Fn(&str) -> bool) -> bool {
        self.0
            .iter()
            .any(|(caller, callee)| has(caller) && has(callee))
    }
}

impl Filter {
    /// Parses the query of a URI.
    ///
    /// ```
    /// use tracing_tail_viewer::filter::Filter;
    ///
    /// let filter = Filter::read(&"/?service=shop&limit=10".parse().unwrap()).unwrap();
    /// assert_eq!((filter.limit, &filter.services[0][..]), (10, "shop"));
    /// assert!(Filter::read(&"/?colour=red".parse().unwrap()).is_err());
    /// ```
    ///
    /// # Errors
    /// 400 for an unknown or malformed parameter.
    pub fn read(uri: &Uri) -> Result<Filter, Problem> {
        let mut filter = Filter {
            limit: LIMIT,
            changed_after: None,
            services: Vec::new(),
            texts: Vec::new(),
            calls: Vec::new(),
            attributes: Vec::new(),
            shape: None,
            counts: false,
            leaves_out_unrouted: true,
            query: Query::default(),
            conditions: Vec::new(),
            values: Vec::new(),
        };
        let query = uri.query().unwrap_or_default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let whole = |most: i64| whole(&name, &value, most);
            match &*name {
                "limit" => filter.limit = whole(MAX_LIMIT)?.max(1),
                "changed_after" => filter.changed_after = Some(whole(i64::MAX)?),
                "before" => filter.and("t.id < ?", [whole(i64::MAX)?.into()]),
                "from" => filter.and("t.start_ns >= ?", [nanos(whole(MAX_MILLIS)?).into()]),
                "to" => filter.and("t.start_ns < ?", [nanos(whole(MAX_MILLIS)?).into()]),
                "min_duration" | "max_duration" => {
                    let bound = milliseconds(&value).ok_or_else(|| {
                        malformed(&name, &value, "a number of milliseconds, such as 12.5")
                    })?;
                    let condition = match &*name {
                        "min_duration" => "t.duration_ns >= ?",
                        _ => "t.duration_ns <= ?",
                    };
                    filter.and(condition, [bound.into()]);
                }
                "q" if !filter.query.terms.is_empty() => {
                    return Err(Problem::bad_request("q: there is one query in a request"));
                }
                "q" => {
                    let query = Query::parse(&value);
                    filter.query(query.map_err(|error| Problem::bad_request(error.to_string()))?);
                }
                "errors" => match &*value {
                    "true" => filter.and("t.errors > 0", []),
                    "false" | "" => {}
                    _ => return Err(malformed(&name, &value, "true or false")),
                },
                "unrouted" => match &*value {
                    "true" => filter.leaves_out_unrouted = false,
                    "false" | "" => {}
                    _ => return Err(malformed(&name, &value, "true or false")),
                },
                "count" => match &*value {
                    "true" => filter.counts = true,
                    "false" | "" => {}
                    _ => return Err(malformed(&name, &value, "true or false")),
                },
                "shape" if !value.is_empty() => {
                    let shape = Shape::parse(&value)
                        .ok_or_else(|| malformed(&name, &value, "a shape, as groups have it"))?;
                    filter.of_shape(shape);
                }
                "trace_id" => {
                    // Whoever knows the id wants that trace.
                    filter.leaves_out_unrouted = false;
                    let id = hex::decode_id(&value).ok_or_else(|| {
                        malformed(&name, &value, "32 hexadecimal digits, not all 0")
                    })?;
                    filter.and(OF_ID, of_id(id));
                }
                "service" if !value.is_empty() => filter.service(&value),
                "calls" if !value.is_empty() => filter.call(&name, &value)?,
                "text" if !value.trim().is_empty() => filter.text(value.trim()),
                "attribute" if !value.is_empty() => filter.attribute(&name, &value)?,
                "service" | "calls" | "text" | "attribute" | "shape" => {}
                _ => {
                    return Err(Problem::bad_request(format!(
                        "there is no parameter '{name}'"
                    )));
                }
            }
        }
        if filter.leaves_out_unrouted {
            filter.and("t.unrouted = 0", []);
        }
        if let Some(after) = filter.changed_after {
            filter.and("t.changed > ?", [after.into()]);
        }
        Ok(filter)
    }

    /// The query `q` of a URI, which has no other parameter.
    ///
    /// # Errors
    /// 400 for another parameter, or a query that is not understood.
    pub fn read_query(uri: &Uri) -> Result<Query, Problem> {
        let query = uri.query().unwrap_or_default();
        let parameters = form_urlencoded::parse(query.as_bytes());
        if let Some((name, _)) = parameters.into_iter().find(|(name, _)| name != "q") {
            let problem = format!("there is no parameter '{name}'");
            return Err(Problem::bad_request(problem));
        }
        Filter::read(uri).map(|filter| filter.query)
    }

    fn and(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        self.conditions.push(condition.to_owned());
        self.values.extend(values);
    }

    fn service(&mut self, service: &str) {
        let service = service_name(Some(service)).into_owned();
        self.and(HAS_SERVICE, [service_in_json(&service).into()]);
        self.services.push(service);
    }

    fn of_shape(&mut self, shape: Shape) {
        let condition = format!("t.service = ? AND t.name = ? AND {OUTCOME_SQL} = ?");
        let texts = [&shape.service, &shape.name, &shape.outcome];
        let texts = texts.map(|text| text.as_str().into());
        self.and(&condition, texts);
        self.shape = Some(shape);
    }

    /// Whether the condition in SQL is all of it.
    pub fn is_decided_by_sql(&self) -> bool {
        let parts = [self.services.len(), self.texts.len(), self.calls.len()];
        parts
            .iter()
            .chain([&self.attributes.len(), &self.query.terms.len()])
            .all(|many| *many == 0)
            && self.shape.is_none()
    }

    fn call(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        let accepted = format!("caller>callee, with at most {MAX_SPLITS} '>' in it");
        let call = CallFilter::parse(value).ok_or_else(|| malformed(name, value, &accepted))?;
        check_many(name, value, self.calls.len())?;
        let splits = call.0.iter();
        let splits = splits.flat_map(|(caller, callee)| [caller, callee]);
        let values: Vec<_> = splits
            .map(|service| service_in_json(service).into())
            .collect();
        let split = format!("({HAS_SERVICE} AND {HAS_SERVICE})");
        let any = vec![split; call.0.len()].join(" OR ");
        self.and(&format!("({any})"), values);
        self.calls.push(call);
        Ok(())
    }

    fn attribute(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        let wanted =
            AttributeFilter::parse(value).ok_or_else(|| malformed(name, value, "key=value"))?;
        check_many(name, value, self.attributes.len())?;
        if let Some(hashes) = wanted.hashes() {
            let any = vec!["instr(t.attributes, ?) > 0"; hashes.len()].join(" OR ");
            let hashes = hashes
                .iter()
                .map(|hash| attribute_set::encode_hash(*hash).to_vec().into());
            self.and(&format!("(t.attributes IS NULL OR {any})"), hashes);
        }
        self.attributes.push(wanted);
        Ok(())
    }

    /// Part of a span's name or of a service's, or a whole trace id.
    fn text(&mut self, text: &str) {
        let filter = TextFilter::new(text);
        self.may_have(&filter, text);
        self.texts.push(filter);
    }

    /// Selects the traces that may have a text.
    fn may_have(&mut self, filter: &TextFilter, text: &str) {
        self.leaves_out_unrouted &= filter.id.is_none();
        let like = pattern(text);
        let named =
            "t.names IS NULL OR t.names LIKE ? ESCAPE '\\' OR t.services LIKE ? ESCAPE '\\'";
        let values = [like.as_str().into(), like.as_str().into()].into_iter();
        match filter.id {
            Some(id) => self.and(&format!("({named} OR ({OF_ID}))"), values.chain(of_id(id))),
            None => self.and(&format!("({named})"), values),
        }
    }

    /// The SQL condition on a trace `t`, and the values of its parameters.
    pub fn sql(&self) -> (String, Vec<Value>) {
        let all = std::iter::once("1".to_owned()).chain(self.conditions.iter().cloned());
        let all: Vec<_> = all.collect();
        (all.join(" AND "), self.values.clone())
    }
}

/// Whether a trace `t` has a service, whose JSON form is the parameter.
const HAS_SERVICE: &str = "instr(t.services, ?) > 0";
/// Whether a trace `t` has an id.
const OF_ID: &str = "t.key = ? AND t.trace_id = ?";

fn of_id(id: [u8; 16]) -> [Value; 2] {
    [
        crate::store::trace_row::key(&id).into(),
        Value::Blob(id.to_vec()),
    ]
}

fn check_many(name: &str, value: &str, before: usize) -> Result<(), Problem> {
    if before < MAX_EACH {
        return Ok(());
    }
    let most = format!("one of the first {MAX_EACH}, and no more are looked for");
    Err(malformed(name, value, &most))
}

/// The LIKE pattern of a text anywhere in a column. It may match more than the text: LIKE ignores the case of ASCII only,
/// and a JSON column escapes some characters, so these become wildcards.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in truncate(text).chars() {
        match character {
            '%' | '_' => pattern.extend(['\\', character]),
            '"' | '\\' => pattern.push('%'),
            ' '..='~' => pattern.push(character),
            _ => pattern.push('%'),
        }
    }
    pattern.push('%');
    pattern
}

/// The latest time that 64 bits hold in nanoseconds, in milliseconds.
const MAX_MILLIS: i64 = i64::MAX / 1_000_000;

fn nanos(millis: i64) -> i64 {
    millis * 1_000_000
}

/// Parses milliseconds, with decimals, into nanoseconds.
fn milliseconds(text: &str) -> Option<i64> {
    let millis: f64 = text.trim().parse().ok()?;
    // 2^53 nanoseconds are a hundred days.
    let most = 9_000_000_000.0;
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    (0.0..=most)
        .contains(&millis)
        .then_some((millis * 1e6) as i64)
}

fn whole(name: &str, value: &str, most: i64) -> Result<i64, Problem> {
    match value.parse() {
        Ok(number) if (0..=most).contains(&number) => Ok(number),
        _ => Err(malformed(
            name,
            value,
            &format!("a whole number from 0 to {most}"),
        )),
    }
}

fn malformed(name: &str, value: &str, accepted: &str) -> Problem {
    let value = truncate(value);
    Problem::bad_request(format!("{name}: '{value}' is not {accepted}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Filter, Problem> {
        Filter::read(&format!("/?{query}").parse().unwrap())
    }

    #[test]
    fn refuses_by_name_what_it_does_not_understand() {
        let table = [
            ("limit=x", "limit: 'x' is not a whole number from 0 to 200"),
            (
                "limit=201",
                "limit: '201' is not a whole number from 0 to 200",
            ),
            (
                "min_duration=-1",
                "min_duration: '-1' is not a number of milliseconds, such as 12.5",
            ),
            (
                "min_duration=NaN",
                "min_duration: 'NaN' is not a number of milliseconds, such as 12.5",
            ),
            ("errors=1", "errors: '1' is not true or false"),
            ("attribute=k", "attribute: 'k' is not key=value"),
            (
                "calls=a",
                "calls: 'a' is not caller>callee, with at most 32 '>' in it",
            ),
            (
                "trace_id=0",
                "trace_id: '0' is not 32 hexadecimal digits, not all 0",
            ),
            (
                "from=99999999999999999",
                "from: '99999999999999999' is not a whole number from 0 to 9223372036854",
            ),
            ("colour=red", "there is no parameter 'colour'"),
        ];
        for (query, expected) in table {
            assert_eq!(read(query).unwrap_err().detail, expected);
        }
        assert!(read(&"attribute=k=v&".repeat(9)).is_err());
    }

    #[test]
    fn what_a_user_writes_is_a_value_and_never_sql() {
        let (sql, values) = read("service=%27;drop&text=50%25_x").unwrap().sql();
        assert!(!sql.contains("drop"), "{sql}");
        assert_eq!(values[0], Value::from("\"';drop\""));
        assert_eq!(values[1], Value::from("%50\\%\\_x%"));
    }

    #[test]
    fn a_call_is_split_at_each_place_where_it_can_be() {
        let filter = read("calls=a%3Eb%3Ec").unwrap();
        let call = &filter.calls[0];
        assert!(call.matches("a", "b>c") && call.matches("a>b", "c"));
        assert!(!call.matches("a", "c") && !call.matches("b", "c") && !call.matches("a>", "b>c"));
        let (_, values) = filter.sql();
        assert_eq!(values.len(), 4, "two ways, two services each: {values:?}");
        assert!(read(&format!("calls={}", "%3E".repeat(32))).is_ok());
        assert!(read(&format!("calls={}", "%3E".repeat(33))).is_err());
    }

    #[test]
    fn a_text_is_found_in_any_case_and_may_be_an_id() {
        let text = |text: &str| read(&format!("text={text}")).unwrap().texts.remove(0);
        assert!(text("STRASSE%20%C3%84").is_in("die strasse \u{e4}rger"));
        let id = text("0102030405060708090a0b0c0d0e0f10");
        assert!(id.is_in("job 0102030405060708090A0B0C0D0E0F10"));
        assert!(id.is_id(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]));
        assert!(!id.is_id(&[0; 16]) && !text("0102").is_id(&[1, 2]));
        let (_, values) = read("text=a%22%C3%A4%00%5Cb").unwrap().sql();
        assert_eq!(
            values[0],
            Value::from("%a%%%%b%"),
            "what LIKE or JSON reads otherwise is left open"
        );
    }
}

//! Which traces a request asks for: its query string, as a condition in SQL that a trace must meet, and
//! what has to be looked at beyond it.

use http::Uri;

use crate::host::Value;
use crate::ids::parse;
use crate::receive::attributes;
use crate::receive::spans::cut;
use crate::respond::Problem;
use crate::store::trace::service_in_json;

/// How many traces an answer has without `limit`.
const LIMIT: i64 = 50;
/// The most that `limit` may ask for.
pub const MAX_LIMIT: i64 = 200;
/// The most attributes of one request.
const MAX_ATTRIBUTES: usize = 8;

/// What a request asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// The most traces.
    pub limit: i64,
    /// Only what has changed after this number, in the order of changes.
    pub changed_after: Option<i64>,
    /// A span of each of these services.
    pub services: Vec<String>,
    /// Part of a span's name or a service's, in any case.
    pub texts: Vec<String>,
    /// A call from the first service to the second.
    pub calls: Vec<(String, String)>,
    /// An attribute of a span or its resource.
    pub attributes: Vec<(String, String)>,
    conditions: Vec<String>,
    values: Vec<Value>,
}

impl Filter {
    /// Reads a query string.
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
                "from" => filter.and("t.start_ns >= ?", [nanos(whole(MOST_MILLIS)?).into()]),
                "to" => filter.and("t.start_ns < ?", [nanos(whole(MOST_MILLIS)?).into()]),
                "min_duration" => {
                    let least = milliseconds(&value).ok_or_else(|| {
                        malformed(&name, &value, "a number of milliseconds, such as 12.5")
                    })?;
                    filter.and("t.duration_ns >= ?", [least.into()]);
                }
                "errors" => match &*value {
                    "true" => filter.and("t.errors > 0", []),
                    "false" | "" => {}
                    _ => return Err(malformed(&name, &value, "true or false")),
                },
                "service" if !value.is_empty() => filter.service(&value),
                "calls" if !value.is_empty() => {
                    let Some((caller, callee)) = value.split_once('>') else {
                        return Err(malformed(&name, &value, "caller>callee"));
                    };
                    filter.service(caller);
                    filter.service(callee);
                    filter
                        .calls
                        .push((service_name(caller), service_name(callee)));
                }
                "text" if !value.trim().is_empty() => filter.text(value.trim()),
                "attribute" if !value.is_empty() => {
                    let Some((key, value)) = value.split_once('=') else {
                        return Err(malformed(&name, &value, "key=value"));
                    };
                    if filter.attributes.len() == MAX_ATTRIBUTES {
                        let most = format!("no more than {MAX_ATTRIBUTES} attributes");
                        return Err(malformed(&name, value, &most));
                    }
                    filter.attribute(key.trim(), value.trim());
                }
                "service" | "calls" | "text" | "attribute" => {}
                _ => return Err(Problem::bad(format!("there is no parameter '{name}'"))),
            }
        }
        if let Some(after) = filter.changed_after {
            filter.and("t.changed > ?", [after.into()]);
        }
        Ok(filter)
    }

    fn and<const N: usize>(&mut self, condition: &str, values: [Value; N]) {
        self.conditions.push(condition.to_owned());
        self.values.extend(values);
    }

    fn service(&mut self, service: &str) {
        let service = service_name(service);
        self.and(
            "instr(t.services, ?) > 0",
            [service_in_json(&service).into()],
        );
        self.services.push(service);
    }

    fn attribute(&mut self, key: &str, value: &str) {
        let (key, value) = (cut(key), cut(value));
        let number = attributes::encode(attributes::number(key, value));
        self.and(
            "(t.attributes IS NULL OR instr(t.attributes, ?) > 0)",
            [Value::Blob(number.to_vec())],
        );
        self.attributes.push((key.to_owned(), value.to_owned()));
    }

    /// Part of a span's name or of a service's, or a whole trace id.
    fn text(&mut self, text: &str) {
        if let Some(id) = parse::<16>(text) {
            let key = crate::store::trace::key(&id);
            return self.and(
                "t.key = ? AND t.trace_id = ?",
                [key.into(), Value::Blob(id.to_vec())],
            );
        }
        let text = cut(text);
        let in_json = service_in_json(text);
        let in_json = &in_json[1..in_json.len() - 1];
        self.and(
            "(t.names IS NULL OR t.names LIKE ? ESCAPE '\\' OR t.services LIKE ? ESCAPE '\\')",
            [pattern(text).into(), pattern(in_json).into()],
        );
        self.texts.push(text.to_ascii_lowercase());
    }

    /// The condition on a trace `t`, and the values of its `?`.
    pub fn sql(&self) -> (String, Vec<Value>) {
        let all = std::iter::once("1".to_owned()).chain(self.conditions.iter().cloned());
        let all: Vec<_> = all.collect();
        (all.join(" AND "), self.values.clone())
    }
}

/// A service's name as it is stored.
fn service_name(service: &str) -> String {
    crate::receive::spans::service_name(Some(service)).into_owned()
}

/// What LIKE finds a text by, anywhere.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

/// The latest time in nanoseconds that 64 bits hold, in milliseconds.
const MOST_MILLIS: i64 = i64::MAX / 1_000_000;

fn nanos(millis: i64) -> i64 {
    millis * 1_000_000
}

/// Milliseconds, decimals allowed, as nanoseconds.
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
    let value = cut(value);
    Problem::bad(format!("{name}: '{value}' is not {accepted}"))
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
            ("calls=a", "calls: 'a' is not caller>callee"),
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
}

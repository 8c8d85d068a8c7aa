//! The query language of `q`: `service=fraud status>=500 name~"POST" duration>200ms -env=test`.
//!
//! A query is a list of terms. One span has to meet all of them, and no span may meet a negated one. This file reads the
//! text and refuses what it does not understand, with the place; `query_match` compares spans. It is pure and bounded.

use std::fmt;

use super::TextFilter;
use crate::otlp::service::service_name;

/// The most characters of a query.
pub const MAX_QUERY: usize = 1_000;
/// The most terms of a query.
pub const MAX_TERMS: usize = 16;

/// The attributes that `status` compares with a number: today's name and the one before it.
const STATUS_KEYS: [&str; 2] = ["http.response.status_code", "http.status_code"];
/// The attributes that `env` stands for.
const ENV_KEYS: [&str; 3] = [
    "deployment.environment.name",
    "deployment.environment",
    "env",
];

/// The terms of a query.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    /// At most [`MAX_TERMS`].
    pub terms: Vec<Term>,
}

/// One term.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// Whether no span may meet it.
    pub negated: bool,
    /// What a span has to meet.
    pub condition: Condition,
}

/// A condition on a span.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// A free word: part of the span's name or its service's, or the whole trace id.
    Words(TextFilter),
    /// The name of the service.
    Service(Test),
    /// The name of the span.
    Name(Test),
    /// The kind, such as `SERVER`.
    Kind(Test),
    /// Whether the span's status is an error.
    Error(bool),
    /// How long the span took, in nanoseconds.
    Duration(Operator, i64),
    /// An attribute with one of these keys, of the span or its resource.
    Attribute(Vec<String>, Test),
}

/// How a text is compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// How.
    pub operator: Operator,
    /// With what. In lower case for [`Operator::Contains`].
    pub value: String,
}

/// An operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Equal,
    /// `!=`: it is there, and another one.
    NotEqual,
    /// `>=`
    AtLeast,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `<`
    Less,
    /// `~`: contains, in any case.
    Contains,
}

/// Every operator, those that begin with another one first.
const OPERATORS: [(&str, Operator); 7] = [
    ("!=", Operator::NotEqual),
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Contains),
];

impl Operator {
    /// Whether it compares by order, and so needs numbers.
    pub fn is_order(self) -> bool {
        !matches!(
            self,
            Operator::Equal | Operator::NotEqual | Operator::Contains
        )
    }
}

/// Why a query is refused, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryError {
    /// The character at fault, from 1; one after the last if something is missing at the end.
    pub position: usize,
    /// What is wrong, and what is accepted.
    pub reason: String,
}

impl fmt::Display for QueryError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "q: character {}: {}", self.position, self.reason)
    }
}

impl Query {
    /// Parses a query. A text of nothing but spaces has no terms.
    ///
    /// ```
    /// use tracing_tail_viewer::filter::Query;
    ///
    /// assert_eq!(Query::parse("service=shop -env=test").unwrap().terms.len(), 2);
    /// assert_eq!(Query::parse("duration>fast").unwrap_err().position, 10);
    /// ```
    ///
    /// # Errors
    /// The first character at fault, and why.
    pub fn parse(text: &str) -> Result<Query, QueryError> {
        let mut reader = Reader {
            characters: text.chars().take(MAX_QUERY + 1).collect(),
            at: 0,
        };
        if reader.characters.len() > MAX_QUERY {
            let reason = format!("a query has at most {MAX_QUERY} characters");
            return Err(reader.error(MAX_QUERY, &reason));
        }
        let mut terms = Vec::new();
        loop {
            reader.skip_spaces();
            if reader.peek().is_none() {
                return Ok(Query { terms });
            }
            if terms.len() == MAX_TERMS {
                let reason = format!("a query has at most {MAX_TERMS} terms");
                return Err(reader.error(reader.at, &reason));
            }
            terms.push(reader.term()?);
        }
    }
}

/// Reads a query, one character after the other.
struct Reader {
    characters: Vec<char>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek();
        self.at += usize::from(character.is_some());
        character
    }

    fn is_at_end(&self) -> bool {
        self.peek().is_none_or(char::is_whitespace)
    }

    fn skip_spaces(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    #[inline(never)]
    fn error(&self, at: usize, reason: &str) -> QueryError {
        QueryError {
            position: at + 1,
            reason: reason.to_owned(),
        }
    }

    fn term(&mut self) -> Result<Term, QueryError> {
        let start = self.at;
        let negated = self.peek() == Some('-');
        self.at += usize::from(negated);
        if negated && self.is_at_end() {
            return Err(self.error(start, "'-' stands before what it negates, without a space"));
        }
        let key_at = self.at;
        let is_quoted = self.peek() == Some('"');
        let key = match is_quoted {
            true => self.quoted()?,
            false => self.bare(|reader| reader.operator().is_some()),
        };
        let Some((sign, operator)) = self.operator() else {
            if !self.is_at_end() {
                return Err(self.error(self.at, "a space or an operator follows a quoted text"));
            }
            let condition = Condition::Words(TextFilter::new(key.trim()));
            return Ok(Term { negated, condition });
        };
        if key.is_empty() && !is_quoted {
            let reason = "a key stands before an operator, without a space, as in status>=500";
            return Err(self.error(key_at, reason));
        }
        self.at += sign.len();
        let value_at = self.at;
        if self.is_at_end() {
            let reason = "a value follows the operator, without a space; \"\" is the empty one";
            return Err(self.error(value_at, reason));
        }
        let value = match self.peek() {
            Some('"') => self.quoted()?,
            _ => self.bare(|_| false),
        };
        if !self.is_at_end() {
            return Err(self.error(self.at, "a space follows a quoted text"));
        }
        let condition = match is_quoted {
            true => attribute(vec![key], operator, value),
            false => condition(key, operator, value),
        };
        let condition = condition.map_err(|reason| self.error(value_at, &reason))?;
        Ok(Term { negated, condition })
    }

    /// The operator that begins here.
    fn operator(&self) -> Option<(&'static str, Operator)> {
        let rest = &self.characters[self.at..];
        let begins = |sign: &str| {
            let mut rest = rest.iter();
            sign.chars().all(|one| rest.next() == Some(&one))
        };
        OPERATORS.into_iter().find(|(sign, _)| begins(sign))
    }

    /// A text without quotes: until a space or what ends it.
    fn bare(&mut self, ends: impl Fn(&Reader) -> bool) -> String {
        let start = self.at;
        while !self.is_at_end() && !ends(self) {
            self.at += 1;
        }
        self.characters[start..self.at].iter().collect()
    }

    /// A text in quotes, in which `\` makes the next character stand for itself.
    fn quoted(&mut self) -> Result<String, QueryError> {
        let start = self.at;
        let mut text = String::new();
        self.at += 1;
        while let Some(character) = self.next() {
            match character {
                '"' => return Ok(text),
                '\\' => text.extend(self.next()),
                other => text.push(other),
            }
        }
        Err(self.error(start, "the text that begins here has no closing '\"'"))
    }
}

/// The condition of a key that was not quoted, or why it has none.
fn condition(key: String, operator: Operator, value: String) -> Result<Condition, String> {
    let text = |of: fn(Test) -> Condition| match operator.is_order() {
        true => Err(format!("{key} is a text: = != or ~ compare it")),
        false => Ok(of(test(operator, value.clone()))),
    };
    match &*key {
        // A long name is stored truncated, and no name has one of its own.
        "service" if !matches!(operator, Operator::Contains) && !operator.is_order() => {
            let value = service_name(Some(&value)).into_owned();
            Ok(Condition::Service(test(operator, value)))
        }
        "service" => text(Condition::Service),
        "name" => text(Condition::Name),
        "kind" => text(Condition::Kind),
        "duration" => match (operator, nanoseconds(&value)) {
            (Operator::Contains, _) => Err("a duration is compared by = != > < >= <=".to_owned()),
            (_, Some(nanos)) => Ok(Condition::Duration(operator, nanos)),
            (_, None) => Err(format!(
                "'{value}' is not a duration such as 200ms; the units are ns, us, ms, s, m, h"
            )),
        },
        "status" => match (operator, &*value) {
            (Operator::Equal, "error") | (Operator::NotEqual, "ok") => Ok(Condition::Error(true)),
            (Operator::Equal, "ok") | (Operator::NotEqual, "error") => Ok(Condition::Error(false)),
            (Operator::Contains, _) => attribute(keys(&STATUS_KEYS), operator, value),
            (_, code) if number(code).is_some() => attribute(keys(&STATUS_KEYS), operator, value),
            _ => Err(format!(
                "'{value}' is not error, ok or a status code such as 500"
            )),
        },
        "env" => attribute(keys(&ENV_KEYS), operator, value),
        _ => attribute(vec![key], operator, value),
    }
}

fn keys(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

fn test(operator: Operator, value: String) -> Test {
    let value = match operator {
        Operator::Contains => value.to_lowercase(),
        _ => value,
    };
    Test { operator, value }
}

fn attribute(keys: Vec<String>, operator: Operator, value: String) -> Result<Condition, String> {
    if operator.is_order() && number(&value).is_none() {
        return Err(format!(
            "'{value}' is not a number; only duration has units"
        ));
    }
    Ok(Condition::Attribute(keys, test(operator, value)))
}

/// A number, not NaN.
pub(super) fn number(text: &str) -> Option<f64> {
    let number: f64 = text.trim().parse().ok()?;
    (!number.is_nan()).then_some(number)
}

/// A duration with its unit, in nanoseconds, up to 100 days. `0` needs no unit.
fn nanoseconds(text: &str) -> Option<i64> {
    let digits = text
        .find(|one: char| !one.is_ascii_digit() && one != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().ok()?;
    let factor = match unit {
        "ns" => 1.0,
        "us" | "µs" | "μs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "m" | "min" => 60e9,
        "h" => 3600e9,
        "" if number == 0.0 => 1.0,
        _ => return None,
    };
    let nanos = (number * factor).round();
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    (0.0..=9e15).contains(&nanos).then_some(nanos as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Term {
        let mut query = Query::parse(text).unwrap();
        assert_eq!(query.terms.len(), 1, "{text}");
        query.terms.remove(0)
    }

    fn of(operator: Operator, value: &str) -> Test {
        test(operator, value.to_owned())
    }

    fn key(key: &str, operator: Operator, value: &str) -> Condition {
        Condition::Attribute(vec![key.to_owned()], of(operator, value))
    }

    #[test]
    fn reads_each_kind_of_term() {
        use Operator::{AtLeast, AtMost, Contains, Equal, Greater, Less, NotEqual};
        let table = [
            ("service=fraud", Condition::Service(of(Equal, "fraud"))),
            ("service!=fraud", Condition::Service(of(NotEqual, "fraud"))),
            ("name~\"POST /a\"", Condition::Name(of(Contains, "post /a"))),
            ("kind=SERVER", Condition::Kind(of(Equal, "SERVER"))),
            ("status=error", Condition::Error(true)),
            ("status!=error", Condition::Error(false)),
            ("duration>200ms", Condition::Duration(Greater, 200_000_000)),
            ("duration<=1.5s", Condition::Duration(AtMost, 1_500_000_000)),
            ("duration<3µs", Condition::Duration(Less, 3_000)),
            ("duration>0", Condition::Duration(Greater, 0)),
            ("items>=7", key("items", AtLeast, "7")),
            ("q=a=b", key("q", Equal, "a=b")),
            ("\"name\"=x", key("name", Equal, "x")),
            ("k=\"\"", key("k", Equal, "")),
            (r#"k="a\"b\\""#, key("k", Equal, "a\"b\\")),
            ("a!b=c", key("a!b", Equal, "c")),
        ];
        for (text, condition) in table {
            assert_eq!(one(text).condition, condition, "{text}");
            let negated = one(&format!(" -{text} "));
            assert!(negated.negated && negated.condition == condition, "{text}");
        }
        let Condition::Attribute(keys, _) = one("status>=500").condition else {
            panic!("a status code is an attribute");
        };
        assert_eq!(keys, STATUS_KEYS);
        assert_eq!(Query::parse(" \t ").unwrap(), Query::default());
        assert_eq!(Query::parse("two words").unwrap().terms.len(), 2);
        assert_eq!(Query::parse("\"one text\"").unwrap().terms.len(), 1);
    }

    #[test]
    fn says_where_and_why_it_does_not_understand() {
        let table = [
            ("duration>200", 10, "not a duration such as 200ms"),
            ("a=1 duration>x", 14, "not a duration"),
            ("status>=bad", 9, "not error, ok or a status code"),
            ("items>many", 7, "not a number"),
            ("name>7", 6, "name is a text"),
            ("duration~7", 10, "compared by"),
            ("k=", 3, "a value follows"),
            ("k= v", 3, "a value follows"),
            ("status >= 500", 8, "a key stands before"),
            ("a \"open", 3, "no closing"),
            ("k=\"v\"w", 6, "a space follows"),
            ("\"w\"v", 4, "a space or an operator"),
            ("- a", 1, "'-' stands before"),
            ("é=1 ü>x", 7, "not a number"),
        ];
        for (text, position, reason) in table {
            let error = Query::parse(text).unwrap_err();
            assert_eq!(error.position, position, "{text}: {error}");
            assert!(error.reason.contains(reason), "{text}: {error}");
        }
        assert!(Query::parse(&"a ".repeat(MAX_TERMS)).is_ok());
        assert!(Query::parse(&"a ".repeat(MAX_TERMS + 1)).is_err());
        assert!(Query::parse(&"a".repeat(MAX_QUERY)).is_ok());
        assert!(Query::parse(&"a".repeat(MAX_QUERY + 1)).is_err());
    }
}

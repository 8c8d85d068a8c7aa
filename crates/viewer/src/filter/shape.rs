//! The shape of a trace: what those that went the same way have in common. Traces are grouped by it, and a filter names it.

use serde::Serialize;

/// The shape of a trace.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Shape {
    /// The service of the root, or of the first span while there is no root.
    pub service: String,
    /// The name of the same span.
    pub name: String,
    /// Its status, such as `502`; or `ok` or `error` where HTTP and RPC say nothing; empty without a root.
    pub outcome: String,
    /// The service where the error began. None without an error, empty if it is not known.
    pub error_service: Option<String>,
    /// The number of services.
    pub services: usize,
}

/// The outcome of a trace with a root, as a shape has it, in SQL.
pub(super) const OUTCOME_SQL: &str =
    "CASE WHEN t.rooted = 0 THEN '' WHEN t.status <> '' THEN t.status
    WHEN t.root_error > 0 THEN 'error' ELSE 'ok' END";

impl Shape {
    /// Parses the parameter of a request: a JSON array of the fields, in their order. None if it is malformed.
    ///
    /// ```
    /// use tracing_tail_viewer::filter::Shape;
    ///
    /// let shape = Shape::parse(r#"["shop","POST /pay","502","fraud",8]"#).unwrap();
    /// assert_eq!((&shape.outcome[..], shape.error_service.as_deref()), ("502", Some("fraud")));
    /// assert_eq!(Shape::parse(&shape.to_text()), Some(shape));
    /// assert_eq!(Shape::parse(r#"["shop"]"#), None);
    /// ```
    pub fn parse(text: &str) -> Option<Shape> {
        let (service, name, outcome, error_service, services) = serde_json::from_str(text).ok()?;
        Some(Shape {
            service,
            name,
            outcome,
            error_service,
            services,
        })
    }

    /// The parameter of a request that finds the traces of this shape.
    pub fn to_text(&self) -> String {
        let Shape {
            service,
            name,
            outcome,
            error_service,
            services,
        } = self;
        let fields = (service, name, outcome, error_service, services);
        serde_json::to_string(&fields).unwrap_or_default()
    }

    /// Whether the error of a trace with errors, or of one without, may have begun where the shape says. `began` is None
    /// if that is not known yet.
    pub fn may_have_failed(&self, has_errors: bool, began: Option<&str>) -> Option<bool> {
        match (self.error_service.as_deref(), began) {
            (None, _) => Some(!has_errors),
            (Some(_), _) if !has_errors => Some(false),
            (Some(""), _) => Some(true),
            (Some(wanted), Some(began)) => Some(wanted == began),
            (Some(_), None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_began_where_the_shape_says_or_that_is_open() {
        let table = [
            (None, false, None, Some(true), "neither has an error"),
            (None, true, Some("a"), Some(false), "the trace has one"),
            (Some("a"), false, None, Some(false), "the trace has none"),
            (Some("a"), true, Some("a"), Some(true), "the same service"),
            (Some("a"), true, Some("b"), Some(false), "another service"),
            (Some("a"), true, None, None, "the spans have to tell"),
            (Some(""), true, None, Some(true), "any error"),
        ];
        for (wanted, has_errors, began, expected, reason) in table {
            let shape = Shape {
                service: String::new(),
                name: String::new(),
                outcome: String::new(),
                error_service: wanted.map(str::to_owned),
                services: 1,
            };
            assert_eq!(
                shape.may_have_failed(has_errors, began),
                expected,
                "{reason}"
            );
        }
    }
}

//! Requests without a route: what browsers, scanners and probes ask a service for that is not there.
//!
//! They are stored like all others. A trace of nothing else is left out of the list unless it is asked for.

/// The scope of the project's own services.
const SCOPE: &str = "tracing-tail";
/// `SPAN_KIND_SERVER`
const SERVER: u64 = 2;

/// What is known so far about a span.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestSigns {
    has_route: bool,
    is_turned_away: bool,
    is_server: bool,
}

impl RequestSigns {
    /// Takes an attribute of the span.
    pub fn attribute(&mut self, key: &str, value: Option<&str>) {
        match key {
            "http.route" => self.has_route = true,
            // Not found, or led to the page.
            "http.response.status_code" => {
                self.is_turned_away = matches!(value, Some("404" | "302"));
            }
            _ => {}
        }
    }

    /// Takes the kind of the span.
    pub fn kind(&mut self, kind: u64) {
        self.is_server = kind == SERVER;
    }

    /// Whether it is a request without a route, if its scope is the services' own.
    pub fn is_unrouted(self) -> bool {
        self.is_server && self.is_turned_away && !self.has_route
    }
}

/// Whether a scope is that of the project's own services.
pub fn is_own_scope(name: &str) -> bool {
    name == SCOPE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_server_span_with_such_a_status_and_no_route() {
        type Attributes = &'static [(&'static str, &'static str)];
        let table: [(u64, Attributes, bool); 7] = [
            (2, &[("http.response.status_code", "404")], true),
            (
                2,
                &[
                    ("url.path", "/favicon.ico"),
                    ("http.response.status_code", "302"),
                ],
                true,
            ),
            (
                2,
                &[
                    ("http.response.status_code", "404"),
                    ("http.route", "/process"),
                ],
                false,
            ),
            (2, &[("http.response.status_code", "500")], false),
            (2, &[("http.response.status_code", "405")], false),
            (2, &[], false),
            (3, &[("http.response.status_code", "404")], false),
        ];
        for (kind, attributes, expected) in table {
            let mut signs = RequestSigns::default();
            signs.kind(kind);
            for (key, value) in attributes {
                signs.attribute(key, Some(value));
            }
            assert_eq!(signs.is_unrouted(), expected, "{kind} {attributes:?}");
        }
    }
}

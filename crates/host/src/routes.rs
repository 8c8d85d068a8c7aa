//! Finds the component that answers a path: exact routes before wildcards, longer ones before shorter, as in Spin.
//!
//! It refuses patterns that the router would misread, and segment names that are not fit for a header.

use std::sync::Arc;

use anyhow::{Result, anyhow};
use http::{HeaderMap, HeaderName, HeaderValue};
use routefinder::Router;

use crate::document::Located;

/// The public routes of an application.
#[derive(Debug)]
pub struct Routes(Router<Arc<RouteTarget>>);

/// The component of a route, and the headers that tell it about the route.
#[derive(Debug)]
struct RouteTarget {
    component: String,
    pattern: HeaderValue,
    prefix: HeaderValue,
}

/// The route that a request has matched.
#[derive(Debug, Clone)]
pub struct RouteMatch {
    target: Arc<RouteTarget>,
    path_info: String,
    segments: Vec<(String, String)>,
}

impl Routes {
    /// Reads patterns, each with the id of its component.
    ///
    /// # Errors
    /// If a pattern is malformed; the message begins with its line.
    pub fn new<'a>(
        patterns: impl IntoIterator<Item = (&'a Located<String>, &'a str)>,
    ) -> Result<Routes> {
        let mut router = Router::new();
        for (pattern, component) in patterns {
            let spec = router_spec(pattern)?;
            let text = pattern.value.as_str();
            let prefix = text.strip_suffix("/...").unwrap_or(text);
            let header = |text: &str| header_value(text).map_err(|problem| pattern.error(problem));
            let target = RouteTarget {
                component: component.to_owned(),
                pattern: header(text)?,
                prefix: header(prefix)?,
            };
            router
                .add(spec.as_str(), Arc::new(target))
                .map_err(|problem| {
                    pattern.error(format!("the route '{text}' is malformed: {problem}"))
                })?;
        }
        Ok(Routes(router))
    }

    /// Finds the route of a path.
    pub fn find(&self, path: &str) -> Option<RouteMatch> {
        let best = self.0.best_match(path)?;
        let captures = best.captures();
        Some(RouteMatch {
            target: Arc::clone(&best),
            path_info: captures
                .wildcard()
                .map(|rest| path_info(rest, path))
                .unwrap_or_default(),
            segments: captures
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        })
    }
}

/// A pattern as the router wants it.
fn router_spec(route: &Located<String>) -> Result<String> {
    let text = route.value.as_str();
    let pattern = text.trim_end_matches('/');
    if !text.starts_with('/') {
        return Err(route.error(format!("the route '{text}' does not start with '/'")));
    }
    let named = |segment: &str| segment.strip_prefix(':').map(str::to_owned);
    let unfit = |name: &String| header_name(name).is_err();
    if let Some(name) = pattern.split('/').filter_map(named).find(unfit) {
        return Err(route.error(format!("the segment name '{name}' is not fit for a header")));
    }
    // The router would panic, in part only once a request comes.
    if let Some(other) = pattern.chars().find(|c| !c.is_ascii_graphic() || *c == '*') {
        let other = other.escape_default();
        return Err(route.error(format!(
            "the route '{text}' holds '{other}'; write '/...' at its end for all that follows, and percent-encoded what no path holds"
        )));
    }
    Ok(match pattern.strip_suffix("/...") {
        Some(prefix) => format!("{prefix}/*"),
        None => pattern.to_owned(),
    })
}

fn path_info(rest: &str, path: &str) -> String {
    match (rest.is_empty(), path.ends_with('/')) {
        (true, false) => String::new(),
        (true, true) => "/".to_owned(),
        (false, false) => format!("/{rest}"),
        (false, true) => format!("/{rest}/"),
    }
}

impl RouteMatch {
    /// The match of a request from another component, which may have any path.
    pub fn chained(component: &str, path: &str) -> RouteMatch {
        let target = RouteTarget {
            component: component.to_owned(),
            pattern: HeaderValue::from_static("/..."),
            prefix: HeaderValue::from_static(""),
        };
        RouteMatch {
            target: Arc::new(target),
            path_info: path.to_owned(),
            segments: Vec::new(),
        }
    }

    /// The component's id.
    pub fn component(&self) -> &str {
        &self.target.component
    }

    /// Adds the headers by which Spin describes a request, behind those of the client: the last of each name is
    /// the host's.
    ///
    /// # Errors
    /// If a part of the path is not fit for a header.
    pub fn add_headers(
        &self,
        full_url: HeaderValue,
        client: &HeaderValue,
        headers: &mut HeaderMap,
    ) -> Result<()> {
        let added = [
            ("spin-path-info", header_value(&self.path_info)?),
            ("spin-full-url", full_url),
            ("spin-matched-route", self.target.pattern.clone()),
            ("spin-base-path", HeaderValue::from_static("/")),
            ("spin-raw-component-route", self.target.pattern.clone()),
            ("spin-component-route", self.target.prefix.clone()),
            ("spin-client-addr", client.clone()),
        ];
        headers.reserve(added.len() + self.segments.len());
        for (name, value) in added {
            headers.append(HeaderName::from_static(name), value);
        }
        for (name, value) in &self.segments {
            headers.append(header_name(name)?, header_value(value)?);
        }
        Ok(())
    }
}

fn header_name(segment: &str) -> Result<HeaderName> {
    Ok(HeaderName::try_from(format!(
        "spin-path-match-{}",
        segment.to_ascii_lowercase()
    ))?)
}

fn header_value(text: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(text).map_err(|_| anyhow!("'{text}' is not fit for a header"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;

    /// Reads patterns that stand in line 4 of a file; their components are `c0`, `c1` and so on.
    fn routes(patterns: &[&str]) -> Result<Routes> {
        let text = format!("\n\n\nroutes = {patterns:?}");
        let mut root = Document::new("spin.toml", &text).root()?;
        let patterns = root.strings("routes")?;
        let ids: Vec<String> = (0..patterns.len()).map(|n| format!("c{n}")).collect();
        Routes::new(patterns.iter().zip(ids.iter().map(String::as_str)))
    }

    #[test]
    fn finds_the_closest_route() {
        let routes = routes(&[
            "/...",
            "/exact",
            "/wild/...",
            "/wild/longer/...",
            "/users/:id/posts",
        ])
        .unwrap();
        let table = [
            ("/", "c0", "/"),
            ("/exact", "c1", ""),
            ("/exact/more", "c0", "/exact/more"),
            ("/wild", "c2", ""),
            ("/wild/", "c2", "/"),
            ("/wild/x", "c2", "/x"),
            ("/wild/longer/x/", "c3", "/x/"),
            ("/users/7/posts", "c4", ""),
        ];
        for (path, component, path_info) in table {
            let matched = routes.find(path).expect(path);
            assert_eq!(
                (matched.component(), matched.path_info.as_str()),
                (component, path_info),
                "{path}"
            );
        }
    }

    #[test]
    fn adds_the_headers_of_a_match() {
        let matched = routes(&["/users/:Id/..."])
            .unwrap()
            .find("/users/7/x")
            .unwrap();
        let forged = ("spin-client-addr", "9.9.9.9:9");
        let mut headers = HeaderMap::new();
        headers.insert(forged.0, HeaderValue::from_static(forged.1));
        matched
            .add_headers(
                HeaderValue::from_static("http://h/users/7/x?y"),
                &HeaderValue::from_static("1.2.3.4:5"),
                &mut headers,
            )
            .unwrap();
        let table = [
            ("spin-path-info", "/x"),
            ("spin-full-url", "http://h/users/7/x?y"),
            ("spin-matched-route", "/users/:Id/..."),
            ("spin-base-path", "/"),
            ("spin-raw-component-route", "/users/:Id/..."),
            ("spin-component-route", "/users/:Id"),
            ("spin-client-addr", "1.2.3.4:5"),
            ("spin-path-match-id", "7"),
        ];
        for (name, value) in table {
            let last = headers.get_all(name).iter().next_back();
            assert_eq!(last.unwrap(), value, "{name}");
        }
        assert_eq!(
            headers[forged.0], forged.1,
            "the client's header stays, in front"
        );
        assert_eq!(headers.len(), table.len() + 1);
    }

    #[test]
    fn names_a_malformed_route() {
        assert_eq!(
            routes(&["x"]).unwrap_err().to_string(),
            "spin.toml:4: the route 'x' does not start with '/'"
        );
        assert_eq!(
            routes(&["/:a b/x"]).unwrap_err().to_string(),
            "spin.toml:4: the segment name 'a b' is not fit for a header"
        );
        for (pattern, holds) in [
            ("/*/x", "*"),
            ("/*.html", "*"),
            ("/é/:id/x", "\\u{e9}"),
            ("/a b", " "),
        ] {
            let accepted = "write '/...' at its end for all that follows, and percent-encoded what no path holds";
            assert_eq!(
                routes(&[pattern]).unwrap_err().to_string(),
                format!("spin.toml:4: the route '{pattern}' holds '{holds}'; {accepted}")
            );
        }
        assert!(routes(&["/a"]).unwrap().find("/b").is_none());
    }
}

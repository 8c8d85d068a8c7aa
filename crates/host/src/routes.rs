//! Which component answers a path: exact routes before wildcards, longer before shorter, as in Spin.

use std::sync::Arc;

use anyhow::{Result, anyhow};
use http::{HeaderMap, HeaderName, HeaderValue};
use routefinder::Router;

use crate::manifest::{Route, Trigger};

/// The public routes of an application.
#[derive(Debug)]
pub struct Routes(Router<Arc<Target>>);

/// Where a route leads to, and what a request is told of it.
#[derive(Debug)]
struct Target {
    component: String,
    pattern: HeaderValue,
    prefix: HeaderValue,
}

/// How a request found its component.
#[derive(Debug, Clone)]
pub struct Matched {
    target: Arc<Target>,
    path_info: String,
    segments: Vec<(String, String)>,
}

impl Routes {
    /// Reads the patterns of the public triggers.
    ///
    /// # Errors
    /// Where one is malformed; with its line.
    pub fn new(triggers: &[Trigger]) -> Result<Routes> {
        let mut router = Router::new();
        for trigger in triggers {
            let Route::Public(route) = &trigger.route else {
                continue;
            };
            let pattern = route.value.trim_end_matches('/');
            if !route.value.starts_with('/') {
                return Err(route.error(format!(
                    "the route '{}' does not start with '/'",
                    route.value
                )));
            }
            let named = |segment: &str| segment.strip_prefix(':').map(str::to_owned);
            let unfit = |name: &String| header_name(name).is_err();
            if let Some(name) = pattern.split('/').filter_map(named).find(unfit) {
                return Err(
                    route.error(format!("the segment name '{name}' is not fit for a header"))
                );
            }
            // The router would panic, some of it only once a request comes.
            if let Some(other) = pattern.chars().find(|c| !c.is_ascii_graphic() || *c == '*') {
                return Err(route.error(format!(
                    "the route '{}' holds '{}'; write '/...' at its end for all that follows, and percent-encoded what no path holds",
                    route.value,
                    other.escape_default()
                )));
            }
            let spec = match pattern.strip_suffix("/...") {
                Some(prefix) => format!("{prefix}/*"),
                None => pattern.to_owned(),
            };
            let prefix = route.value.strip_suffix("/...").unwrap_or(&route.value);
            let told = |text: &str| header_value(text).map_err(|problem| route.error(problem));
            let target = Target {
                component: trigger.component.value.clone(),
                pattern: told(&route.value)?,
                prefix: told(prefix)?,
            };
            router
                .add(spec.as_str(), Arc::new(target))
                .map_err(|problem| {
                    route.error(format!(
                        "the route '{}' is malformed: {problem}",
                        route.value
                    ))
                })?;
        }
        Ok(Routes(router))
    }

    /// Finds the component for `path`.
    pub fn find(&self, path: &str) -> Option<Matched> {
        let best = self.0.best_match(path)?;
        let captures = best.captures();
        Some(Matched {
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

fn path_info(rest: &str, path: &str) -> String {
    match (rest.is_empty(), path.ends_with('/')) {
        (true, false) => String::new(),
        (true, true) => "/".to_owned(),
        (false, false) => format!("/{rest}"),
        (false, true) => format!("/{rest}/"),
    }
}

impl Matched {
    /// A request of the application to itself, which any path of the component takes.
    pub fn chained(component: &str, path: &str) -> Matched {
        let target = Target {
            component: component.to_owned(),
            pattern: HeaderValue::from_static("/..."),
            prefix: HeaderValue::from_static(""),
        };
        Matched {
            target: Arc::new(target),
            path_info: path.to_owned(),
            segments: Vec::new(),
        }
    }

    /// The component's id.
    pub fn component(&self) -> &str {
        &self.target.component
    }

    /// Tells the component about the request in the headers that Spin adds, behind those of the client: the
    /// last of each name is the host's.
    ///
    /// # Errors
    /// Where a part of the path is not fit for a header.
    pub fn describe(
        &self,
        full_url: HeaderValue,
        client: &HeaderValue,
        headers: &mut HeaderMap,
    ) -> Result<()> {
        let told = [
            ("spin-path-info", header_value(&self.path_info)?),
            ("spin-full-url", full_url),
            ("spin-matched-route", self.target.pattern.clone()),
            ("spin-base-path", HeaderValue::from_static("/")),
            ("spin-raw-component-route", self.target.pattern.clone()),
            ("spin-component-route", self.target.prefix.clone()),
            ("spin-client-addr", client.clone()),
        ];
        headers.reserve(told.len() + self.segments.len());
        for (name, value) in told {
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
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::document::Document;
    use crate::manifest::Manifest;

    fn routes(patterns: &[&str]) -> Result<Arc<Routes>> {
        let mut text = "spin_manifest_version = 2\napplication = { name = \"x\" }\n".to_owned();
        for (at, pattern) in patterns.iter().enumerate() {
            text += &format!(
                "[[trigger.http]]\nroute = \"{pattern}\"\ncomponent = \"c{at}\"\n[component.c{at}]\nsource = \"\"\n"
            );
        }
        Ok(Manifest::parse(Document::new("spin.toml", &text), Path::new(""))?.routes)
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
    fn tells_the_component_how_it_was_found() {
        let matched = routes(&["/users/:Id/..."])
            .unwrap()
            .find("/users/7/x")
            .unwrap();
        let forged = ("spin-client-addr", "9.9.9.9:9");
        let mut headers = HeaderMap::new();
        headers.insert(forged.0, HeaderValue::from_static(forged.1));
        matched
            .describe(
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
        assert_eq!(headers[forged.0], forged.1, "the client's stays, in front");
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

//! The headers that give access to a backend.

use std::env;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use tracing_tail::settings::text::parse_pairs;

/// The environment variable with headers: `name=value,name=value`, the values percent-encoded.
pub const HEADERS_VARIABLE: &str = "TRACING_TAIL_BACKEND_HEADERS";

/// Headers that the client sets.
const RESERVED: [&str; 8] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// The headers that requests to a backend have. Their values are not shown, not even by `Debug`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Access {
    flags: HeaderMap,
    variable: HeaderMap,
}

impl Access {
    /// Reads the headers of `--header` and those of the environment. A name of `--header` replaces the same name of the
    /// environment.
    ///
    /// # Errors
    /// A sentence that says which header is malformed, without its value, and what is accepted.
    pub fn new(flags: &[String], variable: Option<&str>) -> Result<Access, String> {
        Ok(Access {
            flags: parse_flags(flags)?,
            variable: parse_variable(variable.unwrap_or_default())?,
        })
    }

    /// Reads the headers of `--header`, and those of the environment variable [`HEADERS_VARIABLE`].
    ///
    /// # Errors
    /// As [`Access::new`].
    pub fn from_environment(flags: &[String]) -> Result<Access, String> {
        let variable = match env::var(HEADERS_VARIABLE) {
            Ok(value) => Some(value),
            Err(env::VarError::NotPresent) => None,
            Err(env::VarError::NotUnicode(_)) => {
                return Err(format!("{HEADERS_VARIABLE} is not UTF-8"));
            }
        };
        Access::new(flags, variable.as_deref())
    }

    /// The headers of a request. Credentials of the URL count for more than the environment, and for less than
    /// `--header`.
    pub(super) fn headers(&self, credentials: Option<&HeaderValue>) -> HeaderMap {
        let mut headers = self.variable.clone();
        if let Some(credentials) = credentials {
            headers.insert(AUTHORIZATION, credentials.clone());
        }
        for name in self.flags.keys() {
            headers.remove(name);
        }
        headers.extend(
            self.flags
                .iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        headers
    }
}

fn parse_flags(flags: &[String]) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (index, flag) in flags.iter().enumerate() {
        let pair = flag.split_once(':');
        let header = pair.and_then(|(name, value)| header(name, value));
        // Not shown: without a colon all of it may be a secret.
        let (name, value) = header.ok_or_else(|| {
            let accepted = "such as 'authorization: Bearer …'";
            format!("--header number {} is not a header {accepted}", index + 1)
        })?;
        if RESERVED.contains(&name.as_str()) {
            return Err(format!(
                "--header '{name}' can't be set: the client sets it"
            ));
        }
        headers.append(name, value);
    }
    Ok(headers)
}

fn parse_variable(text: &str) -> Result<HeaderMap, String> {
    let pairs = parse_pairs(text, |name, value| header(name, &value));
    let pairs = pairs.map_err(|error| format!("{HEADERS_VARIABLE}: {error}"))?;
    for (name, _) in &pairs {
        if RESERVED.contains(&name.as_str()) {
            return Err(format!(
                "{HEADERS_VARIABLE}: '{name}' can't be set: the client sets it"
            ));
        }
    }
    Ok(pairs.into_iter().collect())
}

fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::try_from(name.trim()).ok()?;
    let mut value = HeaderValue::try_from(value.trim()).ok()?;
    value.set_sensitive(true);
    Some((name, value))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests {
    use super::*;

    fn read(flags: &[&str], variable: &str) -> Result<Access, String> {
        let flags: Vec<_> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        Access::new(&flags, Some(variable))
    }

    #[test]
    fn a_flag_counts_for_more_than_the_url_and_the_url_for_more_than_the_environment() {
        let url = HeaderValue::from_static("Basic eDp5");
        let table = [
            (vec![], "", None, None),
            (
                vec![],
                "authorization=Bearer%20env",
                None,
                Some("Bearer env"),
            ),
            (vec![], "authorization=env", Some(&url), Some("Basic eDp5")),
            (
                vec!["Authorization: Bearer a:b"],
                "authorization=env",
                Some(&url),
                Some("Bearer a:b"),
            ),
        ];
        for (flags, variable, credentials, expected) in table {
            let headers = read(&flags, variable).unwrap().headers(credentials);
            let value = headers
                .get(AUTHORIZATION)
                .map(|value| value.to_str().unwrap());
            assert_eq!(value, expected, "{flags:?} {variable}");
            assert_eq!(headers.len(), usize::from(expected.is_some()));
        }
        let access = read(&["x-scope-orgid: 1", "x-scope-orgid: 2"], "a=1, b=2").unwrap();
        assert_eq!(
            access.headers(None).len(),
            4,
            "both values of a repeated flag"
        );
        assert!(!format!("{access:?}").contains('2'), "{access:?}");
    }

    #[test]
    fn refuses_what_is_no_header_without_showing_it() {
        let table = [
            (vec!["a: 1", "hunter2"], "", "--header number 2 is"),
            (vec!["a b: hunter2"], "", "--header number 1 is"),
            (vec!["a: hunter2\n"], "", ""),
            (vec![": hunter2"], "", "--header number 1 is"),
            (vec!["a: hunter2\u{0}"], "", "--header number 1 is"),
            (vec!["Content-Length: hunter2"], "", "'content-length'"),
            (vec![], "a=1,hunter2", "entry 2 is"),
            (vec![], "a=%zzhunter2", "entry 1 is"),
            (vec![], "te=hunter2", "'te'"),
        ];
        for (flags, variable, expected) in table {
            match read(&flags, variable) {
                Err(error) => {
                    assert!(!expected.is_empty() && error.contains(expected), "{error}");
                    assert!(!error.contains("hunter2"), "{error}");
                }
                Ok(_) => assert!(expected.is_empty(), "white space is trimmed: {flags:?}"),
            }
        }
    }
}

//! Where a backend is: a URL, a URL with the backend's name before it, or a path of a file or folder.

use std::fmt;
use std::path::{Path, PathBuf};

use http::HeaderValue;
use tracing_tail::target::{Target, refusal};
use tracing_tail_redact::{Parts, hides_a_password, is_http, redact};

/// What is accepted.
const ACCEPTED: &str = "give http://host:port of the viewer (with /traces), Jaeger, Tempo, Zipkin, Phoenix or \
                        otel-desktop-viewer, perhaps with viewer+, jaeger+, tempo+, zipkin+, phoenix+ or odv+ before \
                        it, or the path of a file or folder of OTLP JSON lines, perhaps with file: before it";

/// The address of a backend. Neither shown nor printed with credentials.
#[derive(Debug, Clone, PartialEq)]
pub struct Address(pub(super) Location);

/// The parsed address.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Location {
    /// An API over HTTP.
    Api {
        /// Which one, if the address says it.
        system: Option<System>,
        /// The URL without credentials and without a slash at its end.
        base: String,
        /// The `authorization` header, if the URL has credentials.
        authorization: Option<HeaderValue>,
    },
    /// Files of OTLP JSON lines.
    Files {
        /// The file or folder.
        path: PathBuf,
        /// Whether the address says that it is a path: it may appear later.
        explicit: bool,
    },
}

/// A backend with an API over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    /// The built-in viewer.
    Viewer,
    /// Jaeger.
    Jaeger,
    /// Grafana Tempo.
    Tempo,
    /// Zipkin.
    Zipkin,
    /// Arize Phoenix.
    Phoenix,
    /// otel-desktop-viewer.
    DesktopViewer,
}

impl System {
    /// All of them, in the order in which they are tried.
    pub(super) const ALL: [System; 6] = [
        System::Viewer,
        System::Jaeger,
        System::Tempo,
        System::Zipkin,
        System::Phoenix,
        System::DesktopViewer,
    ];

    fn prefix(self) -> &'static str {
        match self {
            System::Viewer => "viewer",
            System::Jaeger => "jaeger",
            System::Tempo => "tempo",
            System::Zipkin => "zipkin",
            System::Phoenix => "phoenix",
            System::DesktopViewer => "odv",
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            System::Viewer => "the viewer",
            System::Jaeger => "Jaeger",
            System::Tempo => "Tempo",
            System::Zipkin => "Zipkin",
            System::Phoenix => "Phoenix",
            System::DesktopViewer => "otel-desktop-viewer",
        })
    }
}

impl Address {
    /// Parses an address.
    ///
    /// # Errors
    /// A sentence that says what is accepted, without credentials.
    pub fn parse(text: &str) -> Result<Address, String> {
        let lower = text.to_ascii_lowercase();
        if let Some(path) = ["file:", "otlp-file:"]
            .iter()
            .find(|prefix| lower.starts_with(*prefix))
            .map(|prefix| &text[prefix.len()..])
        {
            return files(path.strip_prefix("//").unwrap_or(path), true);
        }
        if is_http(text) {
            return api(None, text);
        }
        if let Some((name, url)) = text.split_once('+')
            && is_http(url)
        {
            let name = name.to_ascii_lowercase();
            let system = System::ALL.into_iter().find(|s| s.prefix() == name);
            return match system {
                Some(_) => api(system, url),
                None => Err(refuse(text)),
            };
        }
        // `localhost:16686` and `ftp://…` would be odd names of files.
        let is_host = text.split_once(':').is_some_and(|(_, rest)| {
            let port: &str = rest.split('/').next().unwrap_or_default();
            !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())
        });
        if is_host || text.contains("://") || text.contains('@') && text.contains(':') {
            return Err(refuse(text));
        }
        files(text, false)
    }
}

fn refuse(text: &str) -> String {
    match hides_a_password(text) || text.contains('@') {
        true => {
            format!("the backend's address is not shown, since it may have a password: {ACCEPTED}")
        }
        false => format!("'{}' is no backend's address: {ACCEPTED}", redact(text)),
    }
}

fn files(path: &str, explicit: bool) -> Result<Address, String> {
    if path.is_empty() {
        return Err(format!("the path of the backend is empty: {ACCEPTED}"));
    }
    let path = Path::new(path).to_path_buf();
    Ok(Address(Location::Files { path, explicit }))
}

fn api(system: Option<System>, url: &str) -> Result<Address, String> {
    // A scheme is read in any case; the parser takes lower case only.
    let Parts {
        scheme,
        authority,
        rest,
    } = Parts::of(url);
    // Pages end in `/#/…`; a link to one names the same backend.
    let url = [&scheme.to_ascii_lowercase(), authority, rest].concat();
    let target = Target::parse(&url).ok_or_else(|| refusal(&url, "http://127.0.0.1:16686"))?;
    if target.url().query().is_some() {
        return Err(format!(
            "'{}' has a query, which is not shown: leave it out, and give a token by --header 'authorization: \
             Bearer …'",
            target.redacted()
        ));
    }
    Ok(Address(Location::Api {
        system,
        base: target.url().to_string().trim_end_matches('/').to_owned(),
        authorization: target.authorization().cloned(),
    }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests {
    use super::*;

    #[test]
    fn reads_urls_prefixes_and_paths() {
        let url = |system, base: &str| Location::Api {
            system,
            base: base.to_owned(),
            authorization: None,
        };
        let path = |path: &str, explicit| Location::Files {
            path: path.into(),
            explicit,
        };
        let table = [
            (
                "http://127.0.0.1:16686",
                url(None, "http://127.0.0.1:16686"),
            ),
            ("HTTP://h/jaeger/", url(None, "http://h/jaeger")),
            ("jaeger+https://h", url(Some(System::Jaeger), "https://h")),
            (
                "Viewer+http://h/traces/",
                url(Some(System::Viewer), "http://h/traces"),
            ),
            ("tempo+http://h", url(Some(System::Tempo), "http://h")),
            ("zipkin+http://h", url(Some(System::Zipkin), "http://h")),
            ("phoenix+http://h", url(Some(System::Phoenix), "http://h")),
            ("odv+http://h", url(Some(System::DesktopViewer), "http://h")),
            ("out/traces.json", path("out/traces.json", false)),
            ("./a+b", path("./a+b", false)),
            ("/tmp/x:y", path("/tmp/x:y", false)),
            (r"C:\out", path(r"C:\out", false)),
            ("file:out", path("out", true)),
            ("file:///tmp/out", path("/tmp/out", true)),
            ("otlp-file:/tmp/out", path("/tmp/out", true)),
        ];
        for (text, expected) in table {
            assert_eq!(Address::parse(text).unwrap().0, expected, "{text}");
        }
    }

    #[test]
    fn credentials_become_a_header_and_are_never_shown() {
        let address = Address::parse("jaeger+http://me:hunter2@h:1/x").unwrap();
        let Location::Api {
            base,
            authorization,
            ..
        } = &address.0
        else {
            panic!("{address:?}");
        };
        assert_eq!(base, "http://h:1/x");
        let value = authorization.as_ref().unwrap();
        assert_eq!(value.to_str().unwrap(), "Basic bWU6aHVudGVyMg==");
        assert!(!format!("{address:?}").contains("bWU6"), "{address:?}");
    }

    #[test]
    fn refuses_the_rest_and_says_what_is_accepted() {
        for text in [
            "",
            "file:",
            "localhost:16686",
            "127.0.0.1:3200/api",
            "ftp://h",
            "loki+http://h",
            "http://",
            "http://h#x",
            "http://h:x",
        ] {
            let error = Address::parse(text).unwrap_err();
            assert!(error.contains("http://"), "{text}: {error}");
        }
        for text in [
            "http://h/traces/?token=hunter2",
            "loki+http://me:hunter2@h",
            "me:hunter2@h",
            "http://me:/hunter2@h",
            "ftp://me:hunter2@h",
            "x+y+http://me:hunter2@h",
        ] {
            let error = Address::parse(text).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}

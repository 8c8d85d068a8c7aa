//! Where spans go: the settings that can say so, in the order of their precedence.

use super::table::{
    OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTLP_DEFAULT_ENDPOINT,
    OTLP_ENDPOINT, Setting,
};

/// The path that OpenTelemetry's specification appends to an endpoint of all signals.
const TRACES_PATH: &str = "/v1/traces";

/// The URLs that receive the spans, with the setting that each comes from. The first one holds; a later one if an
/// `OTEL_*` setting before it is malformed.
///
/// ```
/// use tracing_tail::settings::{OTEL_EXPORTER_OTLP_ENDPOINT, Setting, endpoints};
///
/// let value = |setting: &Setting| {
///     (*setting == OTEL_EXPORTER_OTLP_ENDPOINT).then(|| "http://collector:4318".to_owned())
/// };
/// let (setting, url) = endpoints(value).next().unwrap();
/// assert_eq!(setting, OTEL_EXPORTER_OTLP_ENDPOINT);
/// assert_eq!(url, "http://collector:4318/v1/traces");
/// ```
pub fn endpoints(
    mut value: impl FnMut(&Setting) -> Option<String>,
) -> impl Iterator<Item = (Setting, String)> {
    let settings = [
        OTLP_ENDPOINT,
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
        OTEL_EXPORTER_OTLP_ENDPOINT,
        OTLP_DEFAULT_ENDPOINT,
    ];
    settings.into_iter().filter_map(move |setting| {
        let url = value(&setting).filter(|url| !url.trim().is_empty())?;
        let url = match setting {
            OTEL_EXPORTER_OTLP_ENDPOINT => of_traces(url.trim()),
            _ => url,
        };
        Some((setting, url))
    })
}

/// The endpoint of traces below one of all signals. A query stays behind the path.
fn of_traces(base: &str) -> String {
    let (path, query) = base.split_at(base.find('?').unwrap_or(base.len()));
    let path = path.trim_end_matches('/');
    format!("{path}{TRACES_PATH}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appends_the_path_of_traces_to_an_endpoint_of_all_signals() {
        let table = [
            ("http://collector:4318", "http://collector:4318/v1/traces"),
            ("http://collector:4318/", "http://collector:4318/v1/traces"),
            ("https://otlp.test/eu", "https://otlp.test/eu/v1/traces"),
            ("https://otlp.test/eu/", "https://otlp.test/eu/v1/traces"),
            (
                "https://otlp.test?key=1",
                "https://otlp.test/v1/traces?key=1",
            ),
        ];
        for (base, url) in table {
            assert_eq!(of_traces(base), url);
        }
    }
}

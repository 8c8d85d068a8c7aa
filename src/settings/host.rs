//! What kind of host a component is built for, and what that means for destinations.

use crate::target::Target;

use super::OTLP_ENDPOINT;

/// The kind of host that a component is built for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Host {
    /// Spin, or one that runs its manifests: the components of an app call each other.
    #[default]
    Spin,
    /// Any other host of `wasi:http`: the component is alone.
    WasiHttp,
}

/// What the host names of an app's components end with.
pub(super) const COMPONENT: &str = ".spin.internal";

impl Host {
    /// Whether it is Spin. A component that is built for Spin knows, and has no messages about others.
    pub(super) fn is_spin(self) -> bool {
        cfg!(all(target_family = "wasm", not(feature = "wasi-http"))) || self == Host::Spin
    }

    /// The default of OTLP_ENDPOINT: the original's collector, or where SDKs with nothing set send spans.
    pub(super) fn otlp_endpoint(self) -> &'static str {
        match self.is_spin() {
            true => OTLP_ENDPOINT.default,
            false => "http://localhost:4318/v1/traces",
        }
    }

    /// A service's URL, for sentences about malformed ones.
    pub(crate) fn example(self) -> &'static str {
        match self.is_spin() {
            true => "http://service-b.spin.internal",
            false => "http://service-b.example.com:3001",
        }
    }

    /// Refuses a component of an app where there are no apps. The example is of what works.
    pub(super) fn check(self, target: &Target, example: &str) -> Result<(), String> {
        let host = target.url().host().unwrap_or_default();
        if self.is_spin() || !host.to_ascii_lowercase().ends_with(COMPONENT) {
            return Ok(());
        }
        let url = target.redacted();
        Err(format!(
            "'{url}' is a component of a Spin app, and this host is not Spin: give an address that it can reach, such as {example}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{APP_URL_DESTINO, Config, Values};

    #[test]
    fn only_spin_has_components() {
        let refused = "is a component of a Spin app, and this host is not Spin";
        let table = [
            (Host::Spin, "http://b.spin.internal/process", None),
            (
                Host::WasiHttp,
                "http://b.spin.internal/process",
                Some(refused),
            ),
            (Host::WasiHttp, "http://B.Spin.Internal/x", Some(refused)),
            (Host::WasiHttp, "http://b.example.com/process", None),
            (Host::WasiHttp, "http://spin.internal/process", None),
        ];
        for (host, url, expected) in table {
            let checked = host.check(&Target::parse(url).unwrap(), "");
            let problem = checked.err();
            assert_eq!(problem.is_some(), expected.is_some(), "{host:?} {url}");
            let said = problem.unwrap_or_default();
            assert!(said.contains(expected.unwrap_or_default()), "{said}");
        }
    }

    #[test]
    fn names_the_setting_that_needs_spin() {
        let table = [
            (
                APP_URL_DESTINO,
                "http://ok.example.com,http://service-b.spin.internal;p=5",
                "APP_URL_DESTINO: 'http://service-b.spin.internal/process' is a component of a Spin app, and this host \
                 is not Spin: give an address that it can reach, such as http://service-b.example.com:3001",
            ),
            (
                APP_URL_DESTINO,
                "http://billing.example.com;queue=orders",
                "APP_URL_DESTINO: 'http://billing.example.com' can't consume messages: only components of the same \
                 Spin app do, and this host is not Spin; without a URL the queue has no consumer",
            ),
            (
                APP_URL_DESTINO,
                "localhost:3001",
                "APP_URL_DESTINO: 'localhost:3001' is not an http:// or https:// URL such as \
                 http://service-b.example.com:3001",
            ),
            (
                OTLP_ENDPOINT,
                "http://viewer.spin.internal/v1/traces",
                "OTLP_ENDPOINT: 'http://viewer.spin.internal/v1/traces' is a component of a Spin app, and this host \
                 is not Spin: give an address that it can reach, such as http://localhost:4318/v1/traces",
            ),
        ];
        for (setting, value, expected) in table {
            let mut values = Values::of(Host::WasiHttp);
            values.set(setting, Ok(Some(value.to_owned())));
            let (_, problems) = Config::read(&values);
            assert_eq!(problems.refused, [expected]);
        }
        let mut values = Values::of(Host::WasiHttp);
        let works = "http://127.0.0.1:3001;p=5,;queue=orders";
        values.set(APP_URL_DESTINO, Ok(Some(works.to_owned())));
        let (config, problems) = Config::read(&values);
        assert_eq!(problems.refused, Vec::<String>::new());
        assert_eq!(config.queues.0.len(), 1, "a queue without consumers");
    }

    #[test]
    fn without_spin_spans_go_where_sdks_send_them() {
        for (host, expected) in [
            (Host::Spin, "http://collector:4318/v1/traces"),
            (Host::WasiHttp, "http://localhost:4318/v1/traces"),
        ] {
            let (config, problems) = Config::read(&Values::of(host));
            assert_eq!(problems.refused, Vec::<String>::new());
            assert_eq!(config.otlp_endpoint.unwrap().redacted(), expected);
        }
    }
}

//! The trace viewer of a mesh: its component, routes and variables, as in the repository's own manifest.

use std::path::{Path, PathBuf};

/// Its component's id, which leaves the name `viewer` to a service.
pub(super) const ID: &str = "tracing-tail-viewer";
/// The routes that it takes, before those of the services.
pub(super) const ROUTES: [&str; 3] = ["/traces/...", "/v1/...", "/favicon.ico"];
/// Where the services send their spans.
pub(super) const ENDPOINT: &str = "http://tracing-tail-viewer.spin.internal/v1/traces";
/// Its component's file.
pub(super) const FILE: &str = "tracing_tail_viewer.wasm";
/// Its package, and what follows cargo's arguments when it is built.
pub(super) const PACKAGE: (&str, &str) = ("tracing-tail-viewer", "");
/// The files that it is built from.
pub(super) const WATCH: [&str; 5] = [
    "crates/viewer/src/**/*.rs",
    "crates/viewer/web/**/*",
    "crates/viewer/build.rs",
    "crates/viewer/Cargo.toml",
    "Cargo.lock",
];
/// The application variables of its settings, their defaults, and whether they are secret.
pub(super) const VARIABLES: [(&str, &str, bool); 6] = [
    ("viewer_traces", "5000", false),
    ("viewer_bytes", "67108864", false),
    ("viewer_hosts", "", false),
    ("viewer_token", "", true),
    ("viewer_cors", "loopback", false),
    (PROCESS, "/process", false),
];
/// The variable of the path that its form sends requests to.
pub(super) const PROCESS: &str = "viewer_process";
/// The variable of its token, which the services need too.
pub const TOKEN: &str = "viewer_token";

/// The viewer's file beside a service component's.
pub(super) fn beside(source: &Path) -> PathBuf {
    source.with_file_name(FILE)
}

#[cfg(test)]
mod tests {
    use tracing_tail_viewer::settings::{SETTINGS, TOKEN as TOKEN_SETTING};

    use super::*;

    #[test]
    fn its_variables_are_its_settings() {
        let variable = |env: &str| env.strip_prefix("APP_").unwrap().to_ascii_lowercase();
        let settings = SETTINGS.map(|(env, default)| (variable(env), default));
        let known = VARIABLES.map(|(name, default, _)| (name.to_owned(), default));
        assert_eq!(known, settings);
        assert_eq!(TOKEN, variable(TOKEN_SETTING.0));
    }
}

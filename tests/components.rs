//! The interfaces that the components import from their host.

use std::path::PathBuf;

use tracing_tail_host::engine::{compile, engine};

use crate::harness::{Test, tests};
use crate::support::{WASI_HTTP, build, repository};

pub(crate) const TESTS: &[Test] = tests! {
    sync: [
        the_wasi_0_2_components_import_nothing_newer_than_they_must,
        the_component_for_other_hosts_imports_nothing_of_spin,
        the_wasi_0_3_component_uses_only_wasi_http_0_3,
    ]
};

const WASIP3: &str = "target/wasm32-wasip2/component/tracing_tail.wasm";
const WASIP2: &str = "target/wasip2/wasm32-wasip2/component/tracing_tail.wasm";
const VIEWER_WASIP2: &str = "target/wasip2/wasm32-wasip2/component/tracing_tail_viewer.wasm";

/// An interface's name and version.
type Interface = (String, String);

/// The interfaces that a component imports, and those that it exports.
fn interfaces(path: &str) -> (Vec<Interface>, Vec<Interface>) {
    let engine = engine().unwrap();
    let path: PathBuf = repository().join(path);
    let component = compile(&engine, &path).unwrap();
    let kind = component.component_type();
    let versioned = |(name, _): (&str, _)| {
        let (name, version) = name.split_once('@')?;
        Some((name.to_owned(), version.to_owned()))
    };
    let imports = kind.imports(&engine).filter_map(versioned).collect();
    (
        imports,
        kind.exports(&engine).filter_map(versioned).collect(),
    )
}

fn the_wasi_0_2_components_import_nothing_newer_than_they_must() {
    build("spin.wasip2.toml");
    for component in [WASIP2, VIEWER_WASIP2] {
        let (imports, exports) = interfaces(component);
        assert!(imports.len() > 10, "{imports:?}");
        for (name, version) in &imports {
            let accepted: &[&str] = match name.as_str() {
                // A host without SQLite runs the service, and not the viewer.
                "fermyon:spin/sqlite" if component == WASIP2 => &[],
                "fermyon:spin/variables" | "fermyon:spin/sqlite" => &["2.0.0"],
                // Rust's standard library imports the first, for the seeds of its hash maps, and getrandom
                // the second.
                "wasi:random/insecure-seed" | "wasi:random/random" => &["0.2.0", "0.2.4"],
                _ => &["0.2.0"],
            };
            assert!(accepted.contains(&version.as_str()), "{name}@{version}");
        }
        let handler = ("wasi:http/incoming-handler".to_owned(), "0.2.0".to_owned());
        assert_eq!(exports, [handler]);
    }
}

fn the_component_for_other_hosts_imports_nothing_of_spin() {
    build("spin.wasi-http.toml");
    let (imports, exports) = interfaces(WASI_HTTP);
    for (name, version) in &imports {
        let is_random = ["wasi:random/insecure-seed", "wasi:random/random"].contains(&&name[..]);
        let accepted = version == "0.2.0" || is_random && version == "0.2.4";
        assert!(name.starts_with("wasi:") && accepted, "{name}@{version}");
    }
    // The world wasi:http/proxy, and what the settings come from.
    for needed in ["wasi:http/outgoing-handler", "wasi:cli/environment"] {
        assert!(imports.iter().any(|(name, _)| name == needed), "{needed}");
    }
    let handler = ("wasi:http/incoming-handler".to_owned(), "0.2.0".to_owned());
    assert_eq!(exports, [handler]);
}

fn the_wasi_0_3_component_uses_only_wasi_http_0_3() {
    build("spin.toml");
    let (imports, exports) = interfaces(WASIP3);
    let versions = |wanted: &str| -> Vec<&str> {
        let of = imports.iter().filter(|(name, _)| name.starts_with(wanted));
        of.map(|(_, version)| version.as_str()).collect()
    };
    assert_eq!(versions("spin:variables/"), ["3.0.0"]);
    let http = versions("wasi:http/");
    assert!(!http.is_empty() && http.iter().all(|version| *version == "0.3.0"));
    let handler = ("wasi:http/handler".to_owned(), "0.3.0".to_owned());
    assert_eq!(exports, [handler]);
}

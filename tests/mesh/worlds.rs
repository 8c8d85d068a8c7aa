//! A mesh for either version of WASI.

use std::fs;

use super::{printed, refused};
use crate::harness::{Test, World, tests};
use crate::support::{launch_app, repository};
use crate::viewer::first_minute::wait_for_list;

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        the_shop_runs_in_this_world_and_its_viewer_shows_the_trace,
    ]
};

async fn the_shop_runs_in_this_world_and_its_viewer_shows_the_trace() {
    let wasi = match World::current() {
        World::Wasip3 => "0.3",
        _ => "0.2",
    };
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("spin.toml");
    let shop = "examples/shop/shop.toml";
    let path = manifest.to_str().unwrap();
    assert_eq!(printed(&["mesh", shop, "--wasi", wasi, "-o", path]), "");
    let app = launch_app().manifest(&manifest).start().await;
    assert_eq!(app.process("[]").await.status(), 200);
    wait_for_list(&app, "traces", |list| {
        let services = list["traces"][0]["services"].as_array();
        services.map_or(0, Vec::len) >= 3
    })
    .await;

    let without = printed(&["mesh", shop, "--wasi", wasi, "--no-viewer"]);
    assert!(!without.contains("tracing-tail-viewer"), "{without}");
    let named = folder.path().join("named.toml");
    fs::write(&named, "source = \"x.wasm\"\n[services.a]\nentry = true\n").unwrap();
    let named = named.to_str().unwrap();
    let said = refused(repository(), &["mesh", named, "--wasi", wasi]);
    assert!(said.contains("names one, 'x.wasm'"), "{said}");
}

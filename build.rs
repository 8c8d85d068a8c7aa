//! Tells the linker to keep the component small, its memory whole, and its imports as old as they can be.

use std::env::var;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        for flag in linker_flags() {
            println!("cargo::rustc-link-arg-cdylib={flag}");
        }
    }
}

/// What an instance needs for its requests, in bytes. A memory that starts with that need not grow: each
/// time it does, the host changes the protection of pages.
const MEMORY: &str = "--initial-memory=1310720";
/// Of that, for the stack: the linker's own megabyte would take nearly all of it.
const STACK: &str = "-zstack-size=262144";

fn linker_flags() -> impl Iterator<Item = &'static str> {
    // Indices take the bytes that they need, not five each: 8 % of the component. Debug information
    // does not survive that.
    let debug = var("DEBUG").is_ok_and(|debug| debug == "true");
    let small = (!debug).then_some("--compress-relocations");
    // Interfaces of WASI 0.2.0 stay what they are, though the standard library wants 0.2.4 of one.
    let features = ["CARGO_FEATURE_WASIP2", "CARGO_FEATURE_WASI_HTTP"];
    let wasi_0_2 = features.iter().any(|feature| var(feature).is_ok());
    let old = wasi_0_2.then_some("--merge-imports-based-on-semver=false");
    let sized = [MEMORY, STACK].into_iter();
    sized.chain(small).chain(old)
}

//! Tells the linker to keep the component small.

use std::env::var;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let wasm = var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm");
    let debug = var("DEBUG").is_ok_and(|debug| debug == "true");
    // Indices take the bytes that they need, not five each: 8 % of the component. Debug information
    // does not survive that.
    if wasm && !debug {
        println!("cargo::rustc-link-arg-cdylib=--compress-relocations");
    }
}

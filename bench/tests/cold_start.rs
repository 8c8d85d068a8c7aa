//! The benchmark that needs no load generator runs, in the profile of the tests too.

use std::process::Command;

#[test]
fn a_cold_start_is_measured_for_every_component() {
    let output = Command::new(env!("CARGO_BIN_EXE_bench"))
        .arg("cold-start")
        .output()
        .expect("the benchmarks' binary runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaints}");
    for component in ["floor", "service", "WASI 0.2", "viewer"] {
        assert!(said.contains(component), "{component}: {said}");
    }
}

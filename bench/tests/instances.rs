//! The benchmarks that need no load generator run, in the profile of the tests too.

use std::process::Command;

#[test]
fn a_cold_start_is_measured_for_every_component() {
    let said = bench("cold-start");
    for component in ["floor", "service", "WASI 0.2", "viewer"] {
        assert!(said.contains(component), "{component}: {said}");
    }
}

/// It fails, too, where an instance does not export what its requests have left.
#[test]
fn fuel_is_counted_for_every_row() {
    let said = bench("fuel");
    for row in ["floor", "OTEL_SDK_DISABLED", "always_off", "exported"] {
        assert!(said.contains(row), "{row}: {said}");
    }
}

fn bench(measurement: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_bench"))
        .arg(measurement)
        .output()
        .expect("the benchmarks' binary runs");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{measurement}: {complaints}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

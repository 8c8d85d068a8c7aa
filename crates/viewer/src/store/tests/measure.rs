//! Where the time goes, printed. Ignored unless asked for.

use super::*;

/// Prints where the time goes: `cargo test --release -p tracing-tail-viewer --lib measure -- --ignored --nocapture`.
#[test]
#[ignore = "it measures"]
fn measure() {
    // The time of this thread on a core: others may be at work.
    struct Instant(f64);
    impl Instant {
        fn now() -> Instant {
            let spent = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
            let nanos: f64 = spent.split(' ').next().unwrap().parse().unwrap();
            Instant(nanos / 1e9)
        }
        fn elapsed(&self) -> std::time::Duration {
            std::time::Duration::from_secs_f64(Instant::now().0 - self.0)
        }
    }
    let names = [
        "http.request.method",
        "url.scheme",
        "url.path",
        "http.route",
        "user_agent.original",
        "network.protocol.version",
        "server.address",
        "client.address",
        "a",
        "b",
    ];
    let body = |first: u64, traces: u64, spans: u64, service: &str| {
        let mut all = Vec::new();
        for trace in first..first + traces {
            for id in 1..=spans {
                let mut one = span(
                    trace,
                    trace * 100 + id + service.len() as u64 * 10,
                    u64::from(id > 1) * (trace * 100 + 1),
                );
                one.name = format!("POST {}", id % 2);
                one.attributes = names
                    .iter()
                    .map(|name| attribute(name, "/process 127.0.0.1"))
                    .collect();
                all.push(one);
            }
        }
        let export = ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                resource: Some(Resource {
                    attributes: vec![attribute("service.name", service)],
                    ..Resource::default()
                }),
                scope_spans: vec![ScopeSpans {
                    spans: all,
                    ..ScopeSpans::default()
                }],
                ..ResourceSpans::default()
            }],
        };
        Bytes::from(export.encode_to_vec())
    };
    for (what, traces, spans, services) in [
        ("25 traces of 5", 25, 5, &["a"][..]),
        ("128 traces of 1", 128, 1, &["a", "bb", "ccc"]),
    ] {
        let runtime = crate::wasi::native::NativeRuntime::new();
        let database = block_on(crate::wasi::Runtime::connect(&runtime)).unwrap();
        let mut cache = InstanceCache::default();
        let bounds = Bounds {
            traces: 5_000,
            bytes: 64 << 20,
        };
        let (mut scanning, mut storing, mut checkpoints) = (0.0, 0.0, 0.0);
        let mut now = NOW;
        let mut stored = 0;
        for round in 0..1_000_u64 {
            if round == 400 {
                (scanning, storing, checkpoints, stored) = (0.0, 0.0, 0.0, 0);
            }
            for service in services {
                let body = body(1 + round * traces, traces, spans, service);
                let began = Instant::now();
                let batch = protobuf::read(&body, RejectedSpans::default()).unwrap();
                scanning += began.elapsed().as_secs_f64();
                stored += batch.spans.len();
                let began = Instant::now();
                let batches = [batch];
                let written = write::store(&database, &mut cache, &bounds, &batches, now);
                let written = block_on(written).unwrap();
                storing += began.elapsed().as_secs_f64();
                if written.checkpoint {
                    let began = Instant::now();
                    block_on(crate::store::checkpoint::run(&database)).unwrap();
                    checkpoints += began.elapsed().as_secs_f64();
                }
            }
            now += 3;
        }
        let size = |suffix| {
            std::fs::metadata(format!("{}{suffix}", runtime.path.display()))
                .map_or(0, |of| of.len() >> 10)
        };
        let each = |seconds: f64| seconds * 1e6 / 600.0 / services.len() as f64;
        println!(
            "{what}: {:.0} us scan, {:.0} us store, {:.0} us checkpoint a batch; {stored} spans, {:.0}/s; {} + {} KiB, {:?}",
            each(scanning),
            each(storing),
            each(checkpoints),
            stored as f64 / (scanning + storing + checkpoints),
            size(""),
            size("-wal"),
            block_on(totals::counts(&database)).unwrap()
        );
    }
}

//! Collectors that do not accept a batch: retries, and what is reported.

use crate::harness::{Test, tests};
use crate::support::{
    Collector, eventually, launch_app, launch_exporting_to, refusing_address, reuses_instances,
    spin,
};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        gives_up_an_export_that_exceeds_its_timeout,
        an_unreachable_collector_is_logged_and_fails_no_request,
        retries_a_batch_that_a_busy_collector_refuses,
        drops_a_batch_when_retry_after_is_too_long,
        reports_a_partial_success_and_does_not_retry,
        reads_a_partial_success_of_any_encoding_and_length,
        a_413_names_the_batch_size_setting,
        a_forbidden_collector_names_the_allowed_host_setting,
        a_refused_export_names_the_collector_and_its_status,
    ]
};

async fn gives_up_an_export_that_exceeds_its_timeout() {
    let collector = Collector::start().await;
    collector.hold();
    let app = launch_exporting_to(&collector)
        .env("OTEL_EXPORTER_OTLP_TIMEOUT", "200")
        .start()
        .await;
    app.process("[]").await;
    let line = format!(
        "OTLP export to {} failed: timeout; spans lost: 1",
        collector.endpoint()
    );
    eventually("the loss is reported", || {
        app.stderr().contains(&line).then_some(())
    })
    .await;
}

async fn an_unreachable_collector_is_logged_and_fails_no_request() {
    let (_socket, address) = refusing_address();
    let endpoint = format!("http://{address}/v1/traces");
    let mut app = launch_app().env("OTLP_ENDPOINT", &endpoint).start().await;
    let line = format!("OTLP export to {endpoint} failed: connection refused; spans lost: ");
    assert_eq!(app.process("[]").await.status(), 200);
    eventually("the loss is reported", || {
        app.stderr().contains(&line).then_some(())
    })
    .await;
    for _ in 0..10 {
        assert_eq!(app.process("[]").await.status(), 200);
    }
    if spin().is_some() && !reuses_instances() {
        eventually("each instance reports it", || {
            (app.stderr().matches(&line).count() == 11).then_some(())
        })
        .await;
    }
    app.signal("TERM");
    app.wait_for_exit().await;
    let stderr = app.stderr();
    let lost = stderr
        .lines()
        .filter_map(|printed| printed.split_once(&line));
    let lost: Vec<usize> = lost.map(|(_, lost)| lost.parse().unwrap()).collect();
    // The embedded host adds up the reports of its instances: it prints one at once, one at the end. In Spin each
    // instance prints its own, at most once in ten seconds, and a busy host may have started a second instance.
    let lines = match (spin().is_some(), reuses_instances()) {
        (false, _) | (true, true) => 1..=2,
        (true, false) => 11..=11,
    };
    assert!(lines.contains(&lost.len()), "{stderr}");
    if spin().is_none() {
        assert_eq!(lost.iter().sum::<usize>(), 11, "{stderr}");
    }
}

async fn retries_a_batch_that_a_busy_collector_refuses() {
    let collector = Collector::start().await;
    collector.refuse_next(&[(503, None), (429, Some("1")), (502, None), (504, None)]);
    let app = launch_exporting_to(&collector).start().await;
    app.process("[]").await;
    collector.wait_for(1).await;
    assert!(!app.stderr().contains("lost"), "{}", app.stderr());
}

async fn drops_a_batch_when_retry_after_is_too_long() {
    let collector = Collector::start().await;
    collector.refuse_next(&[(503, Some("18446744073709551615"))]);
    let app = launch_exporting_to(&collector).start().await;
    app.process("[]").await;
    let line = "failed: the collector answered 503 Service Unavailable; spans lost: 1";
    eventually("the loss is reported", || {
        app.stderr().contains(line).then_some(())
    })
    .await;
    assert_eq!(
        app.process("[]").await.status(),
        200,
        "the instance still serves"
    );
}

async fn reports_a_partial_success_and_does_not_retry() {
    let collector = Collector::start().await;
    collector.reject(1, "too old");
    let app = launch_exporting_to(&collector).start().await;
    app.process("[]").await;
    let line = format!(
        "OTLP export to {} failed: the collector rejected spans: too old; spans lost: 1",
        collector.endpoint()
    );
    eventually("the loss is reported", || {
        app.stderr().contains(&line).then_some(())
    })
    .await;
    collector.wait_for(1).await;
}

async fn reads_a_partial_success_of_any_encoding_and_length() {
    let long = format!(
        "{{\"partialSuccess\":{{\"rejectedSpans\":\"1\",\"errorMessage\":\"{}\"}}}}",
        "x".repeat(100_000)
    );
    let longer = format!(
        r#"{{"partialSuccess":{{"rejectedSpans":1,"errorMessage":"{}"#,
        "y".repeat(5 << 20)
    );
    let table: [(&[u8], &str); 7] = [
        (
            br#"{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}"#,
            " failed: the collector rejected spans: too old; spans lost: 1\n",
        ),
        (long.as_bytes(), "x…; spans lost: 1\n"),
        // Only its beginning is read.
        (longer.as_bytes(), "y…; spans lost: 1\n"),
        // A warning drops no spans.
        (
            b"\x0a\x0b\x12\x09slow down",
            ": the collector warns: slow down\n",
        ),
        // No more can be lost than were sent.
        (
            b"\x0a\x06\x08\xff\xff\xff\xff\x7f",
            " failed: the collector rejected spans; spans lost: 1\n",
        ),
        (b"\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", ""),
        (b"<html>OK</html>", ""),
    ];
    for (body, expected) in table {
        let collector = Collector::start().await;
        collector.respond_with_body(body);
        let mut app = launch_exporting_to(&collector).start().await;
        app.process("[]").await;
        collector.wait_for(1).await;
        eventually("it is reported", || {
            app.stderr().contains(expected).then_some(())
        })
        .await;
        app.signal("TERM");
        app.wait_for_exit().await;
        let stderr = app.stderr();
        let about = format!("OTLP export to {}", collector.endpoint());
        let lines = usize::from(!expected.is_empty());
        assert_eq!(stderr.matches(&about).count(), lines, "{stderr}");
        let lost = expected.contains("lost");
        assert_eq!(stderr.contains("lost: 1"), lost, "{stderr}");
    }
}

async fn a_413_names_the_batch_size_setting() {
    let collector = Collector::start().await;
    collector.refuse(413);
    let app = launch_exporting_to(&collector).start().await;
    app.process("[]").await;
    let line = "answered 413 Payload Too Large; a smaller OTEL_BSP_MAX_EXPORT_BATCH_SIZE makes smaller exports; spans lost: 1";
    eventually("the loss is reported", || {
        app.stderr().contains(line).then_some(())
    })
    .await;
}

async fn a_forbidden_collector_names_the_allowed_host_setting() {
    let app = launch_app()
        .env("OTLP_ENDPOINT", "http://127.0.0.2:1/v1/traces")
        .start()
        .await;
    assert_eq!(app.process("[]").await.status(), 200);
    let line = "OTLP export to http://127.0.0.2:1/v1/traces failed: it is not an allowed destination: \
                set APP_ALLOWED_HOST=http://127.0.0.2:1 or add it to allowed_outbound_hosts; spans lost: 1";
    eventually("the loss is reported", || {
        app.stderr().contains(line).then_some(())
    })
    .await;
}

async fn a_refused_export_names_the_collector_and_its_status() {
    let collector = Collector::start().await;
    collector.refuse(400);
    let app = launch_exporting_to(&collector).start().await;
    assert_eq!(app.process("[]").await.status(), 200);
    let line = format!(
        "OTLP export to {} failed: the collector answered 400 Bad Request; spans lost: 1",
        collector.endpoint()
    );
    eventually("the loss is reported", || {
        app.stderr().contains(&line).then_some(())
    })
    .await;
}

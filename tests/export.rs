//! Batches on their way to the collector, and what happens where it does not take them.

use std::time::Instant;

use futures::future::join_all;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use tracing_tail::config::LONGEST_WAIT;

use crate::harness::{Test, tests};
use crate::support::{
    Answer, Collector, Downstream, eventually, launch_app, launch_exporting_to, refusing_address,
    reuses_instances, spin,
};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        says_who_it_is_in_resource_and_scope,
        the_environment_adds_headers_and_attributes,
        the_service_is_named_by_app_name_then_by_its_attribute,
        an_export_that_takes_too_long_is_given_up,
        answers_do_not_wait_for_the_collector,
        a_dead_collector_costs_a_line_and_no_request,
        a_collector_that_is_busy_gets_the_batch_again,
        a_collector_that_asks_for_too_long_a_wait_gets_nothing_more,
        what_a_collector_rejects_of_a_batch_is_said_and_not_sent_again,
        what_a_collector_says_is_understood_whatever_its_encoding_and_length,
        a_batch_that_is_too_large_is_said_with_the_setting,
        a_forbidden_collector_is_named_with_the_setting,
        credentials_of_the_endpoint_are_sent_and_never_shown,
        a_collector_that_refuses_is_named_with_its_status,
    ]
    embedded_host: [
        ctrl_c_loses_no_span,
        ctrl_c_lets_requests_in_flight_finish,
        a_signal_right_after_the_banner_ends_the_host_in_order,
    ]
    reused_instances: [
        spans_of_many_requests_leave_in_one_batch,
        a_steady_trickle_leaves_in_batches_too,
        a_full_batch_does_not_wait,
        a_full_queue_drops_the_newest_spans_and_says_so,
    ]
};

async fn spans_of_many_requests_leave_in_one_batch() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector)
        .env("OTEL_BSP_SCHEDULE_DELAY", "1000")
        .start()
        .await;
    // Two connections reach two of the host's threads at most, however many cores there are. Each thread has an
    // instance of its own, and each instance sends batches of its own.
    for _ in 0..50 {
        let requests: Vec<_> = (0..2).map(|_| app.process("[]")).collect();
        for answer in join_all(requests).await {
            assert_eq!(answer.status(), 200);
        }
    }
    let spans = collector.wait_for(100).await;
    let traces: std::collections::HashSet<_> = spans.iter().map(|span| &span.trace).collect();
    assert_eq!(traces.len(), 100);
    let exports = collector.exports();
    assert!(exports.len() < 10, "{} exports", exports.len());
    assert_eq!(exports[0].headers[CONTENT_TYPE], "application/x-protobuf");
}

async fn a_steady_trickle_leaves_in_batches_too() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector)
        .env("OTEL_BSP_SCHEDULE_DELAY", "1000")
        .start()
        .await;
    // Each of these ends during an export or between two: none may leave on its own.
    collector.hold();
    for sent in 1..=3 {
        app.process("[]").await;
        if sent == 1 {
            collector.wait_for(1).await;
        }
    }
    collector.release();
    collector.wait_for(3).await;
    assert_eq!(collector.exports().len(), 2);
}

async fn says_who_it_is_in_resource_and_scope() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector)
        .env("APP_NAME", "checkout")
        .start()
        .await;
    app.process("[]").await;
    collector.wait_for(1).await;
    let about: Vec<_> = collector.resource().into_keys().collect();
    let expected = [
        "service.name",
        "service.version",
        "telemetry.sdk.language",
        "telemetry.sdk.name",
        "telemetry.sdk.version",
    ];
    assert_eq!(about, expected);
    let export = collector.exports().remove(0);
    let resource = &export.request.resource_spans[0];
    assert!(
        resource
            .schema_url
            .starts_with("https://opentelemetry.io/schemas/")
    );
    let scope = &resource.scope_spans[0];
    assert_eq!(scope.scope.as_ref().unwrap().name, "tracing-tail");
    assert_eq!(scope.schema_url, resource.schema_url);
}

async fn the_environment_adds_headers_and_attributes() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector)
        .env(
            "OTEL_EXPORTER_OTLP_HEADERS",
            "authorization=Bearer%20a%3Db, x-tenant=t1",
        )
        .env(
            "OTEL_RESOURCE_ATTRIBUTES",
            "deployment.environment.name=test%20bed,service.version=7,telemetry.sdk.name=no",
        )
        .start()
        .await;
    app.process("[]").await;
    collector.wait_for(1).await;
    let export = collector.exports().remove(0);
    assert_eq!(export.headers[AUTHORIZATION], "Bearer a=b");
    assert_eq!(export.headers["x-tenant"], "t1");
    let resource = collector.resource();
    assert_eq!(resource["deployment.environment.name"], "test bed");
    assert_eq!(resource["service.version"], "7");
    assert_eq!(resource["telemetry.sdk.name"], "opentelemetry");
}

async fn the_service_is_named_by_app_name_then_by_its_attribute() {
    let table = [
        (None, "a=1", "tracing-tail"),
        (None, "service.name=attribute", "attribute"),
        (Some("variable"), "service.name=attribute", "variable"),
    ];
    for (app_name, attributes, expected) in table {
        let collector = Collector::start().await;
        let mut launch =
            launch_exporting_to(&collector).env("OTEL_RESOURCE_ATTRIBUTES", attributes);
        if let Some(name) = app_name {
            launch = launch.env("APP_NAME", name);
        }
        let app = launch.start().await;
        let list: Vec<String> = app.process("[]").await.json().await.unwrap();
        assert_eq!(list, [expected], "the list has the same name");
        collector.wait_for(1).await;
        assert_eq!(collector.resource()["service.name"], expected);
    }
}

async fn an_export_that_takes_too_long_is_given_up() {
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
    eventually("the loss is said", || {
        app.stderr().contains(&line).then_some(())
    })
    .await;
}

async fn a_full_batch_does_not_wait() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector)
        // The wait is never longer than four seconds; this takes far less.
        .env("OTEL_BSP_SCHEDULE_DELAY", "3600000")
        .env("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "5")
        .start()
        .await;
    for batch in 1..=2 {
        let started = Instant::now();
        for _ in 0..5 {
            app.process("[]").await;
        }
        collector.wait_for(5 * batch).await;
        assert!(started.elapsed() < LONGEST_WAIT);
        assert_eq!(collector.exports().len(), batch);
    }
}

async fn a_full_queue_drops_the_newest_spans_and_says_so() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector)
        .env("OTEL_BSP_SCHEDULE_DELAY", "0")
        .env("OTEL_BSP_MAX_QUEUE_SIZE", "3")
        .start()
        .await;
    collector.hold();
    app.process("[]").await;
    eventually("the first export is on its way", || {
        (!collector.exports().is_empty()).then_some(())
    })
    .await;
    for _ in 0..5 {
        assert_eq!(app.process("[]").await.status(), 200);
    }
    collector.release();
    collector.wait_for(4).await;
    let line = "the queue was full (OTEL_BSP_MAX_QUEUE_SIZE); spans lost: 2";
    eventually("the loss is said", || {
        app.stderr().contains(line).then_some(())
    })
    .await;
}

async fn answers_do_not_wait_for_the_collector() {
    let collector = Collector::start().await;
    collector.hold();
    let app = launch_exporting_to(&collector)
        .env("OTEL_BSP_SCHEDULE_DELAY", "1000")
        .start()
        .await;
    for _ in 0..3 {
        assert_eq!(app.process("[]").await.status(), 200);
    }
    collector.wait_for(3).await;
    for _ in 0..3 {
        assert_eq!(
            app.process("[]").await.status(),
            200,
            "while an export is held back"
        );
    }
    collector.release();
    collector.wait_for(6).await;
}

async fn a_dead_collector_costs_a_line_and_no_request() {
    let (_socket, address) = refusing_address();
    let endpoint = format!("http://{address}/v1/traces");
    let mut app = launch_app().env("OTLP_ENDPOINT", &endpoint).start().await;
    let line = format!("OTLP export to {endpoint} failed: connection refused; spans lost: ");
    assert_eq!(app.process("[]").await.status(), 200);
    eventually("the loss is said", || {
        app.stderr().contains(&line).then_some(())
    })
    .await;
    for _ in 0..10 {
        assert_eq!(app.process("[]").await.status(), 200);
    }
    if spin().is_some() && !reuses_instances() {
        eventually("each instance says it", || {
            (app.stderr().matches(&line).count() == 11).then_some(())
        })
        .await;
    }
    app.signal("TERM");
    app.wait_for_exit().await;
    let said = app.stderr();
    let lost = said.lines().filter_map(|said| said.split_once(&line));
    let lost: Vec<usize> = lost.map(|(_, lost)| lost.parse().unwrap()).collect();
    // The embedded host adds up what instances say: once at once, once at the end. In Spin each says it, at
    // most once in ten seconds, and a busy host may have started a second one.
    let lines = match (spin().is_some(), reuses_instances()) {
        (false, _) | (true, true) => 1..=2,
        (true, false) => 11..=11,
    };
    assert!(lines.contains(&lost.len()), "{said}");
    if spin().is_none() {
        assert_eq!(lost.iter().sum::<usize>(), 11, "{said}");
    }
}

async fn a_collector_that_is_busy_gets_the_batch_again() {
    let collector = Collector::start().await;
    collector.refuse_next(&[(503, None), (429, Some("1")), (502, None), (504, None)]);
    let app = launch_exporting_to(&collector).start().await;
    app.process("[]").await;
    collector.wait_for(1).await;
    assert!(!app.stderr().contains("lost"), "{}", app.stderr());
}

async fn a_collector_that_asks_for_too_long_a_wait_gets_nothing_more() {
    let collector = Collector::start().await;
    collector.refuse_next(&[(503, Some("18446744073709551615"))]);
    let app = launch_exporting_to(&collector).start().await;
    app.process("[]").await;
    let line = "failed: the collector answered 503 Service Unavailable; spans lost: 1";
    eventually("the loss is said", || {
        app.stderr().contains(line).then_some(())
    })
    .await;
    assert_eq!(
        app.process("[]").await.status(),
        200,
        "the instance goes on"
    );
}

async fn what_a_collector_rejects_of_a_batch_is_said_and_not_sent_again() {
    let collector = Collector::start().await;
    collector.reject(1, "too old");
    let app = launch_exporting_to(&collector).start().await;
    app.process("[]").await;
    let line = format!(
        "OTLP export to {} failed: the collector rejected spans: too old; spans lost: 1",
        collector.endpoint()
    );
    eventually("the loss is said", || {
        app.stderr().contains(&line).then_some(())
    })
    .await;
    collector.wait_for(1).await;
}

async fn what_a_collector_says_is_understood_whatever_its_encoding_and_length() {
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
        // A warning loses nothing.
        (
            b"\x0a\x0b\x12\x09slow down",
            ": the collector warns: slow down\n",
        ),
        // No more are lost than were sent.
        (
            b"\x0a\x06\x08\xff\xff\xff\xff\x7f",
            " failed: the collector rejected spans; spans lost: 1\n",
        ),
        (b"\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", ""),
        (b"<html>OK</html>", ""),
    ];
    for (body, said) in table {
        let collector = Collector::start().await;
        collector.respond_with_body(body);
        let mut app = launch_exporting_to(&collector).start().await;
        app.process("[]").await;
        collector.wait_for(1).await;
        eventually("it is said", || app.stderr().contains(said).then_some(())).await;
        app.signal("TERM");
        app.wait_for_exit().await;
        let stderr = app.stderr();
        let about = format!("OTLP export to {}", collector.endpoint());
        let lines = usize::from(!said.is_empty());
        assert_eq!(stderr.matches(&about).count(), lines, "{stderr}");
        let lost = said.contains("lost");
        assert_eq!(stderr.contains("lost: 1"), lost, "{stderr}");
    }
}

async fn a_batch_that_is_too_large_is_said_with_the_setting() {
    let collector = Collector::start().await;
    collector.refuse(413);
    let app = launch_exporting_to(&collector).start().await;
    app.process("[]").await;
    let line = "answered 413 Payload Too Large; a smaller OTEL_BSP_MAX_EXPORT_BATCH_SIZE makes smaller exports; spans lost: 1";
    eventually("the loss is said", || {
        app.stderr().contains(line).then_some(())
    })
    .await;
}

async fn a_forbidden_collector_is_named_with_the_setting() {
    let app = launch_app()
        .env("OTLP_ENDPOINT", "http://127.0.0.2:1/v1/traces")
        .start()
        .await;
    assert_eq!(app.process("[]").await.status(), 200);
    let line = "OTLP export to http://127.0.0.2:1/v1/traces failed: it is not an allowed destination: \
                set APP_ALLOWED_HOST=http://127.0.0.2:1 or add it to allowed_outbound_hosts; spans lost: 1";
    eventually("the loss is said", || {
        app.stderr().contains(line).then_some(())
    })
    .await;
}

async fn credentials_of_the_endpoint_are_sent_and_never_shown() {
    let collector = Collector::start().await;
    let endpoint = collector
        .endpoint()
        .replace("http://", "http://user:secret@");
    let app = launch_app()
        .env("OTLP_ENDPOINT", format!("{endpoint}?key=hidden"))
        .start()
        .await;
    app.process("[]").await;
    collector.wait_for(1).await;
    let headers = &collector.exports()[0].headers;
    // base64("user:secret")
    assert_eq!(headers[AUTHORIZATION], "Basic dXNlcjpzZWNyZXQ=");
    assert!(headers.contains_key(CONTENT_LENGTH), "never chunked");
    collector.refuse(400);
    app.process("[]").await;
    eventually("the loss is said", || {
        app.stderr().contains("spans lost: 1").then_some(())
    })
    .await;
    for output in [app.stdout(), app.stderr()] {
        assert!(
            !output.contains("secret") && !output.contains("hidden"),
            "{output}"
        );
    }
}

async fn a_collector_that_refuses_is_named_with_its_status() {
    let collector = Collector::start().await;
    collector.refuse(400);
    let app = launch_exporting_to(&collector).start().await;
    assert_eq!(app.process("[]").await.status(), 200);
    let line = format!(
        "OTLP export to {} failed: the collector answered 400 Bad Request; spans lost: 1",
        collector.endpoint()
    );
    eventually("the loss is said", || {
        app.stderr().contains(&line).then_some(())
    })
    .await;
}

async fn ctrl_c_loses_no_span() {
    let reuses = reuses_instances();
    for signal in ["INT", "TERM"] {
        let collector = Collector::start().await;
        let mut app = launch_exporting_to(&collector)
            .env("OTEL_BSP_SCHEDULE_DELAY", "1500")
            .start()
            .await;
        for _ in 0..20 {
            app.request(Method::POST, "/process")
                .body("[]")
                .send()
                .await
                .unwrap();
        }
        if reuses {
            assert_eq!(collector.spans().len(), 0, "they still wait in the queue");
        }
        app.signal(signal);
        assert!(app.wait_for_exit().await.success());
        assert_eq!(collector.spans().len(), 20);
    }
}

async fn ctrl_c_lets_requests_in_flight_finish() {
    let collector = Collector::start().await;
    let downstream = Downstream::start([Answer::Held]).await;
    let mut app = launch_exporting_to(&collector)
        .env("APP_URL_DESTINO", downstream.url())
        .start()
        .await;
    let request = tokio::spawn(app.request(Method::POST, "/process").body("[]").send());
    let received = || (!downstream.received().is_empty()).then_some(());
    eventually("the request is in flight", received).await;
    app.signal("INT");
    let told = || app.stderr().contains("Shutting down").then_some(());
    eventually("the shutdown begins", told).await;
    downstream.release();
    assert_eq!(request.await.unwrap().unwrap().status(), 200);
    assert!(app.wait_for_exit().await.success());
    assert_eq!(collector.spans().len(), 2);
}

async fn a_signal_right_after_the_banner_ends_the_host_in_order() {
    for _ in 0..5 {
        let mut app = launch_app().start().await;
        app.signal("INT");
        assert_eq!(app.wait_for_exit().await.code(), Some(0));
    }
}

//! Settings from the environment, and how malformed ones are reported.

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tracing_tail_host::manifest::{Manifest, find};

use crate::harness::{Test, World, tests};
use crate::support::{
    Collector, eventually, launch_app, launch_exporting_to, repository, reuses_instances, spin,
};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        names_each_malformed_setting_in_the_response_and_on_stderr,
        a_malformed_setting_of_opentelemetry_is_ignored_with_a_warning,
        opentelemetry_keywords_are_case_insensitive,
        names_a_malformed_endpoint,
        the_originals_environment_works_unchanged,
        a_chain_is_whole_with_opentelemetry_s_own_names,
        a_variable_on_the_command_line_wins_over_the_environment,
        the_runtime_configuration_wins_over_spins_own_environment,
        the_components_environment_counts_where_no_variable_is_mapped,
    ]
};

async fn names_each_malformed_setting_in_the_response_and_on_stderr() {
    let table = [
        (
            "APP_ERRORS",
            "abc",
            "'abc' is not a percentage from 0 to 100",
        ),
        (
            "APP_LATENCY",
            "fast",
            "'fast' is not a number of milliseconds such as 1000, a duration such as 200ms, a range such \
             as 50ms..250ms, or rising quantiles such as p50:20ms,p90:100ms,p99:900ms, all at most 1h",
        ),
        (
            "APP_TIMEOUT",
            "5",
            "'5' is not a duration such as 5s or 500ms, at most 1h",
        ),
        (
            "APP_URL_DESTINO",
            "service-b",
            "'service-b' is not an http:// or https:// URL such as http://service-b.spin.internal",
        ),
    ];
    // Under WASI 0.2 each request has an instance, and each instance reports it.
    let reuses = reuses_instances();
    for (name, value, problem) in table {
        let collector = Collector::start().await;
        let app = launch_exporting_to(&collector)
            .env(name, value)
            .start()
            .await;
        let sentence = format!("{name}: {problem}");
        for _ in 0..2 {
            let answer = app.process("[]").await;
            assert_eq!(answer.status(), 500);
            assert_eq!(
                answer.json::<Value>().await.unwrap(),
                json!({ "error": sentence })
            );
        }
        let instances = if reuses { 1 } else { 2 };
        let occurrences = || app.stderr().matches(&sentence).count();
        eventually("each instance names it on stderr", || {
            (occurrences() >= instances).then_some(())
        })
        .await;
        assert_eq!(occurrences(), instances, "once: {}", app.stderr());
        let spans = collector.wait_for(2).await;
        assert_eq!(
            spans[0].status,
            Some(format!("ERROR {sentence:?}")),
            "it is traced as well"
        );
    }
}

async fn a_malformed_setting_of_opentelemetry_is_ignored_with_a_warning() {
    let table = [
        (
            "OTEL_TRACES_SAMPLER",
            "sometimes",
            "OTEL_TRACES_SAMPLER: 'sometimes' is not one of ",
        ),
        (
            "OTEL_SDK_DISABLED",
            "yes",
            "OTEL_SDK_DISABLED: 'yes' is not one of true, false; the default holds",
        ),
        (
            // Of `grpc` the embedded host tells itself.
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "http/xml",
            "OTEL_EXPORTER_OTLP_PROTOCOL: 'http/xml' is not one of http/protobuf, http/json; the default holds",
        ),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "team=a,b",
            "OTEL_RESOURCE_ATTRIBUTES: entry 2 is not a pair ",
        ),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "x-tenant=t1,host=a,content-length=1,connection=close,transfer-encoding=chunked",
            "OTEL_EXPORTER_OTLP_HEADERS: left out, since exporter and host set them: connection, host, \
             transfer-encoding, content-length\n",
        ),
    ];
    let reuses = reuses_instances();
    for (name, value, warning) in table {
        let collector = Collector::start().await;
        let app = launch_exporting_to(&collector)
            .env(name, value)
            .start()
            .await;
        for _ in 0..2 {
            assert_eq!(app.process("[]").await.status(), 200, "{name}");
        }
        collector.wait_for(2).await;
        let occurrences = || app.stderr().matches(warning).count();
        eventually("it is reported", || (occurrences() > 0).then_some(())).await;
        // The embedded host prints it once for all instances; in Spin each instance does.
        let most = if reuses || spin().is_none() { 1 } else { 2 };
        assert!(occurrences() <= most, "{}", app.stderr());
        assert!(app.stderr().contains("warning: "), "{}", app.stderr());
        let export = collector.exports().remove(0);
        if name == "OTEL_EXPORTER_OTLP_HEADERS" {
            assert_eq!(export.headers["x-tenant"], "t1", "the others are sent");
        }
        assert!(!collector.resource().contains_key("team"), "{name}");
    }
}

async fn opentelemetry_keywords_are_case_insensitive() {
    for (name, value) in [
        ("OTEL_SDK_DISABLED", "True"),
        ("OTEL_TRACES_SAMPLER", "ALWAYS_OFF"),
    ] {
        let collector = Collector::start().await;
        let mut app = launch_exporting_to(&collector)
            .env(name, value)
            .start()
            .await;
        assert_eq!(app.process("[]").await.status(), 200);
        app.signal("TERM");
        app.wait_for_exit().await;
        assert_eq!(collector.spans().len(), 0, "{name}={value}");
        assert!(!app.stderr().contains(name), "{}", app.stderr());
    }
}

async fn names_a_malformed_endpoint() {
    let app = launch_app()
        .env("OTLP_ENDPOINT", "collector:4318")
        .start()
        .await;
    let answer = app.process("[]").await;
    assert_eq!(answer.status(), 500);
    assert_eq!(
        answer.json::<Value>().await.unwrap(),
        json!({ "error": "OTLP_ENDPOINT: 'collector:4318' is not an http:// or https:// URL such as http://localhost:4318/v1/traces" })
    );
}

async fn the_originals_environment_works_unchanged() {
    let collector = Collector::start().await;
    let app = launch_app()
        .env("APP_ERRORS", "20")
        .env("APP_LATENCY", "10")
        .env("OTLP_ENDPOINT", collector.endpoint())
        .start()
        .await;
    let mut failed = 0;
    for seed in 0..100 {
        let request = app.request(Method::POST, "/process").body("[]");
        let request = request.header("baggage", format!("tail.seed={seed}"));
        match request.send().await.unwrap().status().as_u16() {
            200 => {}
            500 => failed += 1,
            other => panic!("{other}"),
        }
    }
    // The seeds make the draws reproducible. The bounds would hold for all but one run in ten million without them.
    assert!((2..=44).contains(&failed), "{failed} of 100 failed");
    let spans = collector.wait_for(200).await;
    let delays: Vec<_> = spans
        .iter()
        .filter(|span| span.kind == "INTERNAL")
        .collect();
    assert_eq!(delays.len(), 100);
}

/// Spin has telemetry of its own then, whose contexts and spans come in between.
async fn a_chain_is_whole_with_opentelemetry_s_own_names() {
    let collector = Collector::start().await;
    let endpoint = collector.endpoint();
    let base = endpoint.strip_suffix("/v1/traces").unwrap();
    let app = launch_app()
        .env("OTEL_SERVICE_NAME", "by-standard")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", base)
        .env("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-tenant=t1")
        .env("APP_URL_DESTINO", "http://service-b.spin.internal")
        .env("APP_B_URL_DESTINO", "http://service-c.spin.internal")
        .start()
        .await;
    let list: Value = app.process("[]").await.json().await.unwrap();
    let services = ["by-standard", "service-b", "service-c"];
    assert_eq!(list, json!(services));
    let spans = eventually("the spans of all three arrive", || {
        let mut spans = collector.spans();
        spans.retain(|span| services.contains(&span.service.as_str()));
        (spans.len() == 5).then_some(spans)
    })
    .await;
    let roots: Vec<_> = spans.iter().filter(|span| span.parent.is_empty()).collect();
    assert_eq!(roots.len(), 1, "{spans:?}");
    for span in &spans {
        assert_eq!(span.trace, roots[0].trace);
        let has_parent = spans.iter().any(|other| other.id == span.parent);
        assert_eq!(has_parent, span.id != roots[0].id, "{span:?}");
    }
    let export = collector.exports().remove(0);
    assert_eq!(export.headers["x-tenant"], "t1");
}

async fn a_variable_on_the_command_line_wins_over_the_environment() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector)
        .env("SPIN_VARIABLE_NAME", "from-spin")
        .env("APP_NAME", "from-app")
        .argument("--variable")
        .argument("name=from-the-command-line")
        .start()
        .await;
    let list: Value = app.process("[]").await.json().await.unwrap();
    assert_eq!(list, json!(["from-the-command-line"]));
}

async fn the_runtime_configuration_wins_over_spins_own_environment() {
    let collector = Collector::start().await;
    let launch = || launch_exporting_to(&collector).env("SPIN_VARIABLE_NAME", "from-spin");
    let table = [
        (launch().env("APP_NAME", "from-app"), "from-app"),
        (launch(), "from-spin"),
    ];
    for (launch, name) in table {
        let app = launch.start().await;
        let list: Value = app.process("[]").await.json().await.unwrap();
        assert_eq!(list, json!([name]));
    }
}

async fn the_components_environment_counts_where_no_variable_is_mapped() {
    let whole = repository().join(World::current().manifest());
    let whole = Manifest::load(&whole).unwrap();
    let source = &find(&whole, "tracing-tail").unwrap().source;
    let folder = TempDir::new().unwrap();
    let manifest = folder.path().join("spin.toml");
    let text = format!(
        r#"
        spin_manifest_version = 2
        [application]
        name = "unmapped"
        [[trigger.http]]
        route = "/..."
        component = "tracing-tail"
        [component.tracing-tail]
        source = {source:?}
        allowed_outbound_hosts = ["http://127.0.0.1:*"]
        [component.tracing-tail.variables]
        app_errors = "0"
        otel_resource_attributes = ""
        "#
    );
    std::fs::write(&manifest, text).unwrap();
    let collector = Collector::start().await;
    let app = launch_app()
        .manifest(&manifest)
        .env("OTLP_ENDPOINT", collector.endpoint())
        .env("APP_NAME", "from-the-environment")
        // These are mapped.
        .env("APP_ERRORS", "100")
        .env("OTEL_RESOURCE_ATTRIBUTES", "team=a")
        .pass_env()
        .start()
        .await;
    let answer = app.process("[]").await;
    assert_eq!(answer.status(), 200);
    let list: Value = answer.json().await.unwrap();
    assert_eq!(list, json!(["from-the-environment"]));
    collector.wait_for(1).await;
    assert!(!collector.resource().contains_key("team"));
}

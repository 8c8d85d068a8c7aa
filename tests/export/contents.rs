//! What an export carries: resource, scope, headers.

use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH};

use crate::harness::{Test, tests};
use crate::support::{Collector, eventually, launch_app, launch_exporting_to};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        exports_resource_and_scope,
        takes_headers_and_resource_attributes_from_the_environment,
        the_service_is_named_by_app_name_then_by_its_attribute,
        credentials_of_the_endpoint_are_sent_and_never_shown,
    ]
};

async fn exports_resource_and_scope() {
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

async fn takes_headers_and_resource_attributes_from_the_environment() {
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
    eventually("the loss is reported", || {
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

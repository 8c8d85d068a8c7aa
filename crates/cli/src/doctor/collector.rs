//! The collectors: what each answers to an empty export.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Request, StatusCode};
use tracing_tail::settings::Config;
use tracing_tail::target::Target;
use tracing_tail_host::outbound::CHAINING_SUFFIX;

use super::Finding;
use super::service::Service;
use crate::traffic::client::{Client, ClientLimits};

/// How long a collector may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// One finding for each URL that spans go to.
pub(super) async fn findings(services: &[Service]) -> Vec<Finding> {
    let configs = services.iter().map(|service| &service.config);
    let targets: BTreeMap<_, _> = configs
        .filter(|config| !config.sdk_disabled)
        .filter_map(|config| {
            let target = config.otlp_endpoint.as_ref()?;
            Some((target.redacted().to_owned(), (config, target)))
        })
        .collect();
    let client = Client::new(ClientLimits::of_one_answer(PATIENCE));
    let mut findings = Vec::new();
    for (url, (config, target)) in targets {
        let host = target.url().host().unwrap_or_default();
        findings.push(match host.ends_with(CHAINING_SUFFIX) {
            true => Finding::fine("collector", format!("{url} is in the app itself")),
            false => ask(&client, &url, config, target).await,
        });
    }
    findings
}

async fn ask(client: &Client, url: &str, config: &Config, target: &Target) -> Finding {
    let mut request = Request::post(target.url());
    if let Some(headers) = request.headers_mut() {
        headers.extend(config.export.headers.clone());
        if let Some(authorization) = target.authorization() {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
    }
    // An empty message of protobuf is an export without spans.
    let request = request
        .header(CONTENT_TYPE, "application/x-protobuf")
        .body(Bytes::new());
    let Ok(request) = request else {
        return Finding::problem("collector", format!("{url}: no request can be made of it"));
    };
    match client.send(request).await {
        Ok(answer) => answered(url, answer.status()),
        Err(failure) => Finding::problem(
            "collector",
            format!("{url} does not answer ({failure}); its spans would be lost"),
        ),
    }
}

/// What a status means for exports.
fn answered(url: &str, status: StatusCode) -> Finding {
    let hint = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            "; credentials belong in OTEL_EXPORTER_OTLP_HEADERS"
        }
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
            "; OTLP_ENDPOINT is the full URL, which ends in /v1/traces on most collectors"
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "; it takes no protobuf over HTTP",
        _ => "",
    };
    let text = format!("{url} answers {status} to an empty export{hint}");
    match status.as_u16() {
        200..300 => Finding::fine("collector", text),
        // Some refuse an export for being empty, and take others.
        400 | 429 | 503 => Finding::warning("collector", text),
        _ => Finding::problem("collector", text),
    }
}

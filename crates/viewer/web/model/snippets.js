// How to send traces to this app, for the page without any.

/** A span as OTLP JSON. The times are those of the moment that it is copied. */
const SPAN = {
  traceId: "5b8efff798038103d269b633813fc60c",
  spanId: "eee19b7ec3c1b174",
  name: "hello",
  kind: 2,
};

/**
 * Snippets by name.
 * @param {string} origin the address of this app
 * @param {number} now milliseconds since 1970
 * @returns {[string, string][]}
 */
export function snippets(origin, now) {
  const endpoint = `OTEL_EXPORTER_OTLP_ENDPOINT=${origin}`;
  const protocol = "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf";
  const environment = `${endpoint} ${protocol} OTEL_SERVICE_NAME=my-service`;
  const span = {
    ...SPAN,
    startTimeUnixNano: `${now}000000`,
    endTimeUnixNano: `${now + 120}000000`,
  };
  const resource = {
    attributes: [{ key: "service.name", value: { stringValue: "curl" } }],
  };
  const body = JSON.stringify({
    resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }],
  });
  return [
    [
      "curl",
      `curl ${origin}/v1/traces -H 'content-type: application/json' -d '${body}'`,
    ],
    [
      "Python",
      [
        "pip install opentelemetry-distro opentelemetry-exporter-otlp-proto-http",
        "opentelemetry-bootstrap -a install",
        `${environment} opentelemetry-instrument python app.py`,
      ].join("\n"),
    ],
    [
      "JavaScript",
      [
        "npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node",
        `${environment} NODE_OPTIONS="--require @opentelemetry/auto-instrumentations-node/register" node app.js`,
      ].join("\n"),
    ],
    [
      "Go",
      [
        "go get go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp",
        "# exporter, err := otlptracehttp.New(ctx), then:",
        `${environment} go run .`,
      ].join("\n"),
    ],
    [
      "Java",
      `${environment} java -javaagent:opentelemetry-javaagent.jar -jar app.jar`,
    ],
    [
      "Collector",
      [
        "exporters:",
        "  otlphttp/tail:",
        `    endpoint: ${origin}`,
        "service:",
        "  pipelines:",
        "    traces:",
        "      exporters: [otlphttp/tail]",
      ].join("\n"),
    ],
  ];
}

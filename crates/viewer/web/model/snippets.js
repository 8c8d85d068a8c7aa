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
  // Agents send metrics and logs too, which are not taken here, and would warn of it.
  const traces = `OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none ${environment}`;
  return [
    ["curl", curl(origin, now)],
    [
      "Python",
      lines(
        "pip install opentelemetry-distro opentelemetry-exporter-otlp-proto-http",
        "opentelemetry-bootstrap -a install",
        `${traces} opentelemetry-instrument python app.py`,
      ),
    ],
    [
      "JavaScript",
      lines(
        "npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node",
        `${traces} NODE_OPTIONS="--require @opentelemetry/auto-instrumentations-node/register" node app.js`,
      ),
    ],
    ["Go", go(environment)],
    [
      "Java",
      lines(
        "curl -LO https://github.com/open-telemetry/opentelemetry-java-instrumentation/releases/latest/download/opentelemetry-javaagent.jar",
        `${traces} java -javaagent:opentelemetry-javaagent.jar -jar app.jar`,
      ),
    ],
    [
      "Collector",
      lines(
        "receivers:",
        "  otlp:",
        "    protocols:",
        "      # 4317 and 4318 may be this app's own.",
        "      grpc:",
        "        endpoint: localhost:5317",
        "      http:",
        "        endpoint: localhost:5318",
        "exporters:",
        "  otlp_http/tail:",
        `    endpoint: ${origin}`,
        "service:",
        "  pipelines:",
        "    traces:",
        "      receivers: [otlp]",
        "      exporters: [otlp_http/tail]",
      ),
    ],
  ];
}

/** @param {string[]} all */
function lines(...all) {
  return all.join("\n");
}

/** @param {string} origin @param {number} now */
function curl(origin, now) {
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
  return `curl ${origin}/v1/traces -H 'content-type: application/json' -d '${body}'`;
}

// Go has no agent: a whole program, and how to run it.
/** @param {string} environment */
function go(environment) {
  return lines(
    "cat > main.go <<'EOF'",
    "package main",
    "",
    "import (",
    '\t"context"',
    "",
    '\t"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"',
    '\t"go.opentelemetry.io/otel/sdk/trace"',
    ")",
    "",
    "func main() {",
    "\tctx := context.Background()",
    "\texporter, err := otlptracehttp.New(ctx)",
    "\tif err != nil {",
    "\t\tpanic(err)",
    "\t}",
    "\tprovider := trace.NewTracerProvider(trace.WithBatcher(exporter))",
    "\tdefer provider.Shutdown(ctx)",
    '\t_, span := provider.Tracer("example").Start(ctx, "hello")',
    "\tspan.End()",
    "}",
    "EOF",
    "go mod init my-service",
    "go mod tidy",
    `${environment} go run .`,
  );
}

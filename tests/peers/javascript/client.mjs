// A program whose OpenTelemetry SDK has nothing set. It prints the ids of its two spans, the parent's first.
import { context, trace } from "@opentelemetry/api";
import { NodeSDK } from "@opentelemetry/sdk-node";

const sdk = new NodeSDK();
sdk.start();
const tracer = trace.getTracer("peer");
const parent = tracer.startSpan("javascript parent");
const child = tracer.startSpan(
  "javascript child",
  {},
  trace.setSpan(context.active(), parent),
);
child.end();
parent.end();
for (const span of [parent, child]) {
  const { traceId, spanId } = span.spanContext();
  console.log(traceId, spanId);
}
await sdk.shutdown();

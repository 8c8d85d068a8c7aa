"""A program whose OpenTelemetry SDK has nothing set but the protocol, which in Python is a choice of packages: "http" or
"grpc". It prints the ids of its two spans, the parent's first."""

import sys

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

if sys.argv[1] == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
else:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
tracer = provider.get_tracer("peer")
with tracer.start_as_current_span("python parent") as parent:
    with tracer.start_as_current_span("python child") as child:
        pass
for span in (parent, child):
    context = span.get_span_context()
    print(f"{context.trace_id:032x} {context.span_id:016x}")
provider.shutdown()

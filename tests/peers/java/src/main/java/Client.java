import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A program whose OpenTelemetry SDK has nothing set. It prints the ids of its two spans, the parent's first. */
public final class Client {
    public static void main(String[] arguments) {
        var sdk = AutoConfiguredOpenTelemetrySdk.initialize().getOpenTelemetrySdk();
        Tracer tracer = sdk.getTracer("peer");
        Span parent = tracer.spanBuilder("java parent").startSpan();
        Span child = tracer.spanBuilder("java child").setParent(Context.root().with(parent)).startSpan();
        child.end();
        parent.end();
        for (Span span : List.of(parent, child)) {
            System.out.println(span.getSpanContext().getTraceId() + " " + span.getSpanContext().getSpanId());
        }
        sdk.shutdown().join(10, TimeUnit.SECONDS);
    }
}

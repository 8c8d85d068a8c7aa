// A program whose OpenTelemetry SDK has nothing set but the protocol, which in Go is a choice of packages: "http" or "grpc".
// It prints the ids of its two spans, the parent's first.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/trace"
)

func exporter(ctx context.Context, protocol string) (*otlptrace.Exporter, error) {
	if protocol == "grpc" {
		return otlptracegrpc.New(ctx)
	}
	return otlptracehttp.New(ctx)
}

func main() {
	ctx := context.Background()
	exporter, err := exporter(ctx, os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter))
	tracer := provider.Tracer("peer")
	ctx, parent := tracer.Start(ctx, "go parent")
	_, child := tracer.Start(ctx, "go child")
	child.End()
	parent.End()
	for _, span := range []interface{ String() string }{parent.SpanContext().SpanID(), child.SpanContext().SpanID()} {
		fmt.Println(parent.SpanContext().TraceID(), span)
	}
	// The exporter's error comes with the last export.
	if err := provider.ForceFlush(ctx); err != nil {
		log.Fatal(err)
	}
	if err := provider.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
}

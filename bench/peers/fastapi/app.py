"""The peer of the benchmarks: what the Python original did, written anew from its description.

One `process-request` span per request, no client spans, and the original's faults with it: the
last failed downstream decides the answer, and the span ends OK even then.
"""

import os
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import requests
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract, inject
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, Status, StatusCode

APP_NAME = os.getenv("APP_NAME", "tracing-tail")
APP_URL_DESTINO = [url for url in os.getenv("APP_URL_DESTINO", "").split(",") if url]
OTLP_ENDPOINT = os.getenv("OTLP_ENDPOINT", "http://collector:4318/v1/traces")
APP_ERRORS = int(os.getenv("APP_ERRORS", "0"))  # per cent of the requests
APP_LATENCY = int(os.getenv("APP_LATENCY", "0"))  # milliseconds, at most
TIMEOUT = 5  # seconds, of one downstream call

provider = TracerProvider(
    resource=Resource.create({SERVICE_NAME: APP_NAME}),
    shutdown_on_exit=False,  # the lifespan does it: after SIGTERM uvicorn leaves no exit handlers
)
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=OTLP_ENDPOINT)))
trace.set_tracer_provider(provider)
tracer = trace.get_tracer(__name__)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield
    provider.shutdown()  # exports every span that has ended


app = FastAPI(lifespan=lifespan)


@app.post("/process")
async def process(items: list[str], request: Request) -> JSONResponse:
    # `async`, though sleeps and calls block: it comes closest to the 2,500 requests/s measured of
    # the original. `def`, which FastAPI runs in a thread pool, takes more CPU time per request.
    with tracer.start_as_current_span("process-request", context=extract(request.headers)) as span:
        span.set_attribute("http.route", "/process")
        span.set_attribute("http.method", "POST")
        span.add_event("request started", {"payload.size": len(items)})
        payload = [*items, APP_NAME]

        latency = random.randint(0, APP_LATENCY) if APP_LATENCY > 0 else 0
        span.set_attribute("process.runtime.latency_ms", latency)
        if latency:
            time.sleep(latency / 1000)

        if random.randint(1, 100) <= APP_ERRORS:
            return simulated_error(span)

        status = 200
        for url in APP_URL_DESTINO:
            payload, failure = call(url, payload, span)
            status = failure or status

        span.set_attribute("http.status_code", status)
        span.add_event("request finished", {"payload.size": len(payload)})
        span.set_status(Status(StatusCode.OK))
        return JSONResponse(payload, status)


def simulated_error(span: Span) -> JSONResponse:
    error = RuntimeError(f"simulated error in {APP_NAME}")
    span.set_attribute("http.status_code", 500)
    span.add_event("simulated error")
    span.record_exception(error)
    span.set_status(Status(StatusCode.ERROR, str(error)))
    return JSONResponse({"error": str(error)}, 500)


def call(url: str, payload: list[str], span: Span) -> tuple[list[str], int | None]:
    """The list after this downstream, and the status to answer with if it failed."""
    span.set_attribute("net.peer.name", url)
    headers: dict[str, str] = {}
    inject(headers)
    try:
        answer = requests.post(f"{url}/process", json=payload, headers=headers, timeout=TIMEOUT)
        if answer.status_code != 200:
            span.add_event("outbound error", {"url": url, "status": answer.status_code})
            return payload, 502
        payload = answer.json()
    except Exception as failure:
        span.add_event("outbound failure", {"url": url, "exception": str(failure)})
        return payload, 400
    span.add_event("outbound success", {"url": url})
    return payload, None

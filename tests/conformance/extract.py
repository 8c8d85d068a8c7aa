#!/usr/bin/env python3
"""Extracts what tests/conformance.rs holds spans against from OpenTelemetry's semantic conventions.

To renew registry.json, for the version that the schema URL of exported spans names (the crate
opentelemetry-semantic-conventions decides on it):

    git clone https://github.com/open-telemetry/semantic-conventions /tmp/semconv
    python3 tests/conformance/extract.py /tmp/semconv v1.42.0 v1.44.0 > tests/conformance/registry.json

The second version is that of messaging spans alone: the first that has one for each type of operation. Their attributes are
still those of the first. It needs PyYAML. What comes out are facts: names, types, stability, kinds and requirement levels.
"""

import json
import subprocess
import sys

import yaml

# The namespaces whose attributes a span, an event or a resource of an HTTP service may have.
NAMESPACES = [
    "aws", "client", "db", "error", "exceptions", "http", "messaging", "network", "rpc", "server", "service", "telemetry",
    "url", "user-agent",
]
SPANS = ["span.http.server", "span.http.client"]
# The CLIENT spans of leaves, by the system.
LEAVES = {
    "postgresql": "span.db.postgresql.client", "mysql": "span.db.mysql.client", "mongodb": "span.db.mongodb.client",
    "redis": "span.db.redis.client", "elasticsearch": "span.db.elasticsearch.client",
    "grpc": "span.rpc.grpc.call.client",
}
# The spans of messages, by the type of the operation and the kind.
MESSAGES = ["create.producer", "send.producer", "send.client", "process.consumer"]
EVENTS = ["event.exception"]
ENTITIES = ["entity.service", "entity.service.instance", "entity.service.namespace", "entity.telemetry.sdk"]


def git(repository, *arguments):
    return subprocess.run(["git", "-C", repository, *arguments], check=True, capture_output=True, text=True).stdout


def groups(repository, tag):
    for path in git(repository, "ls-tree", "-r", "--name-only", tag, "model").splitlines():
        parts = path.split("/")
        if len(parts) > 2 and parts[1] in NAMESPACES and path.endswith(".yaml"):
            content = yaml.safe_load(git(repository, "show", f"{tag}:{path}"))
            yield from content.get("groups", [])


def attribute(definition):
    """A type, or the values of an enumeration, and what else is known of an attribute."""
    kind = definition["type"]
    about = {"type": kind, "stability": definition.get("stability", "development")}
    if isinstance(kind, dict):
        values = [member["value"] for member in kind["members"]]
        about["type"] = "string" if isinstance(values[0], str) else "int"
        about["values"] = values
    if "deprecated" in definition:
        about["deprecated"] = True
    return about


def level(reference):
    """A requirement level without its condition; none where it is not said here."""
    stated = reference.get("requirement_level")
    return next(iter(stated)) if isinstance(stated, dict) else stated


def levels(group, known):
    """The attributes of a group and of those that it extends."""
    found = dict(levels(known[group["extends"]], known)) if "extends" in group else {}
    for reference in group.get("attributes", []):
        name = reference.get("ref", reference.get("id"))
        found[name] = level(reference) or found.get(name) or "recommended"
    return found


def messaging(repository, tag):
    """The levels of messaging spans: of each type in general, and what each system's refinement changes."""
    parts, spans, refinements = {}, {}, {}
    for path in git(repository, "ls-tree", "-r", "--name-only", tag, "model/messaging").splitlines():
        if "/deprecated/" in path or not path.endswith(".yaml"):
            continue
        content = yaml.safe_load(git(repository, "show", f"{tag}:{path}"))
        parts.update({part["id"]: part for part in content.get("attribute_groups", [])})
        spans.update({span["type"]: span for span in content.get("spans", [])})
        refinements.update({span["id"]: span for span in content.get("span_refinements", [])})

    def merged(of, found):
        for reference in of["attributes"]:
            if "ref_group" in reference:
                merged(parts[reference["ref_group"]], found)
            else:
                name = reference["ref"]
                found[name] = level(reference) or found.get(name) or "recommended"
        return found

    extracted = {}
    for operation in MESSAGES:
        general = spans[f"messaging.{operation}"]
        extracted[operation] = {"generic": merged(general, {})}
        for refinement in refinements.values():
            if refinement["ref"] == f"messaging.{operation}":
                system = refinement["id"].removeprefix("span.messaging.").removesuffix(f".{operation}")
                system = {"aws.sqs": "aws_sqs"}.get(system, system)
                base = extracted[operation]["generic"]
                refined = merged(refinement, dict(base)).items()
                extracted[operation][system] = {name: stated for name, stated in refined if base.get(name) != stated}
    return {
        "version": tag.removeprefix("v"),
        "spans": {
            operation: {system: {"attributes": dict(sorted(found.items()))} for system, found in sorted(systems.items())}
            for operation, systems in extracted.items()
        },
    }


def extract(repository, tag, messaging_tag):
    known = {group["id"]: group for group in groups(repository, tag)}
    definitions = [
        definition
        for group in known.values() if group["id"].startswith("registry.")
        for definition in group.get("attributes", []) if "id" in definition
    ]
    entry = lambda group: {"stability": group["stability"], "attributes": dict(sorted(levels(group, known).items()))}
    messages = messaging(repository, messaging_tag)
    in_messages = {name for systems in messages["spans"].values() for it in systems.values() for name in it["attributes"]}
    definitions = [it for it in definitions if not it["id"].startswith("aws.") or it["id"] in in_messages]
    return {
        "version": tag.removeprefix("v"),
        "attributes": {it["id"]: attribute(it) for it in sorted(definitions, key=lambda it: it["id"])},
        "spans": {known[name]["span_kind"]: entry(known[name]) for name in SPANS},
        "leaves": {system: entry(known[name]) for system, name in LEAVES.items()},
        "messages": messages,
        "events": {known[name]["name"]: entry(known[name]) for name in EVENTS},
        "entities": {known[name]["name"]: entry(known[name]) for name in ENTITIES},
    }


if __name__ == "__main__":
    json.dump(extract(*sys.argv[1:4]), sys.stdout, indent=1)
    print()

//! What one span interacts with, by OpenTelemetry's semantic conventions for messaging, database, RPC and HTTP spans
//! (1.44), and by the names of the attributes before they were stable.

use super::{Interaction, NamingAttribute, PeerKind, Role};
use crate::store::span_view::{AttributeValue, SpanView, key_value};

/// The systems that are caches.
const CACHES: &[&str] = &["redis", "memcached", "valkey"];

/// The attributes that are looked for. Each list begins with today's name; the first that a span has counts.
const MESSAGING_SYSTEM: &[&str] = &["messaging.system"];
const DESTINATION: &[&str] = &["messaging.destination.name", "messaging.destination"];
const OPERATION: &[&str] = &[
    "messaging.operation.type",
    "messaging.operation",
    "messaging.operation.name",
];
const MESSAGE_COUNT: &[&str] = &["messaging.batch.message_count"];
const DB_SYSTEM: &[&str] = &["db.system.name", "db.system"];
const NAMESPACE: &[&str] = &["db.namespace", "db.name"];
const RPC_SYSTEM: &[&str] = &["rpc.system.name", "rpc.system"];
const RPC_SERVICE: &[&str] = &["rpc.service"];
const ADDRESS: &[&str] = &["server.address", "net.peer.name"];
const PORT: &[&str] = &["server.port", "net.peer.port"];
const URL: &[&str] = &["url.full", "http.url"];
const METHOD: &[&str] = &["http.request.method", "http.method"];

/// All of them.
const ALL: [&[&str]; 12] = [
    MESSAGING_SYSTEM,
    DESTINATION,
    OPERATION,
    MESSAGE_COUNT,
    DB_SYSTEM,
    NAMESPACE,
    RPC_SYSTEM,
    RPC_SERVICE,
    ADDRESS,
    PORT,
    URL,
    METHOD,
];

/// What a span of kind CLIENT, PRODUCER or CONSUMER interacts with, as far as its attributes say it.
pub fn read<'b>(span: &SpanView<'b>) -> Option<Interaction<'b>> {
    if !matches!(span.kind, 3..=5) {
        return None;
    }
    let found = Attributes::of(span);
    let is_message = [MESSAGING_SYSTEM, DESTINATION]
        .iter()
        .any(|names| found.get(names).is_some());
    match (span.kind, is_message) {
        (kind, true) => Some(message(kind, &found)),
        (3, false) => call(&found),
        _ => None,
    }
}

fn message<'b>(kind: i32, found: &Attributes<'b>) -> Interaction<'b> {
    let operation = found.text(OPERATION);
    let role = match (kind, operation) {
        (4, _) => Role::Message,
        (_, "receive" | "poll" | "pull") => Role::Receive,
        (5, _) => Role::Process,
        (_, "send" | "publish" | "create") => Role::Send,
        _ => Role::Other,
    };
    let count = found
        .integer(MESSAGE_COUNT)
        .and_then(|count| u32::try_from(count).ok());
    Interaction {
        role,
        kind: PeerKind::Queue,
        system: found.text(MESSAGING_SYSTEM),
        name: found.text(DESTINATION),
        attributes: [found.get(MESSAGING_SYSTEM), found.get(DESTINATION)],
        address: ("", 0),
        messages: count.filter(|count| *count > 0),
        answered: false,
    }
}

fn call<'b>(found: &Attributes<'b>) -> Option<Interaction<'b>> {
    let url = found.text(URL);
    let (host, port) = host_and_port(url);
    let address = found.get(ADDRESS);
    let host = address.map_or(host, |(_, address)| address);
    let (kind, system, named) = if let Some(system) = found.get(DB_SYSTEM) {
        let kind = match CACHES.contains(&system.1) {
            true => PeerKind::Cache,
            false => PeerKind::Database,
        };
        (kind, Some(system), found.get(NAMESPACE))
    } else if let Some(system) = found.get(RPC_SYSTEM) {
        (PeerKind::Rpc, Some(system), found.get(RPC_SERVICE))
    } else if host.is_empty() {
        return None;
    } else {
        (PeerKind::External, None, None)
    };
    let named = address.or(named.filter(|_| host.is_empty()));
    let is_http = !url.is_empty() || found.get(METHOD).is_some();
    let spoken = if is_http { "http" } else { "" };
    let system_name = system.map_or(spoken, |(_, name)| name);
    let name = match (named, host) {
        (Some((_, name)), _) => name,
        (None, "") => system_name,
        (None, host) => host,
    };
    Some(Interaction {
        role: Role::Call,
        kind,
        system: system_name,
        name,
        attributes: [system, named],
        address: (host, found.integer(PORT).unwrap_or(port)),
        messages: None,
        answered: false,
    })
}

/// The host and the port of a URL; an empty host and 0 where it has none.
fn host_and_port(url: &str) -> (&str, i64) {
    let Some((_, rest)) = url.split_once("://") else {
        return ("", 0);
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = &rest[..end];
    let authority = authority
        .rsplit_once('@')
        .map_or(authority, |(_, after)| after);
    // The colons of an address of version 6 are in brackets.
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().unwrap_or(0)),
        _ => (authority, 0),
    }
}

/// The attributes of a span that are in [`ALL`].
struct Attributes<'b>(Vec<(&'static str, AttributeValue<'b>)>);

impl<'b> Attributes<'b> {
    fn of(span: &SpanView<'b>) -> Attributes<'b> {
        let mut found = Vec::new();
        for (key, value) in span.attributes().filter_map(key_value) {
            // Most other attributes are told apart by their beginning.
            let names = ALL.iter().flat_map(|names| names.iter());
            if let Some(name) = names.copied().find(|name| *name == key) {
                found.push((name, value));
            }
        }
        Attributes(found)
    }

    fn value(&self, names: &[&str]) -> Option<(&'static str, AttributeValue<'b>)> {
        let with = |name: &&str| self.0.iter().find(|(found, _)| found == name).copied();
        names.iter().find_map(with)
    }

    /// An attribute whose value is a text that is not empty.
    fn get(&self, names: &[&str]) -> Option<NamingAttribute<'b>> {
        match self.value(names)? {
            (name, AttributeValue::Text(text)) if !text.is_empty() => Some((name, text)),
            _ => None,
        }
    }

    fn text(&self, names: &[&str]) -> &'b str {
        self.get(names).map_or("", |(_, text)| text)
    }

    fn integer(&self, names: &[&str]) -> Option<i64> {
        match self.value(names)?.1 {
            AttributeValue::Integer(integer) => Some(integer),
            AttributeValue::Text(text) => text.parse().ok(),
        }
    }
}

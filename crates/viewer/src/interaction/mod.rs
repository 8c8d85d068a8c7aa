//! What the CLIENT, PRODUCER and CONSUMER spans of a trace interact with: a store, a queue, or a service that sends no
//! spans.
//!
//! - `read`: one span, by its attributes
//! - here: a whole trace, since a call that has its server's half is no leaf

mod read;

use serde_json::Value;

pub use read::read;

use crate::otlp::text::truncate;
use crate::response::object;
use crate::store::span_view::SpanView;

/// What a span interacts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerKind {
    /// A service that sends spans.
    Service,
    /// A queue or topic.
    Queue,
    /// A database.
    Database,
    /// A database that is usually a cache.
    Cache,
    /// A server of an RPC system.
    Rpc,
    /// Any other server.
    External,
}

impl PeerKind {
    /// Its name, as the API gives it.
    pub fn name(self) -> &'static str {
        match self {
            PeerKind::Service => "service",
            PeerKind::Queue => "queue",
            PeerKind::Database => "database",
            PeerKind::Cache => "cache",
            PeerKind::Rpc => "rpc",
            PeerKind::External => "external",
        }
    }
}

/// What a span does with its peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It calls a server: a CLIENT span of a database, of RPC or of HTTP.
    Call,
    /// It is a message: a PRODUCER span.
    Message,
    /// It sends messages that have spans of their own: a CLIENT span.
    Send,
    /// It fetches messages, which other spans may process.
    Receive,
    /// It processes messages.
    Process,
    /// It does anything else with messages, such as settling them.
    Other,
}

impl Role {
    /// Its name, as the API gives it.
    pub fn name(self) -> &'static str {
        match self {
            Role::Call => "call",
            Role::Message => "message",
            Role::Send => "send",
            Role::Receive => "receive",
            Role::Process => "process",
            Role::Other => "other",
        }
    }

    /// Whether the span puts messages into a queue.
    pub fn publishes(self) -> bool {
        matches!(self, Role::Message | Role::Send)
    }

    /// Whether the span takes messages out of a queue.
    pub fn consumes(self) -> bool {
        matches!(self, Role::Receive | Role::Process)
    }
}

/// An attribute by which spans of the peer can be found.
pub type NamingAttribute<'b> = (&'static str, &'b str);

/// What a span does, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interaction<'b> {
    /// What it does.
    pub role: Role,
    /// What the peer is.
    pub kind: PeerKind,
    /// The peer's system, such as `kafka`. Empty if it is unknown.
    pub system: &'b str,
    /// The peer's name. Empty if it is unknown.
    pub name: &'b str,
    /// The attributes that say system and name.
    pub attributes: [Option<NamingAttribute<'b>>; 2],
    /// Host and port. The host is empty if it is unknown, the port 0.
    pub address: (&'b str, i64),
    /// `messaging.batch.message_count`
    pub messages: Option<u32>,
    /// Whether the server's half of the call is in the trace too, or belongs to another span of the same call.
    pub answered: bool,
}

/// The peer of a span as JSON: null if there is none, or if it is a service with spans of its own.
#[inline(never)]
pub fn peer_json(interaction: Option<&Interaction<'_>>) -> Value {
    let shown = interaction.filter(|one| !one.answered);
    let peer = |one: &Interaction<'_>| {
        let [system, name] = [one.system, one.name].map(truncate);
        object(vec![
            ("kind", one.kind.name().into()),
            ("system", system.into()),
            ("name", name.into()),
            ("role", one.role.name().into()),
        ])
    };
    shown.map(peer).unwrap_or_default()
}

impl Interaction<'_> {
    /// Whether the peer is a database or a cache.
    pub fn is_store(&self) -> bool {
        matches!(self.kind, PeerKind::Database | PeerKind::Cache)
    }
}

/// A span of a trace as far as interactions need it.
#[derive(Debug, Clone, Copy)]
pub struct TraceSpan<'t, 'b> {
    /// The name of its service.
    pub service: &'t str,
    /// The span.
    pub span: &'t SpanView<'b>,
    /// The index of its parent.
    pub parent: Option<usize>,
}

/// Whether a span is a call's other half: of another service, or a SERVER span below a CLIENT span.
pub fn is_call(caller: &TraceSpan<'_, '_>, callee: &TraceSpan<'_, '_>) -> bool {
    caller.service != callee.service || (caller.span.kind == 3 && callee.span.kind == 2)
}

/// The interactions of a trace's spans, by their indices.
///
/// A client library may make two CLIENT spans for one call, one below the other. The outer one counts for a store or a
/// queue, and the inner one otherwise.
pub fn of_trace<'b>(spans: &[TraceSpan<'_, 'b>]) -> Vec<Option<Interaction<'b>>> {
    let mut found: Vec<_> = spans.iter().map(|one| read(one.span)).collect();
    let pairs = || {
        let children = spans.iter().enumerate();
        children.filter_map(|(child, one)| Some((one.parent?, child)))
    };
    for (parent, child) in pairs() {
        if is_call(&spans[parent], &spans[child]) {
            hide_call(&mut found[parent]);
        }
    }
    for (parent, child) in pairs() {
        let (Some(outer), Some(inner)) = (&found[parent], &found[child]) else {
            continue;
        };
        let is_one_call = inner.role == Role::Call
            && !inner.is_store()
            && spans[parent].span.kind != 5
            && !is_call(&spans[parent], &spans[child]);
        if !is_one_call {
            continue;
        }
        let is_outer_shown = outer.role != Role::Call || outer.is_store();
        let hidden = match is_outer_shown && !inner.answered {
            true => child,
            false => parent,
        };
        hide_call(&mut found[hidden]);
    }
    found
}

fn hide_call(interaction: &mut Option<Interaction<'_>>) {
    if let Some(one) = interaction
        && one.role == Role::Call
    {
        one.answered = true;
    }
}

#[cfg(test)]
mod tests;

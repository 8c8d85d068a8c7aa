//! The ports to which an OpenTelemetry SDK sends spans if nothing is set: 4318 for OTLP/HTTP and 4317 for OTLP/gRPC.
//!
//! They are there while the app has the trace viewer and sends its own spans there, unless something else answers on them.
//! What they take is passed on to the viewer as a request to `/v1/…` of the app's own address. Both take either protocol,
//! since many senders mix up the two ports.
//!
//! - `addresses`: `--otlp-listen`
//! - `forward`: a request to the viewer
//! - `grpc`: calls of `TraceService`, their messages and their statuses
//! - `connection`: a connection of a sender

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Once};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing_tail_host::manifest::{Manifest, Route, Trigger};
use tracing_tail_host::outbound::CHAINING_SUFFIX;
use tracing_tail_host::variables::Variables;
use url::Url;

use super::listen::bind;
use crate::destinations::endpoint;
use forward::Viewer;

pub mod addresses;
mod connection;
mod forward;
mod grpc;

pub use addresses::OtlpListen;
use addresses::Protocol;

/// How long a port is asked whether something answers there.
const ASK: Duration = Duration::from_millis(200);
/// What an SDK needs that would otherwise send gRPC.
const HTTP_PROTOBUF: &str = "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf";
/// The route of the viewer's receiver.
const RECEIVER: &str = "/v1/...";

/// The listeners, and what the banner says about them.
#[derive(Debug, Default)]
pub(super) struct OtlpPorts {
    listeners: Vec<TcpListener>,
    /// One line; none if there is nothing to say.
    pub(super) line: Option<String>,
    /// What a client can do that speaks gRPC to the app's own address; empty if that takes no exports at all.
    pub(super) hint: String,
}

impl OtlpPorts {
    /// Takes the ports that are free.
    pub(super) async fn take(
        wanted: &OtlpListen,
        manifest: &Manifest,
        variables: &Variables,
    ) -> OtlpPorts {
        let mut ports = OtlpPorts::default();
        let receiver = receiver(manifest);
        let here = format!("OTLP/HTTP here, with {HTTP_PROTOBUF}");
        if receiver.is_some() {
            ports.hint = format!("send {here}");
        }
        let endpoints = endpoints(manifest, variables);
        if *wanted == OtlpListen::None || !sends_to_its_viewer(receiver, &endpoints) {
            return ports;
        }
        let named: BTreeSet<u16> = endpoints.iter().filter_map(Url::port).collect();
        let mut told = Vec::new();
        for (protocol, addresses) in wanted.addresses() {
            told.push(match ports.take_one(&addresses, &named).await {
                Ok(address) => {
                    if protocol == Protocol::Grpc {
                        ports.hint = format!("send OTLP/gRPC to http://{address}, or {here}");
                    }
                    format!("http://{address} ({protocol})")
                }
                Err(why) => why,
            });
        }
        ports.line = (!told.is_empty()).then(|| format!("OTLP:  {}", told.join(", ")));
        ports
    }

    /// Listens on all of a protocol's addresses, unless one of them answers already. Returns the first one.
    async fn take_one(
        &mut self,
        addresses: &[SocketAddr],
        named: &BTreeSet<u16>,
    ) -> Result<SocketAddr, String> {
        for address in addresses {
            if named.contains(&address.port()) {
                return Err(format!("not on {address}, where spans of the app go"));
            }
            if address.port() != 0 && answers(*address).await {
                return Err(format!("not on {address}, where something else answers"));
            }
        }
        let mut first = None;
        for address in addresses {
            // Not every system has IPv6.
            let bound = bind(*address).and_then(|listener| Ok((listener.local_addr()?, listener)));
            match bound {
                Ok((bound, listener)) => {
                    self.listeners.push(listener);
                    first.get_or_insert(bound);
                }
                Err(problem) if first.is_none() => {
                    return Err(format!("not on {address}: {problem}"));
                }
                Err(_) => {}
            }
        }
        first.ok_or_else(|| "no address".to_owned())
    }

    /// Passes on what arrives to the app at `app`, such as `http://127.0.0.1:3000`, until it is dropped.
    pub(super) fn serve(self, app: &str) -> JoinSet<()> {
        let viewer = Viewer::new(app);
        let tls = Arc::new(Once::new());
        let mut serving = JoinSet::new();
        for listener in self.listeners {
            serving.spawn(connection::accept(
                listener,
                viewer.clone(),
                Arc::clone(&tls),
            ));
        }
        serving
    }
}

/// Where the components send their spans.
fn endpoints(manifest: &Manifest, variables: &Variables) -> Vec<Url> {
    let components = manifest.components.iter();
    let endpoints = components.filter_map(|component| endpoint(component, variables));
    endpoints
        .filter_map(|(_, url)| Url::parse(url.trim()).ok())
        .collect()
}

/// The app's receiver of exports.
fn receiver(manifest: &Manifest) -> Option<&Trigger> {
    let mut triggers = manifest.triggers.iter();
    triggers
        .find(|trigger| matches!(&trigger.route, Route::Public(route) if route.value == RECEIVER))
}

/// Whether there is a receiver that one of the endpoints names.
fn sends_to_its_viewer(receiver: Option<&Trigger>, endpoints: &[Url]) -> bool {
    receiver.is_some_and(|receiver| {
        let host = format!("{}{CHAINING_SUFFIX}", receiver.component.value);
        let mut hosts = endpoints.iter().filter_map(Url::host_str);
        hosts.any(|one| one == host)
    })
}

/// Whether something answers at an address.
async fn answers(address: SocketAddr) -> bool {
    matches!(timeout(ASK, TcpStream::connect(address)).await, Ok(Ok(_)))
}

/// The addresses of this machine alone, on a port.
fn loopback(port: u16) -> Vec<SocketAddr> {
    let ips: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    ips.map(|ip| SocketAddr::new(ip, port)).to_vec()
}

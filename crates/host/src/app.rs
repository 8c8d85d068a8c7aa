//! An application: its components, and how a request finds the one that answers it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use http::uri::Authority;
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt as _, Full};
use serde_json::json;
use wasmtime::Engine;
use wasmtime::component::Component as Compiled;
use wasmtime_wasi_http::handler::ProxyPre;
use wasmtime_wasi_http::{Error, WasiBody};

use crate::addressee::{authority, locate};
use crate::allowed_hosts::{AllowedHosts, Entry};
use crate::dispatch::{Instances, NotStarted};
use crate::engine;
use crate::instance::{ComponentHandler, Lifetime, State};
use crate::manifest::{self, Component, Manifest};
use crate::outbound::Client;
use crate::output::Output;
use crate::request_body::{self, BODY_STALL, BODY_TIMEOUT, BodyRoom, Refused};
use crate::routes::{Matched, Routes};
use crate::sqlite::{Databases, Writers};
use crate::variables::{Values, Variables};

/// Paths that the host answers itself.
const WELL_KNOWN: &str = "/.well-known/spin/";
/// The address that a chained request comes from.
const CHAINED_CLIENT: HeaderValue = HeaderValue::from_static("0.0.0.0:0");

/// A running application.
pub struct App {
    name: String,
    version: Option<String>,
    address: SocketAddr,
    routes: Arc<Routes>,
    components: HashMap<String, Instances>,
    bodies: BodyRoom,
    output: Output,
}

/// A component that is compiled and linked, with all that its instances will need.
#[derive(Clone)]
pub struct Prepared {
    id: String,
    engine: Engine,
    pre: Arc<ProxyPre<State>>,
    environment: Vec<(String, String)>,
    variables: Arc<Values>,
    databases: Databases,
    allowed_hosts: Arc<AllowedHosts>,
    requests: Arc<AtomicU64>,
}

impl Prepared {
    /// The component's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How many requests its instances have answered.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

/// Compiles and links the components that a trigger names. Databases are in the folder `state`.
///
/// # Errors
/// One sentence with the component and what is wrong with it.
pub fn prepare(
    engine: &Engine,
    manifest: &Manifest,
    variables: &Variables,
    environment: &[(String, String)],
    state: &Path,
) -> Result<Vec<Prepared>> {
    let mut compiled = HashMap::<PathBuf, Compiled>::new();
    let mut prepared = Vec::<Prepared>::new();
    let writers = Writers::default();
    for trigger in &manifest.triggers {
        let component = manifest::find(manifest, &trigger.component.value)?;
        if prepared.iter().any(|known| known.id == component.id) {
            continue;
        }
        let source = &component.source;
        let wasm = match compiled.get(source) {
            Some(wasm) => wasm.clone(),
            None => {
                let wasm = engine::compile(engine, source)?;
                compiled.insert(source.clone(), wasm.clone());
                wasm
            }
        };
        let pre = engine::link(&wasm)
            .with_context(|| format!("component '{}' can't run here", component.id))?;
        let environment = [component.environment.as_slice(), environment].concat();
        prepared.push(Prepared {
            id: component.id.clone(),
            engine: engine.clone(),
            pre: Arc::new(pre),
            environment,
            variables: Arc::new(variables.of(component)?),
            databases: Databases {
                file: component.sqlite.then(|| Databases::file(state)),
                writers: Arc::clone(&writers),
            },
            allowed_hosts: Arc::new(allowed_hosts(component, variables)?),
            requests: Arc::default(),
        });
    }
    Ok(prepared)
}

/// Where a component may send requests to.
///
/// # Errors
/// Where an entry is malformed; with its line.
pub fn allowed_hosts(component: &Component, variables: &Variables) -> Result<AllowedHosts> {
    let entries = component.allowed_outbound_hosts.iter().map(|template| {
        let text = template.value.render(|name| variables.get(name))?;
        Entry::parse_rendered(&text).map_err(|problem| template.error(problem))
    });
    let entries: Vec<_> = entries.collect::<Result<_>>()?;
    Ok(AllowedHosts::new(entries.into_iter().flatten().collect()))
}

impl App {
    /// Puts an application together that listens on `address`, and whose instances `lifetime` follows.
    pub fn new(
        manifest: &Manifest,
        prepared: Vec<Prepared>,
        address: SocketAddr,
        output: &Output,
        lifetime: &Lifetime,
    ) -> Arc<App> {
        let client = Client::default();
        Arc::new_cyclic(|app: &Weak<App>| {
            let instances = |component: Prepared| {
                let instances = Instances::new(ComponentHandler {
                    id: component.id.clone(),
                    pre: component.pre,
                    engine: component.engine,
                    environment: component.environment,
                    variables: component.variables,
                    databases: component.databases,
                    allowed_hosts: component.allowed_hosts,
                    client: client.clone(),
                    app: Weak::clone(app),
                    output: output.clone(),
                    lifetime: lifetime.clone(),
                    requests: component.requests,
                });
                (component.id, instances)
            };
            App {
                name: manifest.name.clone(),
                version: manifest.version.clone(),
                address,
                routes: Arc::clone(&manifest.routes),
                components: prepared.into_iter().map(instances).collect(),
                bodies: lifetime.bodies.clone(),
                output: output.clone(),
            }
        })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the instances of a component are made of; none where there is no component of this id.
    pub fn component(&self, id: &str) -> Option<&ComponentHandler> {
        self.components.get(id).map(Instances::component)
    }

    /// Answers a request from outside; `client` is the address that it comes from. No instance is asked before its
    /// body is here.
    pub async fn answer<B>(
        &self,
        mut request: Request<B>,
        client: &HeaderValue,
    ) -> Response<WasiBody>
    where
        B: Body<Data = Bytes, Error = Error> + Send + Unpin + 'static,
    {
        let path = request.uri().path();
        if let Some(well_known) = path.strip_prefix(WELL_KNOWN) {
            return self.well_known(well_known);
        }
        let Some(matched) = self.routes.find(path) else {
            return text(
                StatusCode::NOT_FOUND,
                format!("no component has a route for {path}\n"),
            );
        };
        // Transport information, which causes trouble where a component passes it on.
        request.headers_mut().remove(CONNECTION);
        // HTTP/1.0 knows no Host header, and asks whoever it finds.
        let authority = authority(&request).map(|found| found.unwrap_or_else(|| self.authority()));
        let located = authority.and_then(|to| locate(&mut request, to, &matched, client));
        if let Err(problem) = located {
            return text(StatusCode::BAD_REQUEST, format!("{problem}\n"));
        }
        let (parts, body) = request.into_parts();
        let received = match request_body::receive(body, &self.bodies).await {
            Ok(received) => received,
            Err(refused) => return refuse(refused),
        };
        let late = received.late();
        let request = Request::from_parts(parts, received.boxed_unsync());
        let response = self.dispatch(matched.component(), request).await;
        match late.is_some_and(|late| late.load(Ordering::Relaxed)) {
            true => refuse(Refused::Slow),
            false => response,
        }
    }

    /// Answers a request from one of the application's own components; none where there is no
    /// component of this id.
    pub async fn chain(
        &self,
        component: &str,
        mut request: Request<WasiBody>,
    ) -> Option<Response<WasiBody>> {
        if !self.components.contains_key(component) {
            return None;
        }
        let matched = Matched::chained(component, request.uri().path());
        let authority = request.uri().authority().cloned();
        let authority = authority.unwrap_or_else(|| self.authority());
        if let Err(problem) = locate(&mut request, authority, &matched, &CHAINED_CLIENT) {
            return Some(text(StatusCode::BAD_REQUEST, format!("{problem}\n")));
        }
        Some(self.dispatch(component, request).await)
    }

    fn well_known(&self, path: &str) -> Response<WasiBody> {
        match path {
            "health" => text(StatusCode::OK, "OK"),
            "info" => {
                let mut info = json!({ "name": self.name });
                if let Some(version) = &self.version {
                    info["version"] = json!(version);
                }
                let mut response = text(StatusCode::OK, format!("{info:#}"));
                response
                    .headers_mut()
                    .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                response
            }
            _ => text(
                StatusCode::NOT_FOUND,
                format!("{WELL_KNOWN} has health and info\n"),
            ),
        }
    }

    /// Its own address, as a client would name it.
    fn authority(&self) -> Authority {
        let address = Authority::try_from(self.address.to_string());
        address.expect("an address with a port is an authority")
    }

    async fn dispatch(&self, id: &str, request: Request<WasiBody>) -> Response<WasiBody> {
        let handled = match self.components.get(id) {
            Some(component) => component.answer(request).await,
            None => {
                return text(
                    StatusCode::NOT_FOUND,
                    format!("there is no component '{id}'\n"),
                );
            }
        };
        handled.unwrap_or_else(|error| {
            let not_started = error.downcast_ref::<NotStarted>();
            if let Some(full) = not_started.and_then(NotStarted::full) {
                // The command line says so now and then: there may be thousands.
                let problem = format!("component '{id}' can't answer: {full}\n");
                return text(StatusCode::SERVICE_UNAVAILABLE, problem);
            }
            self.output
                .host(id, &format!("the request failed: {error:?}"));
            let status = match not_started {
                Some(_) => StatusCode::SERVICE_UNAVAILABLE,
                None => StatusCode::INTERNAL_SERVER_ERROR,
            };
            text(
                status,
                format!("component '{id}' failed; the terminal says why\n"),
            )
        })
    }
}

/// A request that is not waited for any longer. Its connection is of no use either: the rest may still come.
fn refuse(refused: Refused) -> Response<WasiBody> {
    let mut response = match refused {
        Refused::Slow => text(
            StatusCode::REQUEST_TIMEOUT,
            format!(
                "the request's body came too slowly: nothing for {} s, or not all of it within {} s\n",
                BODY_STALL.as_secs(),
                BODY_TIMEOUT.as_secs()
            ),
        ),
        Refused::NoRoom => text(
            StatusCode::SERVICE_UNAVAILABLE,
            "other requests' bodies take all the memory that --max-memory allows them\n",
        ),
    };
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}

/// An answer of the host's own.
fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<WasiBody> {
    let body = Full::new(body.into())
        .map_err(|never| match never {})
        .boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

//! An application: its components, and how a request finds the one that answers it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use anyhow::{Context as _, Result, anyhow, bail};
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderValue};
use http::uri::{Authority, Scheme};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use serde_json::json;
use wasmtime::Engine;
use wasmtime::component::Component as Compiled;
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::ProxyPre;

use crate::allowed_hosts::{AllowedHosts, Entry};
use crate::dispatch::{Instances, NotStarted};
use crate::engine;
use crate::instance::{ComponentHandler, Lifetime, State};
use crate::manifest::{self, Component, Manifest};
use crate::outbound::Client;
use crate::output::Output;
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

    /// Answers a request from outside; `client` is the address that it comes from.
    pub async fn answer(
        &self,
        mut request: Request<WasiBody>,
        client: &HeaderValue,
    ) -> Response<WasiBody> {
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
        self.dispatch(&matched, request, client).await
    }

    /// Answers a request from one of the application's own components; none where there is no
    /// component of this id.
    pub async fn chain(
        &self,
        component: &str,
        request: Request<WasiBody>,
    ) -> Option<Response<WasiBody>> {
        if !self.components.contains_key(component) {
            return None;
        }
        let matched = Matched::chained(component, request.uri().path());
        Some(self.dispatch(&matched, request, &CHAINED_CLIENT).await)
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

    async fn dispatch(
        &self,
        matched: &Matched,
        mut request: Request<WasiBody>,
        client: &HeaderValue,
    ) -> Response<WasiBody> {
        if let Err(problem) = address(&mut request, matched, client) {
            return text(StatusCode::BAD_REQUEST, format!("{problem}\n"));
        }
        let id = matched.component();
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

/// Makes the URI absolute, and adds the headers that Spin adds.
fn address(request: &mut Request<WasiBody>, matched: &Matched, client: &HeaderValue) -> Result<()> {
    let mut parts = request.uri().clone().into_parts();
    let named = request
        .headers()
        .get(HOST)
        .map(|host| Authority::try_from(host.as_bytes()));
    let named = named
        .transpose()
        .map_err(|problem| anyhow!("the Host header is malformed: {problem}"))?;
    let authority = match (parts.authority.take(), named) {
        (None, None) => bail!("the request has no Host header"),
        (Some(target), Some(named)) if target != named => {
            bail!("the Host header names {named}, the request's target {target}")
        }
        (Some(authority), _) | (None, Some(authority)) => authority,
    };
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(authority);
    *request.uri_mut() = Uri::from_parts(parts)?;
    let full_url = HeaderValue::try_from(request.uri().to_string())?;
    matched.describe(full_url, client, request.headers_mut())
}

/// An answer of the host's own.
fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<WasiBody> {
    let body = Full::new(body.into())
        .map_err(|never| match never {})
        .boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

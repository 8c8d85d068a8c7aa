//! An application on one shard: finds the component of a request, and has it answer.
//!
//! It takes linked components, and refuses requests without a route, with an ambiguous authority, or with a body that
//! comes too slowly.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::BodyExt as _;
use serde_json::json;
use wasmtime_wasi_http::{Error, WasiBody};

use crate::context::AppContext;
use crate::dispatch::{ComponentHandler, Instances};
use crate::link::LinkedComponent;
use crate::manifest::Manifest;
use crate::outbound::{ChainedHandler, Client, Components};
use crate::request_body::{self, BodyError};
use crate::routes::Routes;

mod request_target;
mod response;
mod service;

use request_target::{authority, make_absolute, own_authority};
use response::{body_refused, text};
use service::ComponentService;

/// The paths that the host answers itself.
const WELL_KNOWN: &str = "/.well-known/spin/";

/// A running application.
pub struct App {
    name: String,
    version: Option<String>,
    address: SocketAddr,
    routes: Arc<Routes>,
    services: HashMap<String, ComponentService>,
    context: AppContext,
    /// Keeps the table alive that the components call each other through.
    _components: Arc<Components>,
}

impl App {
    /// An application that listens on `address`.
    pub fn new(
        manifest: &Manifest,
        linked: Vec<LinkedComponent>,
        address: SocketAddr,
        context: &AppContext,
    ) -> Arc<App> {
        let client = Client::default();
        let mut services = HashMap::new();
        let components = Arc::new_cyclic(|components: &Weak<Components>| {
            for linked in linked {
                let id = linked.id.clone();
                let instances = Instances::new(ComponentHandler {
                    linked,
                    context: context.clone(),
                    client: client.clone(),
                    components: Weak::clone(components),
                });
                services.insert(id, ComponentService { instances, address });
            }
            let handlers = services.iter();
            let handlers = handlers.map(|(id, service)| (id.clone(), chained_handler(service)));
            Components::new(address, handlers.collect())
        });
        Arc::new(App {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            address,
            routes: Arc::clone(&manifest.routes),
            services,
            context: context.clone(),
            _components: components,
        })
    }

    /// The component of this id.
    pub fn component(&self, id: &str) -> Option<&ComponentHandler> {
        let service = self.services.get(id)?;
        Some(service.instances.component())
    }

    /// Answers a request from outside; `client` is the address that it comes from. No instance is called before the
    /// body is buffered.
    pub async fn handle<B>(
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
        let Some(route) = self.routes.find(path) else {
            return text(
                StatusCode::NOT_FOUND,
                format!("no component has a route for {path}\n"),
            );
        };
        // A header of this connection, which causes trouble if a component passes it on.
        request.headers_mut().remove(CONNECTION);
        // HTTP/1.0 requires no Host header.
        let authority = authority(&request)
            .map(|authority| authority.unwrap_or_else(|| own_authority(self.address)));
        let absolute =
            authority.and_then(|authority| make_absolute(&mut request, authority, &route, client));
        if let Err(problem) = absolute {
            return text(StatusCode::BAD_REQUEST, format!("{problem}\n"));
        }
        let (parts, body) = request.into_parts();
        let body = match request_body::receive(body, &self.context.bodies).await {
            Ok(body) => body,
            Err(error) => return body_refused(error),
        };
        let timed_out = body.timed_out();
        let request = Request::from_parts(parts, body.boxed_unsync());
        let response = self.dispatch(route.component(), request).await;
        match timed_out.is_some_and(|timed_out| timed_out.load(Ordering::Relaxed)) {
            true => body_refused(BodyError::TimedOut),
            false => response,
        }
    }

    /// Reports that a client speaks HTTP/2, the first time.
    pub fn report_http2(&self) {
        if let Some(notice) = self.context.http2.give(self.address) {
            self.context.output.report(&notice);
        }
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

    async fn dispatch(&self, id: &str, request: Request<WasiBody>) -> Response<WasiBody> {
        match self.services.get(id) {
            Some(service) => service.handle(request).await,
            None => text(
                StatusCode::NOT_FOUND,
                format!("there is no component '{id}'\n"),
            ),
        }
    }
}

fn chained_handler(service: &ComponentService) -> ChainedHandler {
    let service = service.clone();
    Box::new(move |request| Box::pin(service.clone().handle_chained(request)))
}

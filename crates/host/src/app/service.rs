//! A component as the router and other components call it: any failure becomes a response.

use std::net::SocketAddr;

use http::header::HeaderValue;
use http::{Request, Response, StatusCode};
use wasmtime_wasi_http::WasiBody;

use super::request_target::{make_absolute, own_authority};
use super::response::text;
use crate::dispatch::{Instances, NotStarted};
use crate::routes::RouteMatch;

/// The client address of a chained request.
const CHAINED_CLIENT: HeaderValue = HeaderValue::from_static("0.0.0.0:0");

/// A component that answers requests. Cheap to clone.
#[derive(Clone)]
pub(super) struct ComponentService {
    pub(super) instances: Instances,
    /// The address that the application listens on.
    pub(super) address: SocketAddr,
}

impl ComponentService {
    /// Answers a request from another component of the application.
    pub(super) async fn handle_chained(self, mut request: Request<WasiBody>) -> Response<WasiBody> {
        let id = self.instances.component().id();
        let route = RouteMatch::chained(id, request.uri().path());
        let authority = request.uri().authority().cloned();
        let authority = authority.unwrap_or_else(|| own_authority(self.address));
        if let Err(problem) = make_absolute(&mut request, authority, &route, &CHAINED_CLIENT) {
            return text(StatusCode::BAD_REQUEST, format!("{problem}\n"));
        }
        self.handle(request).await
    }

    /// Answers a request.
    pub(super) async fn handle(&self, request: Request<WasiBody>) -> Response<WasiBody> {
        let error = match self.instances.handle(request).await {
            Ok(response) => return response,
            Err(error) => error,
        };
        let component = self.instances.component();
        let id = component.id();
        let not_started = error.downcast_ref::<NotStarted>();
        if let Some(exhausted) = not_started.and_then(NotStarted::budget_exhausted) {
            // The memory report counts these: there may be thousands.
            let problem = format!("component '{id}' can't answer: {exhausted}\n");
            return text(StatusCode::SERVICE_UNAVAILABLE, problem);
        }
        let output = &component.context.output;
        output.report_component(id, &format!("the request failed: {error:?}"));
        let status = match not_started {
            Some(_) => StatusCode::SERVICE_UNAVAILABLE,
            None => StatusCode::INTERNAL_SERVER_ERROR,
        };
        text(
            status,
            format!("component '{id}' failed; the terminal says why\n"),
        )
    }
}

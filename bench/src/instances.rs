//! The instances of a component, in this process: made by the embedded host's own hands, but asked one
//! by one, without a network.

use std::future::{pending, poll_fn};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use futures::channel::oneshot;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use tracing_tail_host::app::{App, prepare};
use tracing_tail_host::instance::{ComponentHandler, State};
use tracing_tail_host::manifest::{self, Manifest};
use tracing_tail_host::output::Output;
use tracing_tail_host::variables::{Provider, Variables};
use wasmtime::{AsContextMut as _, Engine, Store};
use wasmtime_wasi_http::WasiHttpView as _;
use wasmtime_wasi_http::handler::{Prepared, Proxy};

use crate::server::repository;

/// Where the application claims to listen.
const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A component, compiled and linked.
pub struct Loaded {
    /// Its file.
    pub source: PathBuf,
    id: String,
    app: Arc<App>,
}

/// Values of a manifest's variables.
pub type Settings<'s> = &'s [(&'s str, &'s str)];

impl Loaded {
    /// Compiles and links the component `id` of a manifest of this repository, with these variables.
    /// Databases are in the folder `state`.
    ///
    /// # Errors
    /// Where a manifest, its component or a variable is refused.
    pub fn new(
        engine: &Engine,
        (manifest, id): (&str, &str),
        settings: Settings<'_>,
        state: &Path,
    ) -> Result<Loaded> {
        let manifest = Manifest::load(&repository().join(manifest))?;
        let settings = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let given = Provider::Static(settings.collect());
        let variables = Variables::settle(&manifest, &[given])?;
        let prepared = prepare(engine, &manifest, &variables, &[], state)?;
        Ok(Loaded {
            source: manifest::find(&manifest, id)?.source.clone(),
            id: id.to_owned(),
            app: App::new(&manifest, prepared, NOWHERE, Output::quiet()),
        })
    }

    /// Makes an instance, in a store that `furnish` may add to.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn instance(
        &self,
        furnish: impl FnOnce(&mut Store<State>) -> wasmtime::Result<()>,
    ) -> Result<Live> {
        let component = self.component()?;
        let mut store = component.store();
        furnish(&mut store)?;
        let proxy = component.pre.instantiate_async(&mut store).await?;
        Ok(Live { store, proxy })
    }

    fn component(&self) -> Result<&ComponentHandler> {
        let component = self.app.component(&self.id);
        component.with_context(|| format!("no trigger names the component '{}'", self.id))
    }
}

/// An instance.
pub struct Live {
    /// Its store.
    pub store: Store<State>,
    proxy: Proxy,
}

impl Live {
    /// Has it answer a request, until the body is read too. Gives the time at which the head was there:
    /// the instance has done then what it could do without waiting.
    ///
    /// # Errors
    /// Where it traps, or answers with another status than 200.
    pub async fn answer(&mut self, request: Request<Bytes>) -> Result<Instant> {
        let (answered, answer) = oneshot::channel();
        let request = request.map(|body| {
            let body = Full::new(body).map_err(|never| match never {});
            body.boxed_unsync()
        });
        let proxy = &self.proxy;
        let serve = self.store.run_concurrent(async |accessor| {
            let prepared = accessor.with(|mut store| {
                Prepared::new(
                    store.as_context_mut(),
                    proxy,
                    request,
                    State::http,
                    answered,
                )
            })?;
            prepared.run(accessor, pending()).await?;
            // Whoever reads the body ends this.
            pending::<wasmtime::Result<()>>().await
        });
        let read = async {
            let response = answer.await??;
            let head = Instant::now();
            let status = response.status();
            ensure!(status == StatusCode::OK, "the answer is {status}");
            response.into_body().collect().await?;
            Ok(head)
        };
        tokio::select! {
            biased;
            served = serve => match served? {
                Err(error) => Err(error.into()),
                Ok(()) => bail!("the instance ended"),
            },
            read = read => read,
        }
    }

    /// Waits until it has no work left, as it has after its answers.
    ///
    /// # Errors
    /// Where it traps.
    pub async fn finish(&mut self) -> Result<()> {
        let idle = self.store.run_concurrent(async |accessor| {
            poll_fn(|cx| accessor.poll_no_interesting_tasks(cx)).await;
        });
        Ok(idle.await?)
    }
}

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
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use tracing_tail_host::app::App;
use tracing_tail_host::context::AppContext;
use tracing_tail_host::dispatch::ComponentHandler;
use tracing_tail_host::instance::State;
use tracing_tail_host::link::{LinkOptions, link_all};
use tracing_tail_host::manifest::{self, Manifest};
use tracing_tail_host::memory::MemoryBudget;
use tracing_tail_host::output::Output;
use tracing_tail_host::variables::{Provider, Variables};
use wasmtime::component::Accessor;
use wasmtime::{AsContext as _, AsContextMut as _, Engine, Store};
use wasmtime_wasi_http::handler::{Prepared, Proxy};
use wasmtime_wasi_http::{WasiBody, WasiHttpView as _};

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
        let variables = Variables::resolve(&manifest, &[given])?;
        let options = LinkOptions {
            environment: &[],
            state_dir: state,
        };
        let linked = link_all(engine, &manifest, &variables, options)?;
        let memory = MemoryBudget::new(usize::MAX);
        let context = AppContext::new(memory, Output::quiet("tracing-tail"));
        Ok(Loaded {
            source: manifest::find(&manifest, id)?.source.clone(),
            id: id.to_owned(),
            app: App::new(&manifest, linked, NOWHERE, &context),
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
        let mut store = component.store(component.context.memory.reserve()?);
        furnish(&mut store)?;
        let proxy = component.linked.pre.instantiate_async(&mut store).await?;
        Ok(Live { store, proxy })
    }

    fn component(&self) -> Result<&ComponentHandler> {
        let component = self.app.component(&self.id);
        component.with_context(|| format!("no trigger names the component '{}'", self.id))
    }
}

/// An instance.
pub struct Live {
    store: Store<State>,
    proxy: Proxy,
}

impl Live {
    /// Has it answer a request, until the body is read too. Gives the time at which the head was there:
    /// the instance has done then what it could do without waiting. What it is at stays undone, since a
    /// store that is let go of forgets the task that it was about to resume.
    ///
    /// # Errors
    /// Where it traps, or answers with another status than 200.
    pub async fn answer(&mut self, request: Request<Bytes>) -> Result<Instant> {
        let (answered, answer) = oneshot::channel();
        let converse = self.converse(async |talk| {
            talk.prepare(request, answered)?
                .run(talk.accessor, pending())
                .await?;
            // Whoever reads the body ends this.
            pending::<Result<()>>().await
        });
        // Beside the conversation: a guest of WASI 0.2 that waits for its reader stops all that is within.
        tokio::select! {
            biased;
            ended = converse => ended.and_then(|()| bail!("the instance ended")),
            read = read(answer) => read,
        }
    }

    /// Lets it work for as long as `conversation` takes.
    ///
    /// # Errors
    /// Where it traps, or where the conversation fails.
    pub async fn converse<R: 'static>(
        &mut self,
        conversation: impl AsyncFnOnce(&Conversation<'_>) -> Result<R>,
    ) -> Result<R> {
        let proxy = &self.proxy;
        let ended = self
            .store
            .run_concurrent(async |accessor| conversation(&Conversation { accessor, proxy }).await);
        ended.await?
    }
}

/// An instance at work.
pub struct Conversation<'a> {
    accessor: &'a Accessor<State>,
    proxy: &'a Proxy,
}

type Answer = wasmtime::Result<Response<WasiBody>>;

impl Conversation<'_> {
    /// As [`Live::answer`], for an instance of WASI 0.3, and work goes on.
    ///
    /// # Errors
    /// Where it traps, or answers with another status than 200.
    pub async fn answer(&self, request: Request<Bytes>) -> Result<Instant> {
        let (answered, answer) = oneshot::channel();
        self.prepare(request, answered)?
            .run(self.accessor, pending())
            .await?;
        read(answer).await
    }

    fn prepare(
        &self,
        request: Request<Bytes>,
        answered: oneshot::Sender<Answer>,
    ) -> Result<Prepared<'_, State>> {
        let request = request.map(|body| {
            let body = Full::new(body).map_err(|never| match never {});
            body.boxed_unsync()
        });
        let prepared = self.accessor.with(|mut store| {
            let store = store.as_context_mut();
            Prepared::new(store, self.proxy, request, State::http, answered)
        });
        Ok(prepared?)
    }

    /// Waits until it has no work left, as it has after its answers.
    pub async fn idle(&self) {
        poll_fn(|cx| self.accessor.poll_no_interesting_tasks(cx)).await;
    }

    /// What is left of its fuel.
    ///
    /// # Errors
    /// Where its engine does not consume any.
    pub fn fuel(&self) -> Result<u64> {
        Ok(self.accessor.with(|store| store.as_context().get_fuel())?)
    }
}

async fn read(answer: oneshot::Receiver<Answer>) -> Result<Instant> {
    let response = answer.await??;
    let head = Instant::now();
    let status = response.status();
    ensure!(status == StatusCode::OK, "the answer is {status}");
    response.into_body().collect().await?;
    Ok(head)
}

//! The instances of a component, in this process: created by the embedded host's code, but called one by one and
//! without a network.

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
use tracing_tail_host::epochs::Epochs;
use tracing_tail_host::instance::State;
use tracing_tail_host::link::{LinkOptions, link_all};
use tracing_tail_host::manifest::{self, Manifest};
use tracing_tail_host::memory::MemoryBudget;
use tracing_tail_host::output::Output;
use tracing_tail_host::sqlite::Sharing;
use tracing_tail_host::variables::{Provider, Variables};
use wasmtime::component::Accessor;
use wasmtime::{AsContext as _, AsContextMut as _, Engine, Store};
use wasmtime_wasi_http::handler::{Prepared, Proxy};
use wasmtime_wasi_http::{WasiBody, WasiHttpView as _};

use crate::server::repository;

/// The address in the requests' URLs.
const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A component, compiled and linked.
pub struct Loaded {
    /// The component's file.
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
    /// If a manifest, its component or a variable is refused.
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
            sharing: Sharing::default(),
            epochs: Epochs::default(),
            embedded: |_| None,
        };
        let linked = link_all(engine, &manifest, &variables, &options)?;
        let memory = MemoryBudget::new(usize::MAX);
        let context = AppContext::new(memory, Output::quiet("tracing-tail"));
        Ok(Loaded {
            source: manifest::find(&manifest, id)?.source.clone(),
            id: id.to_owned(),
            app: App::new(&manifest, linked, NOWHERE, &context),
        })
    }

    /// Creates an instance, in a store that `furnish` may configure.
    ///
    /// # Errors
    /// If it does not start.
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
    /// Sends it a request, and reads the whole response. Returns the time at which the head arrived: by then the
    /// instance has done everything that it can do without waiting. Its remaining work is dropped, since a released
    /// store forgets the task that it was about to resume.
    ///
    /// # Errors
    /// If it traps, or answers with another status than 200.
    pub async fn answer(&mut self, request: Request<Bytes>) -> Result<Instant> {
        let (answered, answer) = oneshot::channel();
        let converse = self.converse(async |talk| {
            talk.prepare(request, answered)?
                .run(talk.accessor, pending())
                .await?;
            // The reader of the body ends this.
            pending::<Result<()>>().await
        });
        // Concurrently: a guest of WASI 0.2 that waits for its reader blocks everything inside the store.
        tokio::select! {
            biased;
            ended = converse => ended.and_then(|()| bail!("the instance ended")),
            read = read(answer) => read,
        }
    }

    /// Runs the instance for as long as `conversation` takes.
    ///
    /// # Errors
    /// If it traps, or if the conversation fails.
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

/// A running instance.
pub struct Conversation<'a> {
    accessor: &'a Accessor<State>,
    proxy: &'a Proxy,
}

type Answer = wasmtime::Result<Response<WasiBody>>;

impl Conversation<'_> {
    /// Like [`Live::answer`], for an instance of WASI 0.3, which keeps running.
    ///
    /// # Errors
    /// If it traps, or answers with another status than 200.
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

    /// Waits until it has finished the work that remains after its responses.
    pub async fn idle(&self) {
        poll_fn(|cx| self.accessor.poll_no_interesting_tasks(cx)).await;
    }

    /// Its remaining fuel.
    ///
    /// # Errors
    /// If its engine does not consume any.
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

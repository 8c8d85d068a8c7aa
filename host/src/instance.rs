//! The instances of one component: what they hold, how often each is used, and when one goes away.
//!
//! WASI 0.3 instances serve up to 128 requests, 16 at a time, and go after a second without work,
//! as in Spin; WASI 0.2 ones serve a single request. Work that goes on after a response keeps its
//! instance.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::{Sleep, sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use wasmtime::component::{Accessor, GuestTaskId, HasData, Linker, ResourceTable};
use wasmtime::{Engine, Store, StoreContextMut};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::allowed_hosts::AllowedHosts;
use crate::app::App;
use crate::outbound::{Client, Outbound};
use crate::output::{Output, Stream};
use crate::sqlite::Databases;
use crate::variables::Values;

/// `spin:variables`, as components for WASI 0.3 import it.
mod wasip3 {
    #![allow(missing_docs, reason = "generated")]

    wasmtime::component::bindgen!({
        inline: "
            package spin:variables@3.0.0;

            interface variables {
                variant error {
                    invalid-name(string),
                    undefined(string),
                    provider(string),
                    other(string),
                }
                get: async func(name: string) -> result<string, error>;
            }

            world imports {
                import variables;
            }
        ",
    });
}

/// The same, as components for WASI 0.2 import it.
mod wasip2 {
    #![allow(missing_docs, reason = "generated")]

    wasmtime::component::bindgen!({
        inline: "
            package fermyon:spin@2.0.0;

            interface variables {
                variant error {
                    invalid-name(string),
                    undefined(string),
                    provider(string),
                    other(string),
                }
                get: func(name: string) -> result<string, error>;
            }

            world imports {
                import variables;
            }
        ",
    });
}

use wasip2::fermyon::spin::variables as variables_2;
use wasip3::spin::variables::variables as variables_3;

const MOST_REQUESTS: usize = 128;
const MOST_REQUESTS_AT_A_TIME: usize = 16;
const IDLE_TIMEOUT: Duration = Duration::from_secs(1);

/// What an instance's store holds.
pub struct State {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound: Outbound,
    variables: Arc<Values>,
    pub(crate) databases: Databases,
    /// Tells the shutdown that this instance still lives.
    _alive: TaskTrackerToken,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.outbound,
        }
    }
}

/// The view of a store that variables are read from.
struct VariablesView;

impl HasData for VariablesView {
    type Data<'a> = &'a mut State;
}

impl variables_3::Host for State {}

impl<T: Send> variables_3::HostWithStore<T> for VariablesView {
    async fn get(accessor: &Accessor<T, Self>, name: String) -> Result<String, variables_3::Error> {
        accessor
            .with(|mut access| access.get().variable(&name))
            .map_err(variables_3::Error::Undefined)
    }
}

impl variables_2::Host for State {
    fn get(&mut self, name: String) -> Result<String, variables_2::Error> {
        self.variable(&name).map_err(variables_2::Error::Undefined)
    }
}

impl State {
    fn variable(&self, name: &str) -> Result<String, String> {
        let value = self.variables.get(name).cloned();
        value.ok_or_else(|| format!("no variable '{name}'"))
    }
}

/// Offers a component its variables.
///
/// # Errors
/// Where the linker has them already.
pub fn link_variables(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    variables_2::add_to_linker::<_, VariablesView>(linker, |state| state)?;
    variables_3::add_to_linker::<_, VariablesView>(linker, |state| state)
}

/// A component that is ready to be instantiated.
pub struct ComponentHandler {
    /// Its id.
    pub id: String,
    /// The linked component.
    pub pre: Arc<ProxyPre<State>>,
    /// The engine that it is compiled for.
    pub engine: Engine,
    /// Its environment.
    pub environment: Vec<(String, String)>,
    /// The values of its variables.
    pub variables: Arc<Values>,
    /// The databases that it may open.
    pub databases: Databases,
    /// Where it may send requests to.
    pub allowed_hosts: Arc<AllowedHosts>,
    /// The client for what leaves the application.
    pub client: Client,
    /// The application that it belongs to.
    pub app: Weak<App>,
    /// Where its output goes.
    pub output: Output,
    /// Who lives, and who is told to go.
    pub lifetime: Lifetime,
}

/// Follows the lives of all instances of an application.
#[derive(Debug, Clone, Default)]
pub struct Lifetime {
    /// Counts the instances.
    pub alive: TaskTracker,
    /// Once cancelled, instances go as soon as they have no work.
    pub stopping: CancellationToken,
}

impl ComponentHandler {
    /// A store for a new instance.
    pub fn store(&self) -> Store<State> {
        let wasi = WasiCtxBuilder::new()
            .envs(&self.environment)
            .stdout(self.output.stream(&self.id, Stream::Stdout))
            .stderr(self.output.stream(&self.id, Stream::Stderr))
            .build();
        let outbound = Outbound {
            allowed_hosts: Arc::clone(&self.allowed_hosts),
            client: self.client.clone(),
            app: Weak::clone(&self.app),
        };
        let state = State {
            table: ResourceTable::new(),
            wasi,
            http: WasiHttpCtx::new(),
            outbound,
            variables: Arc::clone(&self.variables),
            databases: self.databases.clone(),
            _alive: self.lifetime.alive.token(),
        };
        Store::new(&self.engine, state)
    }
}

impl HandlerState for ComponentHandler {
    type StoreData = State;
    type WorkerExpiration = Expiration;
    type WorkerState = Capacity;

    async fn instantiate(&self) -> wasmtime::Result<Instance<State, Expiration, Capacity>> {
        let mut store = self.store();
        let proxy = self.pre.instantiate_async(&mut store).await?;
        let reused = matches!(*self.pre, ProxyPre::P3(_));
        Ok(Instance {
            store,
            proxy,
            view: State::http,
            expiration: Expiration {
                stopping: Box::pin(self.lifetime.stopping.clone().cancelled_owned()),
                idle: Box::pin(sleep(IDLE_TIMEOUT)),
            },
            state: Capacity {
                component: self.id.clone(),
                output: self.output,
                stopping: self.lifetime.stopping.clone(),
                requests: if reused { MOST_REQUESTS } else { 1 },
                at_a_time: if reused { MOST_REQUESTS_AT_A_TIME } else { 1 },
            },
        })
    }
}

/// When an instance goes: never while it has work.
pub struct Expiration {
    stopping: Pin<Box<WaitForCancellationFutureOwned>>,
    idle: Pin<Box<Sleep>>,
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        status: WorkerStatus,
        since: Instant,
    ) -> Poll<()> {
        match status {
            WorkerStatus::Requests | WorkerStatus::PostReturn => return Poll::Pending,
            WorkerStatus::Idle => {}
        }
        if self.stopping.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let deadline = (since + IDLE_TIMEOUT).into();
        if self.idle.deadline() != deadline {
            self.idle.as_mut().reset(deadline);
        }
        self.idle.as_mut().poll(cx)
    }
}

/// How many requests an instance takes.
pub struct Capacity {
    component: String,
    output: Output,
    stopping: CancellationToken,
    requests: usize,
    at_a_time: usize,
}

impl WorkerState for Capacity {
    type StoreData = State;
    type RequestData = ();

    fn should_accept_request(&self, now: usize, so_far: usize) -> ShouldAccept {
        if so_far >= self.requests {
            ShouldAccept::Never
        } else if now >= self.at_a_time {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _store: StoreContextMut<'_, State>,
        _data: (),
        _task: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        // Like Spin without a request timeout.
        Box::pin(std::future::pending())
    }

    fn drop(&self, store: Store<State>, result: wasmtime::Result<()>) {
        match result {
            // An instance that is dropped at work while the process ends is no trap.
            Err(error) if !self.stopping.is_cancelled() => {
                self.output
                    .host(&self.component, &format!("the instance trapped: {error:?}"));
            }
            _ => {}
        }
        drop(store);
    }
}

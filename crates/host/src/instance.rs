//! An instance of a component: what its store holds, and the variables that it may ask for.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use wasmtime::component::{Accessor, HasData, Linker, ResourceTable};
use wasmtime::{Engine, Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::handler::ProxyPre;
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::allowed_hosts::AllowedHosts;
use crate::app::App;
use crate::outbound::{Client, Outbound};
use crate::output::{Output, Stream};
use crate::request_body::BodyRoom;
use crate::room::{Reservation, Room};
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

/// What an instance's store holds.
pub struct State {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound: Outbound,
    variables: Arc<Values>,
    pub(crate) databases: Databases,
    reservation: Reservation,
    turn: Arc<Turn>,
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
    /// How many requests its instances have answered.
    pub requests: Arc<AtomicU64>,
}

/// Follows the lives of all instances of an application.
#[derive(Debug, Clone)]
pub struct Lifetime {
    /// Counts the instances.
    pub alive: TaskTracker,
    /// Once cancelled, instances go as soon as they have no work.
    pub stopping: CancellationToken,
    /// The memory that they may take.
    pub room: Room,
    /// How many requests were dropped before they began, since nobody waited for them any more.
    pub abandoned: Arc<AtomicU64>,
    /// The memory that bodies of requests may take.
    pub bodies: BodyRoom,
}

impl Lifetime {
    /// Of an application whose instances have this room.
    pub fn new(room: Room) -> Lifetime {
        Lifetime {
            alive: TaskTracker::new(),
            stopping: CancellationToken::new(),
            bodies: BodyRoom::new(room.limit()),
            room,
            abandoned: Arc::default(),
        }
    }
}

/// How many epochs a guest computes before its core goes to others.
const EPOCHS_PER_TURN: u32 = 2;

/// How long a guest has had its core for, since it was polled. A guest that computes gives way rather than being
/// stopped: other requests of its instance are not at fault.
#[derive(Debug, Default)]
pub struct Turn {
    epochs: AtomicU32,
    gave_way: AtomicBool,
}

impl Turn {
    /// To be called before the guest is polled.
    pub fn begin(&self) {
        self.epochs.store(0, Ordering::Relaxed);
        self.gave_way.store(false, Ordering::Relaxed);
    }

    /// Whether the guest was still computing when its turn ended.
    pub fn gave_way(&self) -> bool {
        self.gave_way.load(Ordering::Relaxed)
    }

    /// What a guest has to do at the end of an epoch.
    fn end_epoch(&self) -> UpdateDeadline {
        let epochs = self.epochs.fetch_add(1, Ordering::Relaxed) + 1;
        if epochs < EPOCHS_PER_TURN {
            return UpdateDeadline::Continue(1);
        }
        self.gave_way.store(true, Ordering::Relaxed);
        // tokio's own lets events in first. Woken at once, the guest would hold them off for 60 turns.
        UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now()))
    }
}

impl State {
    /// How long the guest has had its core for.
    pub fn turn(&self) -> &Arc<Turn> {
        &self.turn
    }
}

impl ComponentHandler {
    /// A store for a new instance.
    pub fn store(&self, reservation: Reservation) -> Store<State> {
        let wasi = WasiCtxBuilder::new()
            .envs(&self.environment)
            .stdout(self.output.stream(&self.id, Stream::Stdout))
            .stderr(self.output.stream(&self.id, Stream::Stderr))
            .build();
        let outbound = Outbound {
            allowed_hosts: Arc::clone(&self.allowed_hosts),
            client: self.client.clone(),
            app: Weak::clone(&self.app),
            given_up: reservation.outbound().clone(),
        };
        let state = State {
            table: ResourceTable::new(),
            wasi,
            http: WasiHttpCtx::new(),
            outbound,
            variables: Arc::clone(&self.variables),
            databases: self.databases.clone(),
            reservation,
            turn: Arc::default(),
            _alive: self.lifetime.alive.token(),
        };
        let mut store = Store::new(&self.engine, state);
        store.limiter(|state| &mut state.reservation);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|store| Ok(store.data().turn.end_epoch()));
        store
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_that_computes_gives_way_after_a_turn() {
        let turn = Turn::default();
        let gives_way = || matches!(turn.end_epoch(), UpdateDeadline::YieldCustom(1, _));
        turn.begin();
        let first: Vec<bool> = (0..EPOCHS_PER_TURN).map(|_| gives_way()).collect();
        assert_eq!(first, [false, true]);
        assert!(turn.gave_way());
        turn.begin();
        assert!(!turn.gave_way());
        assert!(!gives_way(), "its turn has just begun");
    }
}

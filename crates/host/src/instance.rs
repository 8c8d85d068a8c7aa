//! An instance of a component: the data of its store, and the interfaces of the host that need it.

use std::sync::Arc;

use tokio_util::task::task_tracker::TaskTrackerToken;
use wasmtime::component::ResourceTable;
use wasmtime::{Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::epochs::Epochs;
use crate::memory::Reservation;
use crate::outbound::Outbound;
use crate::sqlite::{Databases, SqliteView};
use crate::variables::Values;

mod turn;
pub mod variables;

pub use turn::Turn;

use variables::VariablesView;

/// The data of an instance's store.
pub struct State {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound: Outbound,
    variables: Arc<Values>,
    databases: Databases,
    reservation: Reservation,
    turn: Arc<Turn>,
    /// The shutdown waits for this to be dropped.
    _alive: TaskTrackerToken,
}

/// What an instance is given when it starts.
pub struct InstanceParts {
    /// Its environment and its output.
    pub wasi: WasiCtx,
    /// Its outbound requests.
    pub outbound: Outbound,
    /// The values of its variables.
    pub variables: Arc<Values>,
    /// The databases that it may open.
    pub databases: Databases,
    /// The clock by which it gives way to others.
    pub epochs: Epochs,
    /// Its memory.
    pub reservation: Reservation,
    /// Held for as long as the instance lives.
    pub alive: TaskTrackerToken,
}

/// Makes the store of a new instance, with the limits of its memory and of its turns.
pub fn new_store(engine: &Engine, parts: InstanceParts) -> Store<State> {
    let state = State {
        table: ResourceTable::new(),
        wasi: parts.wasi,
        http: WasiHttpCtx::new(),
        outbound: parts.outbound,
        variables: parts.variables,
        databases: parts.databases,
        reservation: parts.reservation,
        turn: Arc::new(Turn::new(parts.epochs)),
        _alive: parts.alive,
    };
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.reservation);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|store| Ok(store.data().turn.end_epoch()));
    store
}

impl State {
    /// How long the guest has had its core for.
    pub fn turn(&self) -> &Arc<Turn> {
        &self.turn
    }

    /// The variables that the guest may read.
    pub fn variables(&mut self) -> VariablesView<'_> {
        VariablesView(&self.variables)
    }

    /// The databases that the guest may open.
    pub fn sqlite(&mut self) -> SqliteView<'_> {
        SqliteView {
            databases: &self.databases,
            table: &mut self.table,
        }
    }
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

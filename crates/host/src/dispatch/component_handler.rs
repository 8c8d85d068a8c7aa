//! Makes the instances of a linked component, connected with the rest of the application.

use std::sync::Weak;

use wasmtime::Store;
use wasmtime_wasi::WasiCtxBuilder;

use crate::context::AppContext;
use crate::instance::{InstanceParts, State, new_store};
use crate::link::LinkedComponent;
use crate::memory::Reservation;
use crate::outbound::{Client, Components, Outbound};
use crate::output::Stream;

/// Makes the instances of one component.
pub struct ComponentHandler {
    /// The linked component.
    pub linked: LinkedComponent,
    /// What the component shares with all others.
    pub context: AppContext,
    /// The client for requests that leave the application.
    pub client: Client,
    /// The components that it may call inside the application.
    pub components: Weak<Components>,
}

impl ComponentHandler {
    /// The component's id.
    pub fn id(&self) -> &str {
        &self.linked.id
    }

    /// Makes the store of a new instance.
    pub fn store(&self, reservation: Reservation) -> Store<State> {
        let LinkedComponent {
            id,
            engine,
            epochs,
            environment,
            variables,
            databases,
            allowed_hosts,
            ..
        } = &self.linked;
        let output = &self.context.output;
        let wasi = WasiCtxBuilder::new()
            .envs(environment)
            .stdout(output.stream(id, Stream::Stdout))
            .stderr(output.stream(id, Stream::Stderr))
            .build();
        let parts = InstanceParts {
            wasi,
            outbound: Outbound {
                allowed_hosts: allowed_hosts.clone(),
                client: self.client.clone(),
                components: Weak::clone(&self.components),
                cancelled: reservation.cancelled().clone(),
            },
            variables: variables.clone(),
            databases: databases.clone(),
            epochs: epochs.clone(),
            reservation,
            alive: self.context.alive.token(),
        };
        new_store(engine, parts)
    }
}

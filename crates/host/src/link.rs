//! Links components: from the manifest and the resolved variables to components that can be instantiated.
//!
//! It refuses files that are no component, and components that import what Spin does not offer.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use anyhow::{Context as _, Result, anyhow};
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};
use wasmtime_wasi_http::handler::ProxyPre;
use wasmtime_wasi_http::{p2, p3};

use crate::allowed_hosts::AllowedHosts;
use crate::engine;
use crate::epochs::Epochs;
use crate::instance::{self, State};
use crate::manifest::{self, Manifest};
use crate::sqlite::{self, Databases, Sharing};
use crate::variables::{Values, Variables};

/// A linked component, with everything that its instances need.
#[derive(Clone)]
pub struct LinkedComponent {
    /// Its id.
    pub id: String,
    /// The engine that it is compiled for.
    pub engine: Engine,
    /// The clock of the engine.
    pub epochs: Epochs,
    /// The component, ready to be instantiated.
    pub pre: Arc<ProxyPre<State>>,
    /// Its environment.
    pub environment: Vec<(String, String)>,
    /// The values of its variables.
    pub variables: Arc<Values>,
    /// The databases that it may open.
    pub databases: Databases,
    /// The hosts that it may send requests to.
    pub allowed_hosts: Arc<AllowedHosts>,
    /// How many requests its instances have answered.
    pub requests: Arc<AtomicU64>,
}

impl LinkedComponent {
    /// How many requests its instances have answered.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

/// What components are given beside their own part of the manifest.
#[derive(Debug, Clone)]
pub struct LinkOptions<'a> {
    /// Environment variables of every component.
    pub environment: &'a [(String, String)],
    /// The folder of the databases.
    pub state_dir: &'a Path,
    /// Whose connections they have.
    pub sharing: Sharing,
    /// The clock of the engine.
    pub epochs: Epochs,
    /// The content of Wasm files that are not on the disk.
    pub embedded: fn(&Path) -> Option<&'static [u8]>,
}

/// Compiles and links each component that a trigger names.
///
/// # Errors
/// If a component can't be compiled or linked; the message names the component.
pub fn link_all(
    engine: &Engine,
    manifest: &Manifest,
    variables: &Variables,
    options: &LinkOptions<'_>,
) -> Result<Vec<LinkedComponent>> {
    let compiled = compile_all(engine, manifest, options.embedded)?;
    let mut linked = Vec::<LinkedComponent>::new();
    let databases = Databases::new(options.state_dir, options.sharing);
    for trigger in &manifest.triggers {
        let component = manifest::find(manifest, &trigger.component.value)?;
        if linked.iter().any(|known| known.id == component.id) {
            continue;
        }
        let wasm = &compiled[component.source.as_path()];
        let pre =
            link(wasm).with_context(|| format!("component '{}' can't run here", component.id))?;
        linked.push(LinkedComponent {
            id: component.id.clone(),
            engine: engine.clone(),
            epochs: options.epochs.clone(),
            pre: Arc::new(pre),
            environment: [component.environment.as_slice(), options.environment].concat(),
            variables: Arc::new(variables.of_component(component)?),
            databases: match component.sqlite {
                true => databases.clone(),
                false => Databases::default(),
            },
            allowed_hosts: Arc::new(variables.allowed_hosts(component)?),
            requests: Arc::default(),
        });
    }
    Ok(linked)
}

/// Compiles each Wasm file that a trigger leads to, all at once: parts of a compilation use one core only.
fn compile_all<'m>(
    engine: &Engine,
    manifest: &'m Manifest,
    embedded: fn(&Path) -> Option<&'static [u8]>,
) -> Result<HashMap<&'m Path, Component>> {
    let components = manifest.triggers.iter();
    let components = components.map(|trigger| manifest::find(manifest, &trigger.component.value));
    let sources = components.map(|component| Ok(component?.source.as_path()));
    let sources: BTreeSet<_> = sources.collect::<Result<_>>()?;
    let compile = |source| match embedded(source) {
        Some(bytes) => engine::compile_bytes(engine, bytes, source),
        None => engine::compile(engine, source),
    };
    thread::scope(|scope| {
        let compiling = sources.into_iter();
        let compiling: Vec<_> = compiling
            .map(|source| (source, scope.spawn(move || compile(source))))
            .collect();
        let compiled = compiling.into_iter();
        let compiled = compiled.map(|(source, compiling)| {
            let compiled = compiling
                .join()
                .map_err(|_| anyhow!("the compiler panicked"))?;
            Ok((source, compiled?))
        });
        compiled.collect()
    })
}

/// Links a component to the interfaces that Spin offers to HTTP components: WASI 0.2 and 0.3, and the variables and
/// the database of both.
///
/// # Errors
/// If the component imports anything else, or exports no HTTP handler.
pub fn link(component: &Component) -> Result<ProxyPre<State>> {
    let mut linker = Linker::<State>::new(component.engine());
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    p2::add_only_http_to_linker_async(&mut linker)?;
    p3::add_to_linker(&mut linker)?;
    instance::variables::add_to_linker(&mut linker, State::variables)?;
    sqlite::add_to_linker(&mut linker, State::sqlite)?;
    let instance = linker.instantiate_pre(component)?;
    match p3::bindings::ServicePre::new(instance.clone()) {
        Ok(service) => Ok(ProxyPre::P3(service)),
        Err(_) => p2::bindings::ProxyPre::new(instance)
            .map(ProxyPre::P2)
            .map_err(anyhow::Error::from)
            .context("it exports neither wasi:http/handler@0.3 nor wasi:http/incoming-handler@0.2"),
    }
}

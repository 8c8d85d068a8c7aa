//! What a request brings, before any of its spans is open: whether it is refused, its overrides, its list, and the
//! random numbers of its decisions. Spans open after it, since some decisions are about the spans themselves.

use http::{HeaderMap, Method, request};
use http_body::Body;

use crate::Service;
use crate::clock::Clock;
use crate::inbound::body::read_body;
use crate::inbound::route::page;
use crate::messaging::delivery::{Delivery, Message};
use crate::outcome::Failure;
use crate::payload::Payload;
use crate::simulate::mesh_path::MeshPath;
use crate::simulate::overrides::Overrides;
use crate::simulate::rng::SeededRng;
use crate::simulate::telemetry_faults::DrawnFaults;

/// What a request brings.
#[derive(Debug)]
pub(crate) struct Arrival {
    /// The list, or why the request is refused.
    pub(crate) payload: Result<Payload, Failure>,
    /// What its baggage overrides; nothing if it is refused before that is read.
    pub(crate) overrides: Overrides,
    /// The seed of its random numbers, if they are repeatable.
    pub(crate) seed: Option<String>,
    /// Its random numbers.
    pub(crate) rng: SeededRng,
    /// Its position in the mesh.
    pub(crate) mesh_path: MeshPath,
    /// What is wrong with its telemetry; nothing if it is refused.
    pub(crate) telemetry_faults: Option<DrawnFaults>,
}

impl Arrival {
    /// An arrival of which nothing is known but its position.
    fn at<R>(mesh_path: MeshPath, service: &Service<R>) -> Arrival {
        Arrival {
            payload: Err(Failure::TooLarge),
            overrides: Overrides::default(),
            seed: None,
            rng: service.rng_source.next_rng(),
            mesh_path,
            telemetry_faults: None,
        }
    }

    /// Reads a request, for which `clock` has run since it started. Without `is_routed` it is not for `/process`, and its
    /// body is left alone.
    pub(crate) async fn read<R, B>(
        service: &Service<R>,
        head: &request::Parts,
        (is_routed, clock): (bool, Clock),
        body: B,
    ) -> Arrival
    where
        B: Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut arrival = Arrival::at(MeshPath::extract(&head.headers), service);
        arrival.payload = arrival.accept(service, head, is_routed, body).await;
        arrival.draw_telemetry_faults(service, clock);
        arrival
    }

    /// Reads a delivery: the list and the headers of its first message.
    #[inline(never)]
    pub(crate) fn of_delivery<R>(
        service: &Service<R>,
        delivery: &Delivery,
        clock: Clock,
    ) -> Arrival {
        let mut arrival = Arrival::at(delivery.mesh_path, service);
        let message = &delivery.messages[0];
        arrival.payload = arrival.accept_message(service, message);
        arrival.draw_telemetry_faults(service, clock);
        arrival
    }

    fn draw_telemetry_faults<R>(&mut self, service: &Service<R>, clock: Clock) {
        let config = &service.config;
        if self.payload.is_ok() && !config.sdk_disabled {
            let now = || clock.now();
            let simulation = &config.simulation;
            self.telemetry_faults =
                simulation.draw_telemetry_faults(&self.overrides, now, self.rng);
        }
    }

    fn accept_message<R>(
        &mut self,
        service: &Service<R>,
        message: &Message,
    ) -> Result<Payload, Failure> {
        if !service.problems.is_empty() {
            return Err(Failure::Settings(service.problems.clone()));
        }
        self.overrides = read_overrides(service, &message.headers)?;
        let payload = message
            .body
            .clone()
            .accepted()
            .map_err(Failure::Malformed)?;
        self.seed(service, &payload);
        Ok(payload)
    }

    async fn accept<R, B>(
        &mut self,
        service: &Service<R>,
        head: &request::Parts,
        is_routed: bool,
        body: B,
    ) -> Result<Payload, Failure>
    where
        B: Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        validate(service, head, is_routed)?;
        self.overrides = read_overrides(service, &head.headers)?;
        let payload = Payload::accept(&read_body(body).await?).map_err(Failure::Malformed)?;
        self.seed(service, &payload);
        Ok(payload)
    }

    /// Seeds the random decisions if the request or the settings have a seed. The setting's seed is the
    /// same for all requests, so the list distinguishes them.
    fn seed<R>(&mut self, service: &Service<R>, payload: &Payload) {
        let config = &service.config;
        let name = config.name.as_bytes();
        let (seed, list) = match (&self.overrides.seed, &config.simulation.seed) {
            (Some(seed), _) => (seed, None),
            (None, Some(seed)) => (seed, Some(payload.to_json())),
            (None, None) => return,
        };
        let mut keys = vec![seed.as_bytes(), name];
        keys.extend(list.as_deref());
        self.rng = SeededRng::seeded(&keys, self.mesh_path);
        self.seed = Some(seed.clone());
    }
}

fn validate<R>(
    service: &Service<R>,
    head: &request::Parts,
    is_routed: bool,
) -> Result<(), Failure> {
    if !service.problems.is_empty() {
        return Err(Failure::Settings(service.problems.clone()));
    }
    if !is_routed {
        if let Some(page) = page(head).filter(|_| service.config.has_page) {
            return Err(Failure::Page(page));
        }
        return Err(Failure::NotFound(head.uri.path().to_owned()));
    }
    if head.method != Method::POST {
        return Err(Failure::MethodNotAllowed(head.method.clone()));
    }
    Ok(())
}

fn read_overrides<R>(service: &Service<R>, headers: &HeaderMap) -> Result<Overrides, Failure> {
    let config = &service.config;
    if !config.simulation.overrides {
        return Ok(Overrides::default());
    }
    let baggage = config.propagators.baggage(headers);
    let mut overrides = Overrides::parse(&baggage, &config.name).map_err(Failure::Baggage)?;
    if let Some((key, faults)) = overrides.telemetry_faults.take() {
        let within = faults.within(config.max_span_bytes);
        let faults = within.map_err(|problem| Failure::Baggage(format!("{key}: {problem}")))?;
        overrides.telemetry_faults = Some((key, faults));
    }
    Ok(overrides)
}

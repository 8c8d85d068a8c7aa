//! What a request publishes.

use super::RequestHandler;
use crate::limits::Limits;
use crate::messaging::publish::{Publication, PublicationPlanner, Publisher};
use crate::outcome::Failure;
use crate::payload::Payload;
use crate::simulate::overrides::Overrides;
use crate::wasi::Runtime;

impl<'s, R: Runtime> RequestHandler<'s, R> {
    /// Plans what is published after the calls.
    pub(super) fn plan_publications(
        &self,
        overrides: &Overrides,
    ) -> Result<Vec<Publication<'s>>, Failure> {
        let config = &self.service.config;
        if config.queues.0.is_empty() {
            return Ok(Vec::new());
        }
        let planner = PublicationPlanner {
            overrides,
            now: self.clock.now(),
            latency_cap: config.simulation.latency_cap,
            rng: self.rng,
        };
        planner.plan(&config.queues).map_err(Failure::Baggage)
    }

    /// Publishes the list. Each of the deliveries may lead to as many calls as each call.
    pub(super) fn publish(
        &mut self,
        publications: &[Publication<'s>],
        payload: &Payload,
        deliveries: u64,
    ) -> Result<(), Failure> {
        let mut first_failure = Ok(());
        for publication in publications {
            let publisher = Publisher {
                runtime: &self.service.runtime,
                broker: &self.service.broker,
                service: &self.service.config.name,
                span: &self.span,
                mesh_path: self.mesh_path,
                limits: Limits {
                    hops: self.limits.hops.saturating_sub(1),
                    calls: self.limits.calls
                        / (self.service.config.downstreams.len() as u64 + deliveries).max(1),
                    time: None,
                },
            };
            let (published, failure) = publisher.publish(publication, payload, &mut self.spans);
            self.published.push(published);
            if let Some(failure) = failure {
                first_failure = first_failure.and(Err(Failure::Activity(failure)));
            }
        }
        first_failure
    }
}

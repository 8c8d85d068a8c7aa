//! The grammar of APP_URL_DESTINO with queues. The input: the setting; where a password belongs, there is a `*`.
//!
//! What is accepted names each queue once, with numbers within their limits and consumers that are components of the app. The
//! text of it, written anew, is read as the same. No message and no debug output holds a password.

use std::fmt::Write as _;

use tracing_tail::messaging::queue::{Correlation, MAX_BATCH, MAX_REDELIVER, Queue, SYSTEMS};
use tracing_tail::settings::{APP_URL_DESTINO, Config, Values};

use crate::Target;
use crate::memory::Bound;
use crate::seam::read_settings;
use crate::secret::{SECRET, assert_hidden};

/// See the module.
pub const TARGET: Target = Target {
    name: "destinations",
    property,
    memory: Bound {
        constant: 64 << 10,
        per_byte: 1024,
    },
};

fn property(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let (config, problems) = read(text);
    for problem in &problems {
        assert!(problem.starts_with("APP_URL_DESTINO: "), "{problem}");
    }
    if problems.is_empty() {
        let queues = &config.queues.0;
        for queue in queues {
            is_within_limits(queue);
        }
        let mut names: Vec<_> = queues.iter().map(|queue| &queue.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), queues.len(), "a queue is there twice");
        survives_a_round_trip(&config, text);
    }
    if let Some((before, _)) = text.split_once("*@")
        && is_userinfo(before)
    {
        let text = text.replacen("*@", &format!("u:{SECRET}@"), 1);
        let (config, problems) = read(&text);
        assert_hidden(&problems.join("\n"), &text);
        assert_hidden(&format!("{config:?}"), &text);
    }
}

/// Whether what follows this are the credentials of an entry: its scheme comes before them, and nothing that ends a host.
fn is_userinfo(before: &str) -> bool {
    let Some((before, authority)) = before.rsplit_once("://") else {
        return false;
    };
    let entry = before.rsplit(',').next().unwrap_or_default().trim();
    ["http", "https"].contains(&entry) && !authority.contains(['/', '?', '#'])
}

fn read(text: &str) -> (Config, Vec<String>) {
    let mut values = Values::default();
    values.set(APP_URL_DESTINO, Ok(Some(text.to_owned())));
    read_settings(&values)
}

fn is_within_limits(queue: &Queue) {
    assert!((1..=MAX_BATCH).contains(&queue.batch));
    assert!(queue.redeliver <= MAX_REDELIVER);
    assert!((0.0..=100.0).contains(&queue.percent));
    assert!(SYSTEMS.contains(&queue.system));
    assert_ne!(queue.dead_letter.as_deref(), Some(&queue.name[..]));
    for consumer in &queue.consumers {
        let host = consumer.url().host().unwrap_or_default();
        assert!(host.ends_with(".spin.internal"), "{host}");
        assert!(consumer.authorization().is_none());
    }
}

/// Latency and errors are left aside: `settings` has them.
fn survives_a_round_trip(config: &Config, text: &str) {
    let mut written = Vec::new();
    for queue in &config.queues.0 {
        written.extend(entries(queue));
    }
    let written = written.join(",");
    let (again, problems) = read(&written);
    assert_eq!(problems, Vec::<String>::new(), "{written} of {text}");
    assert_eq!(again.downstreams, []);
    assert_eq!(again.queues.0.len(), config.queues.0.len());
    for (queue, again) in config.queues.0.iter().zip(&again.queues.0) {
        assert_eq!(keys(queue), keys(again));
        assert_eq!(queue.consumers, again.consumers);
    }
}

fn entries(queue: &Queue) -> Vec<String> {
    let keys = keys(queue);
    let urls = queue.consumers.iter().map(|consumer| {
        let host = consumer.url().authority().expect("a component has one");
        format!("http://{host}{keys}")
    });
    match queue.consumers.is_empty() {
        true => vec![keys.clone()],
        false => urls.collect(),
    }
}

fn keys(queue: &Queue) -> String {
    let mut keys = format!(
        ";queue={};system={};batch={};redeliver={};p={:.9}",
        queue.name, queue.system, queue.batch, queue.redeliver, queue.percent
    );
    if let Some(name) = &queue.dead_letter {
        let _ = write!(keys, ";dead_letter={name}");
    }
    if queue.correlation == Correlation::Child {
        keys.push_str(";correlation=child");
    }
    keys
}

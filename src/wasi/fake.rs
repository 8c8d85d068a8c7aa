//! The runtime of unit tests: it has given variables, scripts its responses, and records what it is asked.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::executor::block_on;
use http::{Request, Response};
use send_wrapper::SendWrapper;

use super::{Runtime, SendError};

type Task = SendWrapper<Pin<Box<dyn Future<Output = ()>>>>;
type Answer = Result<Response<Bytes>, SendError>;
type Respond = dyn Fn(&Request<Bytes>) -> Answer + Send + Sync;

/// A runtime that never waits. Spawned tasks do not run before [`FakeRuntime::run_tasks`].
#[derive(Clone)]
pub struct FakeRuntime(Arc<Script>);

struct Script {
    variables: HashMap<String, String>,
    environment: HashMap<String, String>,
    answer: Box<Respond>,
    recorded: Mutex<Recorded>,
}

#[derive(Default)]
struct Recorded {
    sent: Vec<Request<Bytes>>,
    slept: Vec<Duration>,
    tasks: Vec<Task>,
}

impl fmt::Debug for FakeRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FakeRuntime")
    }
}

impl FakeRuntime {
    /// A runtime with these variables; `answer` answers outbound requests.
    pub fn new(
        variables: &[(&str, &str)],
        answer: impl Fn(&Request<Bytes>) -> Answer + Send + Sync + 'static,
    ) -> FakeRuntime {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        FakeRuntime(Arc::new(Script {
            variables: variables.iter().map(owned).collect(),
            environment: HashMap::new(),
            answer: Box::new(answer),
            recorded: Mutex::default(),
        }))
    }

    /// The same with these environment variables.
    #[must_use]
    pub fn with_environment(mut self, environment: &[(&str, &str)]) -> FakeRuntime {
        let script = Arc::get_mut(&mut self.0).expect("it is not shared yet");
        for (name, value) in environment {
            let pair = ((*name).to_owned(), (*value).to_owned());
            script.environment.extend([pair]);
        }
        self
    }

    /// Runs the spawned tasks to their end, one after the other; returns their number.
    pub fn run_tasks(&self) -> usize {
        let tasks = std::mem::take(&mut self.0.recorded.lock().unwrap().tasks);
        let count = tasks.len();
        tasks.into_iter().for_each(block_on);
        count
    }

    /// The bodies of the requests to URLs that end with `end`.
    pub fn sent_to(&self, end: &str) -> Vec<Bytes> {
        let recorded = self.0.recorded.lock().unwrap();
        let sent = recorded
            .sent
            .iter()
            .filter(|request| request.uri().to_string().ends_with(end));
        sent.map(|request| request.body().clone()).collect()
    }

    /// The durations of all sleeps.
    pub fn slept(&self) -> Vec<Duration> {
        self.0.recorded.lock().unwrap().slept.clone()
    }
}

impl Runtime for FakeRuntime {
    const REUSED: bool = true;

    async fn variable(&self, name: &str) -> Result<Option<String>, String> {
        Ok(self.0.variables.get(name).cloned())
    }

    async fn send(&self, request: Request<Bytes>, _timeout: Duration) -> Answer {
        let answer = (self.0.answer)(&request);
        self.0.recorded.lock().unwrap().sent.push(request);
        answer
    }

    fn environment(&self, name: &str) -> Option<String> {
        self.0.environment.get(name).cloned()
    }

    fn random(&self) -> u64 {
        0
    }

    async fn sleep(&self, duration: Duration) {
        self.0.recorded.lock().unwrap().slept.push(duration);
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.0
            .recorded
            .lock()
            .unwrap()
            .tasks
            .push(SendWrapper::new(Box::pin(task)));
    }
}

//! Throws mutated requests at the socket of a host that runs the repository's own app.
//!
//! ```sh
//! cargo run --release --package fuzz-properties --example socket -- target/release/tracing-tail 1000000
//! ```
//!
//! After each, a good request on another connection has to be answered rightly; every answer has to be
//! well-formed HTTP, and none a 5xx: nobody asks for one. Behind each input, on the same connection, comes a last
//! request after which the host closes it, unless the input has left it waiting for more.

mod answer;
mod app;
mod mutation;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, io, thread};

use answer::Answer;
use app::App;
use mutation::Mutator;

/// Connections that send at the same time.
const THREADS: u64 = 32;
/// How long a connection is listened to that says nothing.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long a good answer may take.
const GOOD_PATIENCE: Duration = Duration::from_secs(10);
/// After so many failures it is enough.
const MAX_FAILURES: usize = 20;
/// The request behind each input.
const LAST: &[u8] =
    b"GET /.well-known/spin/health HTTP/1.1\r\nhost: last\r\nconnection: close\r\n\r\n";
const GOOD: &[(&[u8], &[u8])] = &[
    (
        b"GET /.well-known/spin/health HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"OK",
    ),
    (
        b"POST /process HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\n[\"a\"]",
        b"[\"a\",\"tracing-tail\"]",
    ),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let number = |text: &String| text.parse::<u64>().ok();
    let (Some(program), Some(inputs)) = (arguments.first(), arguments.get(1).and_then(number))
    else {
        eprintln!(
            "arguments: the program tracing-tail, the number of inputs, and a seed if you like"
        );
        return ExitCode::FAILURE;
    };
    let seed = arguments.get(2).and_then(number).unwrap_or(1);
    let app = App::start(program);
    let run = Run {
        address: app.address,
        inputs,
        begun: AtomicU64::new(0),
        statuses: Mutex::default(),
        failures: Mutex::default(),
    };
    let started = Instant::now();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let run = &run;
            scope.spawn(move || {
                run.send(Mutator::new(
                    seed.wrapping_mul(THREADS).wrapping_add(thread),
                ))
            });
        }
    });
    let failures = run.report(started.elapsed());
    match failures {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

struct Run {
    address: SocketAddr,
    inputs: u64,
    begun: AtomicU64,
    /// How many answers had each status; 0 for a connection without one.
    statuses: Mutex<std::collections::BTreeMap<u16, u64>>,
    /// What was wrong, with the input.
    failures: Mutex<Vec<(String, Vec<u8>)>>,
}

impl Run {
    fn send(&self, mut mutator: Mutator) {
        let mut good = None;
        loop {
            let at = self.begun.fetch_add(1, Ordering::Relaxed);
            if at >= self.inputs || self.failures().len() >= MAX_FAILURES {
                return;
            }
            if at > 0 && at.is_multiple_of(100_000) {
                eprintln!("{at} inputs");
            }
            let input = mutator.input();
            let checked = self
                .throw(&input)
                .and_then(|()| self.is_well(&mut good, at));
            if let Err(problem) = checked {
                good = None;
                eprintln!("{problem}: {}", input.escape_ascii());
                self.failures().push((problem, input));
            }
        }
    }

    fn throw(&self, input: &[u8]) -> Result<(), String> {
        let failed = |problem: io::Error| format!("no connection: {problem}");
        let mut stream =
            TcpStream::connect_timeout(&self.address, GOOD_PATIENCE).map_err(failed)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(failed)?;
        // The host may have closed it already.
        let _ = stream
            .write_all(input)
            .and_then(|()| stream.write_all(LAST));
        let mut received = Vec::new();
        let ended = stream.read_to_end(&mut received).is_ok();
        let answers = answer::all(&received, ended)?;
        let mut statuses = self
            .statuses
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if answers.is_empty() {
            *statuses.entry(0).or_default() += 1;
        }
        for answer in &answers {
            *statuses.entry(answer.status).or_default() += 1;
            if answer.status >= 500 {
                let body = String::from_utf8_lossy(&answer.body);
                return Err(format!("answered {}: {body}", answer.status));
            }
        }
        Ok(())
    }

    /// Sends a good request on a connection that stays.
    fn is_well(&self, connection: &mut Option<TcpStream>, at: u64) -> Result<(), String> {
        let (request, body) = GOOD[usize::from(at.is_multiple_of(16))];
        let answer = self.ask(connection, request);
        let answer =
            answer.map_err(|problem| format!("a good request is not answered: {problem}"))?;
        if answer.status != 200 || answer.body != body {
            return Err(format!("a good request is answered {answer:?}"));
        }
        Ok(())
    }

    fn ask(&self, connection: &mut Option<TcpStream>, request: &[u8]) -> Result<Answer, String> {
        let failed = |problem: io::Error| problem.to_string();
        let stream = match connection {
            Some(stream) => stream,
            None => {
                let stream =
                    TcpStream::connect_timeout(&self.address, GOOD_PATIENCE).map_err(failed)?;
                stream
                    .set_read_timeout(Some(GOOD_PATIENCE))
                    .map_err(failed)?;
                stream.set_nodelay(true).map_err(failed)?;
                connection.insert(stream)
            }
        };
        stream.write_all(request).map_err(failed)?;
        let mut received = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let read = stream.read(&mut buffer).map_err(failed)?;
            if read == 0 {
                return Err("the connection is closed".to_owned());
            }
            received.extend_from_slice(&buffer[..read]);
            if let Some(answer) = answer::all(&received, false)?.pop() {
                return Ok(answer);
            }
        }
    }

    fn failures(&self) -> std::sync::MutexGuard<'_, Vec<(String, Vec<u8>)>> {
        self.failures
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Says what there was to see, keeps the inputs that show failures, and gives their number.
    fn report(&self, took: Duration) -> usize {
        let sent = self.begun.load(Ordering::Relaxed).min(self.inputs);
        let seconds = took.as_secs_f64();
        println!("{sent} inputs in {seconds:.0} s");
        let statuses = self
            .statuses
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        for (status, count) in &*statuses {
            match status {
                0 => println!("no answer: {count}"),
                status => println!("{status}: {count}"),
            }
        }
        let failures = self.failures();
        for (at, (problem, input)) in failures.iter().enumerate() {
            let file = env::temp_dir().join(format!("socket-{at}"));
            let kept = fs::write(&file, input).map(|()| file.display().to_string());
            println!("{problem}\n  {kept:?}: {}", input.escape_ascii());
        }
        failures.len()
    }
}

//! The clock of an engine, by which guests that compute for long give way: a thread that counts epochs while guests run.
//!
//! Between two requests no guest runs, and a thread that woke 200 times a second would be all that an idle host does.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmtime::Engine;

/// The length of an epoch. At its end a guest that computes may have to yield.
const EPOCH: Duration = Duration::from_millis(5);
/// How many epochs the clock goes on for after a guest has shown that it runs. It shows that at the end of each epoch in which
/// it was not waiting.
const LINGER: u32 = 8;

/// The clock. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Epochs(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Whether a guest has run since the last epoch ended.
    is_busy: AtomicBool,
    is_parked: AtomicBool,
    /// The clock's thread, once it runs.
    thread: OnceLock<Thread>,
}

impl Epochs {
    /// Counts the epochs of an engine, for as long as it exists and guests run.
    ///
    /// # Errors
    /// If the thread does not start.
    pub fn start(&self, engine: &Engine) -> io::Result<()> {
        let engine = engine.weak();
        let epochs = self.clone();
        let count = move || {
            let mut quiet = 0;
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                thread::sleep(EPOCH);
                quiet = match epochs.0.is_busy.swap(false, Ordering::SeqCst) {
                    true => 0,
                    false => quiet + 1,
                };
                if quiet > LINGER {
                    epochs.park();
                    quiet = 0;
                }
            }
        };
        let thread = thread::Builder::new().name("epochs".to_owned());
        let thread = thread.spawn(count)?.thread().clone();
        // A clock has one engine.
        let _ = self.0.thread.set(thread);
        Ok(())
    }

    /// To be called when a guest begins to run, and while it does.
    pub fn keep_counting(&self) {
        let Shared {
            is_busy,
            is_parked,
            thread,
        } = &*self.0;
        if is_busy.load(Ordering::Relaxed) {
            return;
        }
        // Either this sees the thread parked, or the thread sees that a guest runs.
        is_busy.store(true, Ordering::SeqCst);
        if is_parked.load(Ordering::SeqCst)
            && let Some(thread) = thread.get()
        {
            thread.unpark();
        }
    }

    /// Waits until a guest runs.
    fn park(&self) {
        self.0.is_parked.store(true, Ordering::SeqCst);
        while !self.0.is_busy.load(Ordering::SeqCst) {
            thread::park();
        }
        self.0.is_parked.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use wasmtime::{Config, Module, Store};

    use super::*;

    /// `(module (func (export "run") (loop (br 0))))`
    const ENDLESS: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x07\x07\x01\x03run\0\0\x0a\x09\x01\x07\0\x03\x40\x0c\0\x0b\x0b";

    /// Runs a guest that computes until an epoch has ended.
    fn is_interrupted(engine: &Engine) -> bool {
        let endless = Module::new(engine, ENDLESS).unwrap();
        let mut store = Store::new(engine, ());
        store.set_epoch_deadline(2);
        let instance = wasmtime::Instance::new(&mut store, &endless, &[]).unwrap();
        let run = instance
            .get_typed_func::<(), ()>(&mut store, "run")
            .unwrap();
        run.call(&mut store, ()).is_err()
    }

    #[test]
    fn counts_while_guests_run_and_rests_otherwise() {
        let engine = Engine::new(Config::new().epoch_interruption(true)).unwrap();
        let epochs = Epochs::default();
        epochs.start(&engine).unwrap();
        for _ in 0..2 {
            let began = Instant::now();
            while !epochs.0.is_parked.load(Ordering::SeqCst) {
                assert!(began.elapsed() < Duration::from_secs(10), "it goes on");
                thread::sleep(EPOCH);
            }
            epochs.keep_counting();
            assert!(is_interrupted(&engine));
        }
    }
}

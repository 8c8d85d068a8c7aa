//! SIGINT and SIGTERM: the first one lets work in progress finish, a second one does not wait.

use std::io;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::oneshot;

/// What a shell reports of a program that SIGINT has ended.
const INTERRUPTED: i32 = 130;

/// The signal to stop.
#[derive(Debug)]
pub struct Shutdown {
    awaited: Arc<AtomicBool>,
    told: oneshot::Receiver<()>,
}

impl Shutdown {
    /// Takes over the signals. Until [`Shutdown::begin`] the first one ends the process at once:
    /// while components are built there is nothing to finish.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn on_signal() -> io::Result<Shutdown> {
        let mut signals = Signals::new()?;
        let awaited = Arc::new(AtomicBool::new(false));
        let (tell, told) = oneshot::channel();
        let waits = Arc::clone(&awaited);
        tokio::spawn(async move {
            signals.next().await;
            if waits.load(Ordering::SeqCst) {
                // Nobody is left to be told where the server has ended by itself.
                let _ = tell.send(());
                signals.next().await;
            }
            process::exit(INTERRUPTED);
        });
        Ok(Shutdown { awaited, told })
    }

    /// From now on the first signal only completes the future that this gives.
    pub fn begin(self) -> impl Future<Output = ()> {
        self.awaited.store(true, Ordering::SeqCst);
        async move {
            let _ = self.told.await;
        }
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Signals> {
        Ok(Signals)
    }

    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}

//! SIGINT and SIGTERM: the first one lets work in progress finish, a second one does not wait.

use std::io;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::oneshot;

/// The exit status that a shell reports for a program ended by SIGINT.
const INTERRUPTED: i32 = 130;

/// The signal to stop.
#[derive(Debug)]
pub struct Shutdown {
    begun: Arc<AtomicBool>,
    received: oneshot::Receiver<()>,
}

impl Shutdown {
    /// Installs the signal handlers. Until [`Shutdown::begin`] the first signal ends the process at once:
    /// while components are built there is nothing to finish.
    ///
    /// # Errors
    /// If the system refuses a handler.
    pub fn on_signal() -> io::Result<Shutdown> {
        let mut signals = Signals::new()?;
        let begun = Arc::new(AtomicBool::new(false));
        let (sender, received) = oneshot::channel();
        let has_begun = Arc::clone(&begun);
        tokio::spawn(async move {
            signals.next().await;
            if has_begun.load(Ordering::SeqCst) {
                // The server may have ended by itself.
                let _ = sender.send(());
                signals.next().await;
            }
            process::exit(INTERRUPTED);
        });
        Ok(Shutdown { begun, received })
    }

    /// From now on the first signal only completes the returned future.
    pub fn begin(self) -> impl Future<Output = ()> {
        self.begun.store(true, Ordering::SeqCst);
        async move {
            let _ = self.received.await;
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

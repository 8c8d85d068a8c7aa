//! The terminal: what components print, line by line behind the component's id, and what the host reports.

use std::io::{self, Write as _};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Sees a line that a component has written to stderr, and its id. If it returns true, the line is not printed.
pub type Intercept = dyn Fn(&str, &str) -> bool + Send + Sync;

/// Where output goes: the terminal, or nowhere. Cheap to clone.
#[derive(Clone)]
pub struct Output {
    program: &'static str,
    quiet: bool,
    intercept: Option<Arc<Intercept>>,
}

/// One of a component's two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Output {
    /// Output to the terminal; the host's own messages begin with the name of the program.
    pub fn terminal(program: &'static str) -> Output {
        Output {
            program,
            quiet: false,
            intercept: None,
        }
    }

    /// Drops what components print. The host's own messages stay.
    pub fn quiet(program: &'static str) -> Output {
        Output {
            quiet: true,
            ..Output::terminal(program)
        }
    }

    /// Gives `intercept` each line on stderr first, with the component's id before it.
    pub fn intercepted(
        self,
        intercept: impl Fn(&str, &str) -> bool + Send + Sync + 'static,
    ) -> Output {
        Output {
            intercept: Some(Arc::new(intercept)),
            ..self
        }
    }

    /// A stream for an instance of `component`.
    pub fn stream(&self, component: &str, stream: Stream) -> Lines {
        let intercept = self.intercept.clone();
        let intercept = intercept.filter(|_| stream == Stream::Stderr);
        Lines(Arc::new(Mutex::new(Buffer {
            stream,
            component: component.to_owned(),
            pending: Vec::new(),
            quiet: self.quiet,
            intercept,
        })))
    }

    /// Prints a message of the host about a component on stderr.
    pub fn report_component(&self, component: &str, message: &str) {
        self.report(&format!("component '{component}': {message}"));
    }

    /// Prints a message of the host on stderr.
    pub fn report(&self, message: &str) {
        eprintln!("{}: {message}", self.program);
    }
}

/// Prefixes each line, and holds the last one back until it is complete.
#[derive(Clone)]
pub struct Lines(Arc<Mutex<Buffer>>);

struct Buffer {
    stream: Stream,
    component: String,
    pending: Vec<u8>,
    quiet: bool,
    intercept: Option<Arc<Intercept>>,
}

impl Lines {
    fn write(&self, bytes: &[u8]) -> usize {
        let mut buffer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !buffer.quiet || buffer.intercept.is_some() {
            buffer.pending.extend_from_slice(bytes);
            buffer.print_complete_lines();
        }
        bytes.len()
    }
}

impl Buffer {
    fn print_complete_lines(&mut self) {
        let Some(end) = self.pending.iter().rposition(|byte| *byte == b'\n') else {
            return;
        };
        let complete: Vec<u8> = self.pending.drain(..=end).collect();
        self.print(&complete);
    }

    fn print(&self, lines: &[u8]) {
        let mut prefixed = Vec::new();
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            if self.is_intercepted(line) || self.quiet {
                continue;
            }
            prefixed.extend_from_slice(format!("[{}] ", self.component).as_bytes());
            prefixed.extend_from_slice(line);
        }
        if prefixed.is_empty() {
            return;
        }
        // A component goes on if the terminal is closed.
        let _ = match self.stream {
            Stream::Stdout => io::stdout().write_all(&prefixed),
            Stream::Stderr => io::stderr().write_all(&prefixed),
        };
    }

    fn is_intercepted(&self, line: &[u8]) -> bool {
        let Some(intercept) = &self.intercept else {
            return false;
        };
        let line = std::str::from_utf8(line).map(str::trim_end);
        line.is_ok_and(|line| intercept(&self.component, line))
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if !self.pending.is_empty() {
            self.pending.push(b'\n');
            self.print_complete_lines();
        }
    }
}

impl StdoutStream for Lines {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

impl IsTerminal for Lines {
    fn is_terminal(&self) -> bool {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).stream {
            Stream::Stdout => io::stdout().is_terminal(),
            Stream::Stderr => io::stderr().is_terminal(),
        }
    }
}

impl OutputStream for Lines {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        Lines::write(self, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 * 1024)
    }
}

#[async_trait]
impl Pollable for Lines {
    async fn ready(&mut self) {}
}

impl AsyncWrite for Lines {
    fn poll_write(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(Lines::write(&self, bytes)))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

//! Follows files of OTLP JSON lines, as the Collector's file exporter writes them. Only plain files are read, neither
//! compressed ones nor protobuf.
//!
//! Each line is read once, when it is whole; what is kept in memory is where the spans of each trace are. Files are
//! followed when they are renamed, and read from the start again when they are truncated.

mod index;
mod listing;

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use opentelemetry::trace::TraceId;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use self::index::{Extent, Index, SpanAt};
use super::super::span::Span;
use super::otlp_json;
use super::problem::Problem;

/// A file or folder of OTLP JSON lines.
#[derive(Debug)]
pub(super) struct Files {
    root: PathBuf,
    index: Arc<Mutex<Index>>,
}

impl fmt::Display for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OTLP JSON lines in {}", self.root.display())
    }
}

impl Files {
    /// Reads what is there. A file may appear later if the address says that it is one.
    ///
    /// # Errors
    /// There is nothing, or it can't be read.
    pub(super) async fn open(root: PathBuf, explicit: bool) -> Result<Files, Problem> {
        check_root(&root, explicit)?;
        let index = Arc::new(Mutex::new(Index::new(root.clone())));
        let files = Files { root, index };
        files.with_index(Index::refresh).await?;
        Ok(files)
    }

    /// The spans of a trace; none if it is in no line yet.
    ///
    /// # Errors
    /// A file can't be read, or has a line that is no OTLP.
    pub(super) async fn trace(&self, id: TraceId) -> Result<Vec<Span>, Problem> {
        self.with_index(move |index| {
            index.refresh()?;
            read_spans(index, id)
        })
        .await
    }

    /// Files block: works on a thread where that may take long.
    async fn with_index<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Index) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let mut index = Arc::clone(&self.index).lock_owned().await;
        let working = spawn_blocking(move || work(&mut index));
        let failed = |error| Err(Problem::lasting(format!("failed to read files: {error}")));
        working.await.unwrap_or_else(failed)
    }
}

fn check_root(root: &Path, explicit: bool) -> Result<(), Problem> {
    let shown = root.display();
    let accepted = "give the path of a file or folder, or a URL such as http://127.0.0.1:16686";
    match root.metadata() {
        Ok(metadata) if metadata.is_file() || metadata.is_dir() => Ok(()),
        Ok(_) => Err(Problem::lasting(format!(
            "'{shown}' is neither a file nor a folder: {accepted}"
        ))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if explicit && listing::parent(root).is_dir() {
                return Ok(());
            }
            Err(Problem::lasting(format!(
                "there is no '{shown}': {accepted}, or file:{shown} if the file appears later"
            )))
        }
        Err(error) => Err(failed_to_read(root, &error)),
    }
}

fn failed_to_read(path: &Path, error: &io::Error) -> Problem {
    Problem::lasting(format!("failed to read '{}': {error}", path.display()))
}

/// Reads the spans of a trace from where they are.
fn read_spans(index: &Index, id: TraceId) -> Result<Vec<Span>, Problem> {
    let mut spans = Vec::new();
    for at in index.spans(id) {
        let (file, path) = index.file(at.file);
        let document = document(file, at).map_err(|error| failed_to_read(path, &error))?;
        let export = otlp_json::read(&document).map_err(|error| {
            let (path, byte) = (path.display(), at.span.start);
            Problem::lasting(format!(
                "'{path}' has a malformed span at byte {byte}: {error}"
            ))
        })?;
        spans.extend(export.spans);
    }
    Ok(spans)
}

/// An export of one span, with its resource and scope.
fn document(file: &File, at: &SpanAt) -> io::Result<Vec<u8>> {
    let mut document = b"{\"resourceSpans\":[{\"resource\":".to_vec();
    append(file, at.resource, &mut document)?;
    document.extend_from_slice(b",\"scopeSpans\":[{\"scope\":");
    append(file, at.scope, &mut document)?;
    document.extend_from_slice(b",\"spans\":[");
    append(file, Some(at.span), &mut document)?;
    document.extend_from_slice(b"]}]}]}");
    Ok(document)
}

fn append(mut file: &File, extent: Option<Extent>, document: &mut Vec<u8>) -> io::Result<()> {
    let Some(Extent { start, length }) = extent else {
        document.extend_from_slice(b"null");
        return Ok(());
    };
    file.seek(SeekFrom::Start(start))?;
    let read = file.take(length).read_to_end(document)?;
    match read as u64 == length {
        true => Ok(()),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests;

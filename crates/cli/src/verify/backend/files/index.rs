//! Where the spans of each trace are in the followed files.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use opentelemetry::trace::TraceId;
use same_file::Handle;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::fields;
use super::super::problem::Problem;
use super::{failed_to_read, listing};

/// The longest line that is read.
const MAX_LINE: u64 = 256 << 20;

/// Where spans are.
#[derive(Debug)]
pub(super) struct Index {
    root: PathBuf,
    /// In the order in which they were found. A file stays here when it is renamed or removed.
    files: Vec<Followed>,
    spans: HashMap<TraceId, Vec<SpanAt>>,
}

/// A file that is followed.
#[derive(Debug)]
struct Followed {
    handle: Handle,
    path: PathBuf,
    /// The end of the last line that was read.
    position: u64,
    /// Whether it turned out to be something else: files of other kinds may be in a folder.
    ignored: bool,
}

/// Where a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SpanAt {
    /// The number of its file.
    pub(super) file: usize,
    /// Its resource, if it has one.
    pub(super) resource: Option<Extent>,
    /// Its scope, if it has one.
    pub(super) scope: Option<Extent>,
    /// The span itself.
    pub(super) span: Extent,
}

/// A part of a file, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// Where it starts.
    pub(super) start: u64,
    /// How long it is.
    pub(super) length: u64,
}

impl Index {
    /// An index of nothing yet.
    pub(super) fn new(root: PathBuf) -> Index {
        Index {
            root,
            files: Vec::new(),
            spans: HashMap::new(),
        }
    }

    /// Where the spans of a trace are, in the order in which they were read.
    pub(super) fn spans(&self, id: TraceId) -> &[SpanAt] {
        self.spans.get(&id).map_or(&[], Vec::as_slice)
    }

    /// A followed file, and its path.
    pub(super) fn file(&self, number: usize) -> (&File, &Path) {
        let followed = &self.files[number];
        (followed.handle.as_file(), &followed.path)
    }

    /// Reads what has been added to the files since the last time.
    ///
    /// # Errors
    /// A file can't be read, or has a line that is no OTLP.
    pub(super) fn refresh(&mut self) -> Result<(), Problem> {
        self.find_files()?;
        for number in 0..self.files.len() {
            if !self.files[number].ignored {
                self.read_lines(number)?;
            }
        }
        Ok(())
    }

    fn find_files(&mut self) -> Result<(), Problem> {
        for path in listing::list(&self.root) {
            let handle = match Handle::from_path(&path) {
                Ok(handle) => handle,
                // It was renamed or removed meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(failed_to_read(&path, &error)),
            };
            match self.files.iter_mut().find(|file| file.handle == handle) {
                Some(file) => file.path = path,
                None => self.files.push(Followed {
                    handle,
                    path,
                    position: 0,
                    ignored: false,
                }),
            }
        }
        Ok(())
    }

    /// Reads the whole lines from the last position on.
    fn read_lines(&mut self, number: usize) -> Result<(), Problem> {
        let Followed {
            handle,
            path,
            position,
            ..
        } = &self.files[number];
        let (path, mut position) = (path.clone(), *position);
        let failed = |error: io::Error| failed_to_read(&path, &error);
        let length = handle.as_file().metadata().map_err(failed)?.len();
        if length == position {
            return Ok(());
        }
        if length < position {
            self.forget(number);
            position = 0;
        }
        let mut file = self.files[number].handle.as_file();
        file.seek(SeekFrom::Start(position)).map_err(failed)?;
        let mut reader = BufReader::with_capacity(1 << 16, file);
        let mut lines = Vec::new();
        let mut line = Vec::new();
        let mut outcome = Ok(());
        loop {
            line.clear();
            let read = reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut line);
            let read = read.map_err(failed)? as u64;
            if read == 0 || !is_whole(&line) {
                if read == MAX_LINE {
                    let message =
                        format!("the line at byte {position} has more than {MAX_LINE} bytes");
                    outcome = Err(message);
                }
                break;
            }
            match spans_of(&line, number, position) {
                Ok(spans) => lines.extend(spans),
                Err(error) => {
                    outcome = Err(format!("the line at byte {position} {error}"));
                    break;
                }
            }
            position += read;
        }
        let file = &mut self.files[number];
        file.position = position;
        if outcome.is_err() && position == 0 && self.root.is_dir() {
            file.ignored = !line.trim_ascii_start().starts_with(b"{");
        }
        let ignored = file.ignored;
        for (id, at) in lines {
            self.spans.entry(id).or_default().push(at);
        }
        match outcome {
            Err(error) if !ignored => {
                Err(Problem::lasting(format!("'{}': {error}", path.display())))
            }
            _ => Ok(()),
        }
    }

    /// Forgets the spans of a file that was truncated.
    fn forget(&mut self, number: usize) {
        self.spans.retain(|_, spans| {
            spans.retain(|at| at.file != number);
            !spans.is_empty()
        });
        self.files[number].position = 0;
    }
}

/// Whether a line is complete. The last line of a finished file may lack its end.
fn is_whole(line: &[u8]) -> bool {
    line.ends_with(b"\n")
        || line.trim_ascii_end().ends_with(b"}")
            && serde_json::from_slice::<&RawValue>(line).is_ok()
}

/// A line, as far as the index needs it. Other fields, such as those of logs, are skipped.
#[derive(Deserialize)]
struct Line<'l> {
    #[serde(borrow, default, rename = "resourceSpans", alias = "resource_spans")]
    resource_spans: Option<Vec<ResourceSpans<'l>>>,
}

#[derive(Deserialize)]
struct ResourceSpans<'l> {
    #[serde(borrow, default)]
    resource: Option<&'l RawValue>,
    #[serde(borrow, default, rename = "scopeSpans", alias = "scope_spans")]
    scope_spans: Option<Vec<ScopeSpans<'l>>>,
}

#[derive(Deserialize)]
struct ScopeSpans<'l> {
    #[serde(borrow, default)]
    scope: Option<&'l RawValue>,
    #[serde(borrow, default)]
    spans: Option<Vec<&'l RawValue>>,
}

#[derive(Deserialize)]
struct SpanIds<'l> {
    #[serde(borrow, default, rename = "traceId", alias = "trace_id")]
    trace_id: Cow<'l, str>,
}

/// Where the spans of a line are, which starts at `position` of its file.
fn spans_of(line: &[u8], file: usize, position: u64) -> Result<Vec<(TraceId, SpanAt)>, String> {
    if line.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    if !line.trim_ascii_start().starts_with(b"{") {
        return Err("is no JSON object: only plain OTLP JSON lines are read".to_owned());
    }
    let malformed =
        |error: serde_json::Error| format!("is no whole export of OTLP in JSON: {error}");
    let parsed: Line = serde_json::from_slice(line).map_err(malformed)?;
    let extent = |value: &RawValue| {
        let text = value.get();
        // A borrowed value is a part of the line.
        let offset = text.as_ptr().addr() - line.as_ptr().addr();
        Extent {
            start: position + offset as u64,
            length: text.len() as u64,
        }
    };
    let mut found = Vec::new();
    for resource_spans in parsed.resource_spans.iter().flatten() {
        for scope_spans in resource_spans.scope_spans.iter().flatten() {
            for span in scope_spans.spans.iter().flatten() {
                let ids: SpanIds = serde_json::from_str(span.get()).map_err(malformed)?;
                let id = fields::trace_id(&ids.trace_id).filter(|id| *id != TraceId::INVALID);
                let id = id.ok_or("has a span without a trace id")?;
                let at = SpanAt {
                    file,
                    resource: resource_spans.resource.map(extent),
                    scope: scope_spans.scope.map(extent),
                    span: extent(span),
                };
                found.push((id, at));
            }
        }
    }
    Ok(found)
}

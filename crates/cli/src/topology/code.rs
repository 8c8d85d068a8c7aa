//! The component of a mesh: a file that the topology names, or one that is built in this repository.

use std::path::{Component, Path, PathBuf};
use std::{env, fs};

use anyhow::{Context as _, Result, bail};

use super::{Topology, Wasi, viewer};
use crate::embedded::{COMPONENTS, FOLDER};
use tracing_tail_host::document::Document;

/// The component's file.
const FILE: &str = "tracing_tail.wasm";

/// The component of a mesh. Paths start at the manifest's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// The component's file.
    pub source: String,
    /// The file of the viewer's component, if there is one.
    pub viewer: Option<String>,
    /// The repository that it is built in; none if the topology names a file.
    pub repository: Option<String>,
    /// What it is built for there.
    pub wasi: Wasi,
}

impl Code {
    /// Finds the code of a topology in the folder `beside`, for a manifest in the folder `dir` and a host of `wasi`, or of any
    /// version.
    ///
    /// # Errors
    /// If the topology names a file, and a version is asked for; or if it names none, and no repository is found at or above
    /// `beside` or the current folder.
    pub fn find(
        topology: &Topology,
        beside: &Path,
        dir: &Path,
        wasi: Option<Wasi>,
    ) -> Result<Code> {
        let beside = absolute(beside)?;
        let dir = absolute(dir)?;
        if let (Some(source), Some(wasi)) = (&topology.source, wasi) {
            bail!(
                "--wasi {} is for components that are built in the repository; the topology names one, '{source}', which is already built for a version of WASI",
                wasi.version()
            );
        }
        let wasi = wasi.unwrap_or_default();
        if let Some(source) = &topology.source {
            let source = beside.join(source);
            let viewer = viewer::beside(&source);
            let has_viewer = topology.viewer && viewer.exists();
            return Ok(Code {
                source: slashes(&relative(&dir, &source)),
                viewer: has_viewer.then(|| slashes(&relative(&dir, &viewer))),
                repository: None,
                wasi,
            });
        }
        let here = absolute(Path::new("."))?;
        let Some(root) = beside
            .ancestors()
            .chain(here.ancestors())
            .find(is_repository)
        else {
            bail!(
                "there is no repository of tracing-tail at or above {} or {}; say in the topology where the component is: source = \"tracing_tail.wasm\"",
                beside.display(),
                here.display()
            );
        };
        let root = relative(&dir, root);
        let built = root.join(wasi.folder());
        Ok(Code {
            source: slashes(&built.join(FILE)),
            viewer: topology.viewer.then(|| slashes(&built.join(viewer::FILE))),
            repository: Some(slashes(&root)),
            wasi,
        })
    }
}

impl Code {
    /// The components inside the program, for a topology that names no file; none if the program has none.
    pub fn embedded(topology: &Topology) -> Option<Code> {
        if COMPONENTS.is_empty() || topology.source.is_some() {
            return None;
        }
        let inside = |file: &str| slashes(&Path::new(FOLDER).join(file));
        Some(Code {
            source: inside(FILE),
            viewer: topology.viewer.then(|| inside(viewer::FILE)),
            repository: None,
            wasi: Wasi::default(),
        })
    }
}

fn absolute(folder: &Path) -> Result<PathBuf> {
    let folder = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    let here = || env::current_dir().map(|here| here.join(folder));
    fs::canonicalize(folder)
        .or_else(|_| here())
        .with_context(|| format!("failed to find the folder {}", folder.display()))
}

/// Whether the workspace's package `tracing-tail` is in this folder.
fn is_repository(folder: &&Path) -> bool {
    let text = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    let name = Document::new("Cargo.toml", &text)
        .root()
        .and_then(|mut root| {
            let package = root.table("package", "'package'")?;
            package.map_or(Ok(None), |mut package| package.string("name"))
        });
    matches!(name, Ok(Some(name)) if name.value == "tracing-tail")
}

/// The relative path from one absolute path to another.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let (from, to): (Vec<_>, Vec<_>) = (from.components().collect(), to.components().collect());
    let same = from.iter().zip(&to).take_while(|(one, other)| one == other);
    let same = same.count();
    let up = from[same..].iter().map(|_| Component::ParentDir);
    up.chain(to[same..].iter().copied()).collect()
}

fn slashes(path: &Path) -> String {
    let text = path.display().to_string().replace('\\', "/");
    match text.is_empty() {
        true => ".".to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_relative_path() {
        let table = [
            ("/a/b", "/a/b", "."),
            ("/a/b/c", "/a", "../.."),
            ("/a/b", "/a/b/c/d", "c/d"),
            ("/a/b", "/a/x/y", "../x/y"),
        ];
        for (from, to, path) in table {
            assert_eq!(slashes(&relative(Path::new(from), Path::new(to))), path);
        }
    }

    #[test]
    fn takes_the_file_of_the_topology_or_the_repository_around_it() {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .unwrap();
        let topology = |source: &str| {
            let text = format!("{source}\n[services.a]\nentry = true\n");
            Topology::parse(Document::new("x.toml", &text), "x").unwrap()
        };
        let beside = repository.join("docs");
        let find =
            |source: &str, dir: &Path| Code::find(&topology(source), &beside, dir, None).unwrap();
        assert_eq!(
            find("", &beside),
            Code {
                source: "../target/wasm32-wasip2/component/tracing_tail.wasm".to_owned(),
                viewer: Some(
                    "../target/wasm32-wasip2/component/tracing_tail_viewer.wasm".to_owned()
                ),
                repository: Some("..".to_owned()),
                wasi: Wasi::V03,
            }
        );
        let old = Code::find(&topology(""), &beside, repository, Some(Wasi::V02)).unwrap();
        assert_eq!(
            (old.source.as_str(), old.wasi),
            (
                "target/wasip2/wasm32-wasip2/component/tracing_tail.wasm",
                Wasi::V02
            )
        );
        assert_eq!(find("viewer = false", repository).viewer, None);
        assert_eq!(
            find("source = \"x.wasm\"", repository),
            Code {
                source: "docs/x.wasm".to_owned(),
                viewer: None,
                repository: None,
                wasi: Wasi::V03,
            }
        );
        let named = topology("source = \"x.wasm\"");
        let refused = Code::find(&named, &beside, repository, Some(Wasi::V02)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "--wasi 0.2 is for components that are built in the repository; the topology names one, 'x.wasm', which is already built for a version of WASI"
        );
    }
}

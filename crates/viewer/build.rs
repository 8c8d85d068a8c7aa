//! Prepares the page's files for the component: drops comments, indentation and most line breaks, a third of their
//! bytes, and compresses what is left with gzip, since whole they would take the component over its budget. Takes the
//! files of `web/` that a browser loads and writes them to `OUT_DIR/web`. Refuses scripts that would need a parser for
//! that. The files of others in `web/vendor` are only compressed.

use std::env::var;
use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

/// The folders that have files for the browser.
const FOLDERS: &[&str] = &[
    "web",
    "web/model",
    "web/view",
    "web/style",
    "web/texts",
    VENDORED,
];

/// The folder whose files stay as they are.
const VENDORED: &str = "web/vendor/dagre";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    // Interfaces of WASI 0.2.0 stay what they are, though the standard library wants 0.2.4 of one.
    if var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm")
        && var("CARGO_FEATURE_WASIP2").is_ok()
    {
        println!("cargo::rustc-link-arg-cdylib=--merge-imports-based-on-semver=false");
    }
    let out = var("OUT_DIR")?;
    for folder in FOLDERS {
        println!("cargo::rerun-if-changed={folder}");
        let target = Path::new(&out).join(folder);
        fs::create_dir_all(&target)?;
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let Some(compact) = compaction(&path) else {
                continue;
            };
            println!("cargo::rerun-if-changed={}", path.display());
            let compacted = compact(&fs::read_to_string(&path)?)
                .map_err(|problem| format!("{}: {problem}", path.display()))?;
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(compacted.as_bytes())?;
            fs::write(Path::new(&out).join(&path), encoder.finish()?)?;
        }
    }
    Ok(())
}

type Compaction = fn(&str) -> Result<String, String>;

fn compaction(path: &Path) -> Option<Compaction> {
    let extension = path.extension()?.to_str()?;
    if path.starts_with(VENDORED) {
        return matches!(extension, "js" | "txt").then_some(unchanged);
    }
    match extension {
        "js" => Some(script),
        "css" => Some(style),
        "html" | "svg" => Some(markup),
        _ => None,
    }
}

fn script(text: &str) -> Result<String, String> {
    let text = without_comments(text, "/**")?;
    let lines = text.lines().map(str::trim);
    let code: Vec<&str> = lines.filter(|line| !line.starts_with("//")).collect();
    for line in &code {
        if line.contains(" // ") || line.contains("/*") {
            return Err(format!("a comment needs lines of its own: {line}"));
        }
        if line.matches('`').count() % 2 == 1 {
            return Err(format!(
                "a template literal needs to end on its line: {line}"
            ));
        }
    }
    Ok(join(code, &['{', '(', '[', ',', ';']))
}

fn style(text: &str) -> Result<String, String> {
    let text = without_comments(text, "/*")?;
    Ok(join(text.lines().map(str::trim), &['{', '}', ',', ';']))
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the kinds of file share a signature"
)]
fn unchanged(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the kinds of file share a signature"
)]
fn markup(text: &str) -> Result<String, String> {
    Ok(join(text.lines().map(str::trim), &[]))
}

fn without_comments(text: &str, start: &str) -> Result<String, String> {
    let mut parts = text.split(start);
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let line = kept.rsplit('\n').next().unwrap_or_default();
        if line.contains("//") || line.matches(['"', '\'', '`']).count() % 2 == 1 {
            return Err(format!(
                "'{start}' inside a string or another comment: {line}"
            ));
        }
        let (_, code) = part.split_once("*/").ok_or("a comment does not end")?;
        kept.push_str(code);
    }
    Ok(kept)
}

/// Joins lines; a line break after one of `closers` means nothing.
fn join<'a>(lines: impl IntoIterator<Item = &'a str>, closers: &[char]) -> String {
    let mut joined = String::new();
    for line in lines.into_iter().filter(|line| !line.is_empty()) {
        joined.push_str(line);
        if !line.ends_with(closers) {
            joined.push('\n');
        }
    }
    joined
}

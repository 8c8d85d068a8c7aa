//! The components inside the program, for folders without a repository, and the manifest that they are run with.

use std::path::Path;

/// The components of the repository's manifest, by the names of their files. A debug build has none: see `build.rs`.
pub const COMPONENTS: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/components.rs"));

/// The repository's manifest.
const MANIFEST: &str = include_str!("../../../spin.toml");
/// The folder of its components there.
const BUILT: &str = "target/wasm32-wasip2/component/";
/// The folder that stands for the program in a path.
pub const FOLDER: &str = "(inside the program)";

/// The content of a component's file, if its path names one inside the program.
pub fn find(source: &Path) -> Option<&'static [u8]> {
    if source.parent()?.file_name()? != FOLDER {
        return None;
    }
    let name = source.file_name()?;
    let mut components = COMPONENTS.iter();
    components.find_map(|(known, wasm)| (name == *known).then_some(*wasm))
}

/// The repository's manifest for components in another folder, where they are not built.
pub fn manifest(folder: &str) -> String {
    let kept = MANIFEST.split("\n\n").filter(|block| !is_build(block));
    let text = kept.collect::<Vec<_>>().join("\n\n");
    let text = text.replace(
        &format!("source = \"{BUILT}"),
        &format!("source = \"{folder}"),
    );
    format!("{}\n", text.trim_end())
}

fn is_build(block: &str) -> bool {
    let table = block.lines().next().unwrap_or_default();
    table.starts_with("[component.") && table.ends_with(".build]")
}

#[cfg(test)]
mod tests {
    use tracing_tail_host::document::Document;
    use tracing_tail_host::manifest::Manifest;

    use super::*;

    #[test]
    fn the_manifest_is_the_repository_s_without_its_builds() {
        let parse = |text: &str| Manifest::parse(Document::new("spin.toml", text), Path::new(""));
        let (ours, theirs) = (parse(&manifest("")).unwrap(), parse(MANIFEST).unwrap());
        assert_eq!(ours.components.len(), theirs.components.len());
        for (one, other) in ours.components.iter().zip(&theirs.components) {
            assert_eq!(one.source, Path::new(other.source.file_name().unwrap()));
            assert_eq!(one.variables.len(), other.variables.len());
            assert_eq!(one.build, None);
        }
        assert_eq!(ours.triggers.len(), theirs.triggers.len());
    }

    #[test]
    fn finds_components_in_the_program_alone() {
        assert_eq!(find(Path::new("tracing_tail.wasm")), None);
        assert_eq!(find(Path::new("x/tracing_tail.wasm")), None);
        for (name, wasm) in COMPONENTS {
            assert!(wasm.starts_with(b"\0asm"), "{name}");
            assert_eq!(find(&Path::new("x").join(FOLDER).join(name)), Some(*wasm));
        }
    }
}

//! Which files belong to an address: the file itself with its rotated ones, or all files of a folder.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

/// The deepest folder below the one that the address names.
const MAX_DEPTH: usize = 8;

/// The files of an address that exist now.
pub(super) fn list(root: &Path) -> Vec<PathBuf> {
    match root.is_dir() {
        true => walk(root, MAX_DEPTH, |entry| !is_compressed(entry.path())),
        false => {
            let name = root.file_name().unwrap_or_default().to_owned();
            walk(parent(root), 1, |entry| is_of(entry.file_name(), &name))
        }
    }
}

/// The folder of a path.
pub(super) fn parent(path: &Path) -> &Path {
    let parent = path.parent().filter(|path| !path.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// Visible files in a stable order. What disappears meanwhile is left out.
fn walk(folder: &Path, depth: usize, wanted: impl Fn(&DirEntry) -> bool) -> Vec<PathBuf> {
    let walk = WalkDir::new(folder)
        .follow_links(true)
        .max_depth(depth)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry.file_name()));
    walk.filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file() && wanted(entry))
        .map(DirEntry::into_path)
        .collect()
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

fn is_compressed(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    matches!(extension, Some("gz" | "zst" | "bz2" | "xz" | "zip"))
}

/// Whether a file is the one of this name, or was renamed from it: `traces-2026-01-31T10-00-00.000.json`, as the
/// Collector does, or `traces.json.1`, as logrotate does.
fn is_of(file: &OsStr, name: &OsStr) -> bool {
    if file == name {
        return true;
    }
    let (Some(file), Some(name)) = (file.to_str(), name.to_str()) else {
        return false;
    };
    let number = file
        .strip_prefix(name)
        .and_then(|rest| rest.strip_prefix('.'));
    if number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    {
        return true;
    }
    let (stem, extension) = match name.rfind('.') {
        Some(at) if at > 0 => name.split_at(at),
        _ => (name, ""),
    };
    let time = file
        .strip_suffix(extension)
        .and_then(|file| file.strip_prefix(stem))
        .and_then(|rest| rest.strip_prefix('-'));
    time.is_some_and(|time| {
        let is_time = |b: u8| b.is_ascii_digit() || b"T-.".contains(&b);
        time.starts_with(|c: char| c.is_ascii_digit()) && time.bytes().all(is_time)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_rotated_ones_beside_it() {
        let table = [
            ("traces.json", true, "itself"),
            (
                "traces-2026-01-31T10-00-00.000.json",
                true,
                "the Collector's",
            ),
            ("traces.json.1", true, "logrotate's"),
            ("traces.json-1", false, "another"),
            ("traces-b.json", false, "of another service"),
            (
                "traces-2026-01-31T10-00-00.000.json.gz",
                false,
                "compressed",
            ),
            ("traces.json.gz", false, "compressed"),
            ("traces.json.", false, "no number"),
            ("traces-.json", false, "no time"),
            ("metrics.json", false, "another"),
        ];
        for (file, expected, reason) in table {
            assert_eq!(
                is_of(file.as_ref(), "traces.json".as_ref()),
                expected,
                "{reason}"
            );
        }
        assert!(is_of(
            "out-2026-01-31T10-00-00.000".as_ref(),
            "out".as_ref()
        ));
    }

    #[test]
    fn a_folder_has_all_visible_files_below_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("b/.c")).unwrap();
        for name in [
            "z.json",
            "a",
            "b/x.jsonl",
            "b/.c/y",
            ".hidden",
            "b/x.json.gz",
        ] {
            std::fs::write(root.join(name), "").unwrap();
        }
        let expected = ["a", "b/x.jsonl", "z.json"].map(|name| root.join(name));
        assert_eq!(list(root), expected);
        assert_eq!(list(&root.join("z.json")), [root.join("z.json")]);
        assert_eq!(list(&root.join("none/z.json")), Vec::<PathBuf>::new());
    }

    #[test]
    fn a_name_alone_is_in_the_current_folder() {
        assert_eq!(parent(Path::new("x.json")), Path::new("."));
        assert_eq!(parent(Path::new("a/x.json")), Path::new("a"));
    }
}

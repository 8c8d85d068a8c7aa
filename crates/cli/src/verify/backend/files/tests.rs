use std::fs::{self, OpenOptions};
use std::io::Write as _;

use super::*;

fn id(number: u8) -> TraceId {
    TraceId::from_bytes([number; 16])
}

/// A line with a span of each of these traces, all of one service.
fn line(service: &str, traces: &[u8]) -> String {
    let spans = traces.iter().map(|trace| {
        let id = id(*trace);
        format!(r#"{{"name":"n","traceId":"{id}","spanId":"0000000000000001"}}"#)
    });
    let spans = spans.collect::<Vec<_>>().join(", ");
    format!(
        r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{service}"}}}}]}},"scopeSpans":[{{"scope":{{"name":"é"}},"spans":[{spans}]}}]}}]}}"#
    )
}

fn append_to(path: &Path, text: &str) {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.unwrap().write_all(text.as_bytes()).unwrap();
}

async fn services(files: &Files, trace: u8) -> Vec<String> {
    let spans = files.trace(id(trace)).await.unwrap();
    assert!(
        spans
            .iter()
            .all(|span| span.trace_id == id(trace) && span.scope == "é")
    );
    spans.into_iter().map(|span| span.service).collect()
}

#[tokio::test]
async fn reads_whole_lines_as_they_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("traces.json");
    append_to(&path, &format!("{}\n\r\n", line("a", &[1, 2, 1])));
    let files = Files::open(path.clone(), false).await.unwrap();
    assert_eq!(services(&files, 1).await, ["a", "a"], "both spans");
    assert_eq!(services(&files, 2).await, ["a"]);
    assert_eq!(services(&files, 3).await, [""; 0]);

    let next = line("b", &[3]);
    let (start, end) = next.split_at(next.len() / 2);
    append_to(&path, start);
    assert_eq!(services(&files, 3).await, [""; 0], "half a line");
    append_to(&path, end);
    assert_eq!(
        services(&files, 3).await,
        ["b"],
        "a whole line without its end"
    );
    append_to(
        &path,
        &format!("\n{}\n{{\"resourceLogs\":[{{}}]}}\n", line("c", &[3])),
    );
    assert_eq!(services(&files, 3).await, ["b", "c"], "once each");
}

#[tokio::test]
async fn follows_files_that_are_rotated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("traces.json");
    let renamed = folder.path().join("traces-2026-01-31T10-00-00.000.json");
    append_to(&path, &format!("{}\n", line("a", &[1])));
    let files = Files::open(path.clone(), false).await.unwrap();
    assert_eq!(services(&files, 1).await, ["a"]);

    // What was written between the last question and the rotation is read from the renamed file.
    append_to(&path, &format!("{}\n", line("b", &[1])));
    fs::rename(&path, &renamed).unwrap();
    append_to(&path, &format!("{}\n", line("c", &[1])));
    assert_eq!(services(&files, 1).await, ["a", "b", "c"]);
    fs::remove_file(&renamed).unwrap();
    assert_eq!(
        services(&files, 1).await,
        ["a", "b", "c"],
        "known before it was removed"
    );

    append_to(&folder.path().join("metrics.json"), "no JSON\n");
    assert_eq!(services(&files, 1).await.len(), 3, "another file");
}

#[tokio::test]
async fn reads_a_truncated_file_from_the_start_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("traces.json");
    append_to(
        &path,
        &format!("{}\n{}\n", line("a", &[1]), line("a", &[2])),
    );
    let files = Files::open(path.clone(), false).await.unwrap();
    assert_eq!(services(&files, 2).await, ["a"]);
    fs::write(&path, format!("{}\n", line("b", &[1]))).unwrap();
    assert_eq!(services(&files, 1).await, ["b"]);
    assert_eq!(services(&files, 2).await, [""; 0]);
}

#[tokio::test]
async fn reads_all_files_of_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("out");
    fs::create_dir_all(root.join("b")).unwrap();
    append_to(&root.join("a.json"), &format!("{}\n", line("a", &[1])));
    append_to(&root.join("README.md"), "# no JSON\n");
    let files = Files::open(root.clone(), false).await.unwrap();
    append_to(&root.join("b/b.jsonl"), &format!("{}\n", line("b", &[1])));
    assert_eq!(services(&files, 1).await, ["a", "b"]);
    assert_eq!(
        files.to_string(),
        format!("OTLP JSON lines in {}", root.display())
    );
}

#[tokio::test]
async fn says_which_line_of_which_file_is_malformed() {
    let good = line("a", &[1]);
    let table = [
        (
            format!("{good}\nno JSON\n"),
            format!("at byte {}", good.len() + 1),
        ),
        (
            "{\"resourceSpans\":[\n".to_owned(),
            "no whole export".to_owned(),
        ),
        (
            "\u{1f}compressed\n".to_owned(),
            "only plain OTLP JSON lines".to_owned(),
        ),
        (
            "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{}]}]}]}\n".to_owned(),
            "a span without a trace id".to_owned(),
        ),
    ];
    for (text, expected) in table {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("traces.json");
        append_to(&path, &text);
        let problem = Files::open(path, false).await.unwrap_err();
        assert!(problem.message.contains(&expected), "{problem}");
        assert!(problem.message.contains("traces.json"), "{problem}");
        assert!(!problem.is_transient(), "{problem}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("traces.json");
    append_to(&path, &good.replace("\"name\":\"n\"", "\"name\":7"));
    append_to(&path, "\n");
    let files = Files::open(path, false).await.unwrap();
    let problem = files.trace(id(1)).await.unwrap_err();
    assert!(
        problem.message.contains("malformed span at byte"),
        "{problem}"
    );
}

#[tokio::test]
async fn a_path_must_exist_unless_the_address_says_that_it_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("traces.json");
    let problem = Files::open(path.clone(), false).await.unwrap_err();
    assert!(problem.message.contains("there is no"), "{problem}");
    let files = Files::open(path.clone(), true).await.unwrap();
    assert_eq!(services(&files, 1).await, [""; 0]);
    append_to(&path, &format!("{}\n", line("a", &[1])));
    assert_eq!(services(&files, 1).await, ["a"]);
    let problem = Files::open(folder.path().join("none/x"), true)
        .await
        .unwrap_err();
    assert!(
        problem.message.contains("there is no"),
        "no folder: {problem}"
    );
}

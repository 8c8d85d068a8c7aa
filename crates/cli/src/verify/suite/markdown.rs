//! The results as a page, `docs/backends.md`.

use super::results::Results;
use super::table::{blind_spots, not_run};

/// How the page was made.
#[derive(Debug)]
pub struct Origin {
    /// The day.
    pub date: String,
    /// The version of this program.
    pub version: String,
    /// The number of processors.
    pub processors: usize,
    /// The arguments after `tracing-tail`, one option each, without credentials.
    pub arguments: Vec<String>,
}

/// The page.
pub fn page(results: &Results, origin: &Origin) -> String {
    let Origin {
        date,
        version,
        processors,
        ..
    } = origin;
    let mut sections = vec![
        "# What backends keep".to_owned(),
        format!(
            "What each backend keeps, loses and alters of what OTLP allows. Made on {date} by `tracing-tail verify \
             --suite`, version {version}, on one machine with {processors} processors that everything shares: times \
             and speeds are for comparison only."
        ),
        LEGEND.to_owned(),
        table(&results.cells()),
    ];
    let numbered = (1..).zip(results.note_lines());
    let numbered: Vec<_> = numbered
        .map(|(number, note)| format!("{number}. {}", escape(&note)))
        .collect();
    push(&mut sections, "## Notes", &numbered);
    push(&mut sections, "## Not run", &bullets(not_run(results)));
    push(
        &mut sections,
        "## What the readers can't see",
        &bullets(blind_spots(results)),
    );
    sections.push("## How this was made".to_owned());
    sections.push(format!(
        "```sh\ntracing-tail {}\n```",
        origin.arguments.join(" \\\n  ")
    ));
    sections.push(HOW.to_owned());
    sections.join("\n\n") + "\n"
}

const LEGEND: &str = "A cell says what was read back through the backend's query API: \
**kept** as sent; **altered**, and how; **lost**; **refused** when it was sent; **unreadable**, since the \
answer is malformed or an error; **not asked** where the answers can't show it; or a figure. A number in brackets is that of a \
note below the table.";

const HOW: &str = "Each row is sent as a trace of its own by OTLP/HTTP in protobuf, with a random id, and read back until \
it is there or the patience is over. The exports of the checks are 400 ms apart: a Collector on the way would put them in \
one batch, and what its backend refuses takes the whole batch with it.

| option | meaning |
|---|---|
| `--suite` | checks backends with spans of its own instead of the requests of `verify` |
| `--subject 'NAME, OTLP URL, BACKEND'` | a column: its name with its version, where it takes spans, and where it answers, as `--backend` takes it; may be repeated |
| `--not-run 'NAME: REASON'` | a column for a backend that was not started; may be repeated |
| `--no-ramp` | leaves out the speed |
| `--patience TIME` | how long to wait for what is not there |
| `--markdown FILE` | writes this page instead of a table of text |
| `--json` | prints one line of JSON instead of a table of text |

A subject that can't be reached has a column that says so, and the exit status is 2. The speed is that of the last step \
of 1,000, 2,000, 5,000, 10,000 and 20,000 spans a second, 3 s each, in batches of 500 spans, after which 20 sampled \
traces were whole within 20 s.";

fn push(sections: &mut Vec<String>, title: &str, lines: &[String]) {
    if !lines.is_empty() {
        sections.push(title.to_owned());
        sections.push(lines.join("\n"));
    }
}

fn bullets(lines: Vec<String>) -> Vec<String> {
    let lines = lines.into_iter();
    lines.map(|line| format!("- {}", escape(&line))).collect()
}

fn table(cells: &[Vec<String>]) -> String {
    let mut lines: Vec<_> = cells
        .iter()
        .map(|line| {
            let cells: Vec<_> = line.iter().map(|cell| escape(cell)).collect();
            format!("| {} |", cells.join(" | "))
        })
        .collect();
    let columns = cells.first().map_or(0, Vec::len);
    lines.insert(1.min(lines.len()), format!("|{}", "---|".repeat(columns)));
    lines.join("\n")
}

/// Escapes what Markdown takes for a cell's end, emphasis or HTML. Code in backticks comes from this program alone.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '|' | '<' | '*' | '_' | '[') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::results::tests::results;
    use super::*;

    #[test]
    fn a_page_has_the_table_its_notes_and_its_origin() {
        let origin = Origin {
            date: "1 Jan 2026".to_owned(),
            version: "1.0.0".to_owned(),
            processors: 2,
            arguments: vec!["verify --suite".to_owned(), "--no-ramp".to_owned()],
        };
        let page = page(&results(), &origin);
        for expected in [
            "Made on 1 Jan 2026",
            "|  | Jaeger 2 | Tempo | Zipkin |\n|---|---|---|---|\n| links | kept | lost | not run |\n",
            "\n1. bytes (Jaeger 2; Tempo): as text, which \\| is cut after 10 bytes\n",
            "## Not run\n\n- Zipkin: no answer\n",
            "- Tempo: Tempo hides something.",
            "tracing-tail verify --suite \\\n  --no-ramp\n",
        ] {
            assert!(page.contains(expected), "{expected} is not in {page}");
        }
    }

    #[test]
    fn what_a_backend_answers_is_no_markup() {
        assert_eq!(escape("<b>|*a*_[x]"), "\\<b>\\|\\*a\\*\\_\\[x]");
    }
}

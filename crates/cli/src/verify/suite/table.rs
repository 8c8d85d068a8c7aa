//! The results as text and as JSON.

use serde_json::{Value, json};

use super::results::Results;

/// The results as a table with notes below it.
pub fn text(results: &Results) -> String {
    let cells = results.cells();
    let mut lines = aligned(&cells);
    let mut section = |title: &str, items: Vec<String>| {
        if !items.is_empty() {
            lines.extend([String::new(), title.to_owned()]);
            lines.extend(items);
        }
    };
    let notes = (1..).zip(results.note_lines());
    section(
        "Notes",
        notes
            .map(|(number, note)| format!("({number}) {note}"))
            .collect(),
    );
    section("Not run", not_run(results));
    section("What the readers can't see", blind_spots(results));
    lines.join("\n")
}

fn aligned(cells: &[Vec<String>]) -> Vec<String> {
    let columns = cells.first().map_or(0, Vec::len);
    let widths: Vec<_> = (0..columns)
        .map(|at| {
            let cells = cells.iter().filter_map(|line| line.get(at));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let line = |cells: &Vec<String>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| {
            let width = *width;
            format!("{cell:<width$}")
        });
        let line = padded.collect::<Vec<_>>().join("  ");
        line.trim_end().to_owned()
    };
    cells.iter().map(line).collect()
}

/// Each subject that was not checked, with the reason.
pub fn not_run(results: &Results) -> Vec<String> {
    let columns = results.columns.iter();
    columns
        .filter_map(|column| {
            let reason = column.verdicts.as_ref().err()?;
            Some(format!("{}: {reason}", column.name))
        })
        .collect()
}

/// What the readers can't see, each once, with the subjects.
pub fn blind_spots(results: &Results) -> Vec<String> {
    let mut spots: Vec<(&str, Vec<&str>)> = Vec::new();
    for column in &results.columns {
        for spot in &column.blind_spots {
            match spots.iter_mut().find(|(known, _)| known == spot) {
                Some((_, names)) => names.push(&column.name),
                None => spots.push((spot, vec![&column.name])),
            }
        }
    }
    let line = |(spot, names): (&str, Vec<&str>)| format!("{}: {spot}", names.join("; "));
    spots.into_iter().map(line).collect()
}

/// The results as JSON, with the date of the run.
pub fn json(results: &Results, date: &str) -> Value {
    let subjects: Vec<_> = results
        .columns
        .iter()
        .map(|column| {
            let checks: Vec<_> = results
                .rows
                .iter()
                .enumerate()
                .filter_map(|(row, name)| {
                    let verdict = column.verdict(row)?;
                    Some(json!({
                        "check": name,
                        "verdict": verdict.word(),
                        "note": verdict.note(),
                    }))
                })
                .collect();
            json!({
                "name": column.name,
                "not_run": column.verdicts.as_ref().err(),
                "checks": checks,
                "not_seen": column.blind_spots,
            })
        })
        .collect();
    json!({ "date": date, "subjects": subjects })
}

#[cfg(test)]
mod tests {
    use super::super::results::tests::results;
    use super::*;

    #[test]
    fn a_table_of_text_is_aligned() {
        let text = text(&results());
        let expected = "       Jaeger 2     Tempo        Zipkin
links  kept         lost         not run
bytes  altered (1)  altered (1)  not run

Notes
(1) bytes (Jaeger 2; Tempo): as text, which | is cut after 10 bytes

Not run
Zipkin: no answer

What the readers can't see
Jaeger 2: Jaeger 2 hides something.
Tempo: Tempo hides something.
Zipkin: Zipkin hides something.";
        assert_eq!(text, expected);
    }

    #[test]
    fn json_has_every_verdict() {
        let json = json(&results(), "1 Jan 2026");
        assert_eq!(json["subjects"][1]["checks"][0]["verdict"], "lost");
        assert_eq!(
            json["subjects"][1]["checks"][1]["note"],
            "as text, which | is cut after 10 bytes"
        );
        assert_eq!(json["subjects"][2]["not_run"], "no answer");
        assert_eq!(json["subjects"][2]["checks"], json!([]));
        assert_eq!(json["date"], "1 Jan 2026");
    }
}

//! The outcome as one JSON object.

use serde_json::{Value, json};

use super::outcome::{Category, Item, Outcome, Verdict};

impl Outcome {
    /// The outcome as one JSON object: the counts by name, and of each category at most `show` items under `details`.
    pub fn to_json(&self, show: usize) -> Value {
        let (verdict, reason) = match &self.verdict {
            Verdict::Whole => ("whole", None),
            Verdict::NotWhole => ("not_whole", None),
            Verdict::NotJudged(reason) => ("not_judged", Some(reason)),
        };
        let details = Category::ALL.map(|category| {
            let items = self.items(category, show);
            let items: Value = items
                .iter()
                .map(|item| item_to_json(category, item))
                .collect();
            (category.name().to_owned(), items)
        });
        let share = self.share.map(|share| {
            json!({
                "share": share.share,
                "kept": share.kept,
                "of": share.of,
                "lowest": share.lowest,
                "highest": share.highest,
                "passes": share.passes(),
            })
        });
        let delays = self.delays.map(|delays| {
            let millis = |duration: std::time::Duration| duration.as_micros() as f64 / 1e3;
            json!({
                "p50": millis(delays.p50),
                "p95": millis(delays.p95),
                "max": millis(delays.max),
            })
        });
        let fields = self.fields.iter();
        let fields: Value = fields
            .map(|(field, count)| (field.to_string(), Value::from(*count)))
            .collect();
        let reasons = self.reasons.iter().map(|reason| reason.text.as_str());
        let mut json = json!({
            "verdict": verdict,
            "exit_status": self.verdict.exit_status(),
            "not_judged": reason,
            "backend": self.backend,
            "not_compared": self.notes,
            "sampling": share,
            "readable_after_ms": delays,
            "altered_fields": fields,
            "reasons": reasons.collect::<Vec<_>>(),
            "details": Value::Object(details.into_iter().collect()),
        });
        let counts = &self.counts;
        for (name, count) in [
            ("requests", counts.requests),
            ("reports", counts.reports),
            ("traces", counts.traces),
            ("not_sampled", counts.not_sampled),
            ("expected", counts.expected),
            ("found", counts.found),
            ("deliveries", counts.deliveries),
            ("consumer_spans", counts.consumer_spans),
            ("foreign", counts.foreign),
            ("beyond", counts.beyond),
            ("foreign_parents", counts.foreign_parents),
            ("left_out", counts.left_out),
        ] {
            json[name] = count.into();
        }
        for category in Category::ALL {
            json[category.name()] = category.count(counts).into();
        }
        json
    }
}

fn item_to_json(category: Category, item: &Item<'_>) -> Value {
    let mut json = json!({
        "trace_id": item.trace_id.to_string(),
        "request": item.origin.request,
        "page": item.origin.page,
    });
    if let Some(span) = item.span {
        json["span_id"] = span.span_id.to_string().into();
        json["parent_span_id"] = span.parent.map(|parent| parent.to_string()).into();
        json["service"] = span.service.clone().into();
        json["kind"] = span.kind.to_string().into();
        json["name"] = span.name.clone().into();
        json["end_unix_nano"] = span.end.to_string().into();
    }
    if category == Category::Altered {
        let differences = item.differences.iter().map(|difference| {
            json!({
                "field": difference.field.to_string(),
                "expected": difference.expected,
                "found": difference.found,
            })
        });
        json["differences"] = differences.collect();
    } else {
        json["why"] = item.notes.clone().into();
    }
    json
}

#[cfg(test)]
mod tests;

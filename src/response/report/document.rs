//! Writes a report of at most [`MAX_ANSWER_BYTES`], which is what a caller reads.
//!
//! The service's own hop and spans come first, then the lists of its downstreams in the order of calls. Lists that do
//! not fit are left out whole, and named in `left_out`. If its own calls do not fit, the last ones are left out with
//! their CLIENT spans and with all that lies below them; one entry then names the service itself.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::hop::{Below, Call, Try};
use super::lists::{Counts, Items, Lists};
use super::{OwnSpans, Report, VERSION};
use crate::json::Object;
use crate::payload::Payload;
use crate::wasi::MAX_ANSWER_BYTES;

/// What a report has besides its items.
const FRAME: [&str; 4] = [r#","hops":["#, r#"],"spans":["#, r#"],"left_out":["#, "]}"];
/// Starts the calls of a hop, and ends them and the hop.
const CALLS: [&str; 2] = [r#","calls":["#, "]}"];

impl Report {
    /// Writes the report, with the list that answers the request. `None` if they do not fit.
    pub fn to_json(&self, payload: Option<&Payload>) -> Option<Bytes> {
        self.within(MAX_ANSWER_BYTES, payload)
    }

    /// Writes a report of at most `limit` bytes. `None` if the service's own hop does not fit.
    pub fn within(&self, limit: usize, payload: Option<&Payload>) -> Option<Bytes> {
        let head = self.head(payload);
        let hop = self.hop.open_json();
        let calls: Vec<WrittenCall<'_>> = self.calls.iter().map(WrittenCall::new).collect();
        let frame = FRAME.iter().chain(&CALLS).map(|text| text.len());
        let frame = frame.sum::<usize>() + head.len() + hop.len();
        let mut page = Page {
            room: limit.checked_sub(frame)?,
            lists: Lists::default(),
        };
        let OwnSpans {
            listed: spans,
            unlisted,
            ..
        } = &self.spans;
        let own = spans.iter().map(|span| span.len() + 1);
        let own = own.chain(calls.iter().map(|call| call.size));
        let is_cut = *unlisted > 0 || own.sum::<usize>() > page.room;
        if is_cut {
            page.reserve(self.cut_entry(Counts::MAX).len() + 1)?;
        }
        let mut cut = page.add_spans(spans);
        cut.spans += unlisted;
        let (listed, cut_calls) = page.add_calls(&hop, &calls);
        cut_calls.iter().for_each(|call| cut.add(call.counts()));
        listed.iter().for_each(|call| page.add_below(call));
        if is_cut {
            page.lists.left_out.push(&self.cut_entry(cut));
        }
        let [of_hops, of_spans, of_left_out, end] = FRAME;
        let parts = [
            &head,
            of_hops,
            page.lists.hops.json(),
            of_spans,
            page.lists.spans.json(),
            of_left_out,
            page.lists.left_out.json(),
            end,
        ];
        Some(parts.concat().into())
    }

    /// What precedes the lists.
    fn head(&self, payload: Option<&Payload>) -> String {
        let payload = payload.map(Payload::to_text);
        let mut head = Object::default();
        let new_trace = self.new_trace.as_deref().map(RawValue::get);
        head.number("version", VERSION)
            .optional_text("trace_id", self.trace_id.as_deref())
            .optional_json("new_trace", new_trace)
            .optional_json("payload", payload.as_deref());
        head.open()
    }

    /// What is left out of the service itself, and below it.
    fn cut_entry(&self, counts: Counts) -> String {
        let below = self.hop.span_id.as_deref();
        left_out(below, &self.hop.service, "size", Some(counts))
    }
}

/// The lists so far, and the number of bytes that may still be added to them.
struct Page {
    room: usize,
    lists: Lists,
}

impl Page {
    /// Sets bytes aside; `None` if there are not as many.
    fn reserve(&mut self, bytes: usize) -> Option<()> {
        self.room = self.room.checked_sub(bytes)?;
        Some(())
    }

    /// Adds the spans that fit. Returns the number of the others.
    fn add_spans(&mut self, spans: &[String]) -> Counts {
        let mut cut = Counts::default();
        for span in spans {
            match self.reserve(span.len() + 1) {
                Some(()) => self.lists.spans.push(span),
                None => cut.spans += 1,
            }
        }
        cut
    }

    /// Adds the hop with the first calls, as many as fit, and their CLIENT spans. Returns these calls and the others.
    fn add_calls<'c, 'a>(
        &mut self,
        hop: &str,
        calls: &'c [WrittenCall<'a>],
    ) -> (&'c [WrittenCall<'a>], &'c [WrittenCall<'a>]) {
        let fit = calls
            .iter()
            .take_while(|call| self.reserve(call.size).is_some());
        let (listed, cut) = calls.split_at(fit.count());
        let mut of_hop = Items::default();
        for call in listed {
            of_hop.push(&call.json);
            let tries = call.tries.iter();
            let spans = tries.filter_map(|(attempt, _)| attempt.span.as_ref());
            spans.for_each(|span| self.lists.spans.push(span));
        }
        let [start, end] = CALLS;
        let hop = [hop, start, of_hop.json(), end].concat();
        self.lists.hops.push(&hop);
        (listed, cut)
    }

    /// Adds the lists below a call, or the entries that take their place.
    fn add_below(&mut self, call: &WrittenCall<'_>) {
        for (attempt, entry) in &call.tries {
            let Some(entry) = entry else { continue };
            // `add_calls` has set the bytes of the entry aside.
            let room = self.room + entry.len() + 1;
            match &attempt.below {
                Below::Reported(below) if below.size() <= room => {
                    self.room = room - below.size();
                    self.lists.extend(below);
                }
                _ => self.lists.left_out.push(entry),
            }
        }
    }
}

/// A call as JSON, and its attempts.
struct WrittenCall<'a> {
    json: String,
    /// Each attempt, with its entry if the lists below it are left out.
    tries: Vec<(&'a Try, Option<String>)>,
    /// The number of bytes that the call adds to a report without the lists below it.
    size: usize,
}

impl<'a> WrittenCall<'a> {
    fn new(call: &'a Call) -> WrittenCall<'a> {
        let json = call.to_json();
        let tries = call.tries.iter();
        let tries: Vec<_> = tries
            .map(|attempt| (attempt, entry(&call.url, attempt)))
            .collect();
        let of_tries = tries
            .iter()
            .flat_map(|(attempt, entry)| [&attempt.span, entry]);
        let of_tries = of_tries.flatten().map(|json| json.len() + 1);
        WrittenCall {
            size: json.len() + 1 + of_tries.sum::<usize>(),
            json,
            tries,
        }
    }

    /// How many spans and hops are missing if the call is left out.
    fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for (attempt, _) in &self.tries {
            counts.spans += u64::from(attempt.span.is_some());
            if let Below::Reported(lists) = &attempt.below {
                counts.add(lists.counts());
            }
        }
        counts
    }
}

/// The entry of an attempt below which nothing is listed.
fn entry(url: &str, attempt: &Try) -> Option<String> {
    let (reason, counts) = match &attempt.below {
        Below::Nothing => return None,
        Below::NoReport => ("no_report", None),
        Below::Reported(lists) => ("size", Some(lists.counts())),
    };
    let below = attempt.span_id.as_deref();
    Some(left_out(below, url, reason, counts))
}

/// An entry for what a report does not list.
fn left_out(below: Option<&str>, hop: &str, reason: &str, counts: Option<Counts>) -> String {
    let mut entry = Object::default();
    entry
        .optional_text("below", below)
        .text("hop", hop)
        .text("reason", reason)
        .optional_number("spans", counts.map(|counts| counts.spans))
        .optional_number("hops", counts.map(|counts| counts.hops));
    entry.end()
}

#[cfg(test)]
mod tests;

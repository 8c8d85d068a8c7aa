//! Calls all downstreams at once. Each is sent the same list; [`merge`] puts together what they added.

use std::future::poll_fn;
use std::task::Poll;

use futures::FutureExt as _;

use super::attempt::call;
use super::{CallContext, CallResult, CallResults, ListWithProducer, Lists};
use crate::payload::Payload;
use crate::wasi::Runtime;

pub(super) async fn call_all<'s, R: Runtime>(
    context: &CallContext<'_, 's, R>,
    list: ListWithProducer,
    budget: u64,
) -> CallResults<'s> {
    let start = context.clock.now();
    let mut results = Vec::new();
    results.resize_with(context.config.downstreams.len(), || None);
    // Boxed, since a `join_all` of these futures would add 4 KB to the component.
    let calls = context.callees().zip(&mut results).map(|(callee, result)| {
        let list = &list;
        let call = async move {
            *result = Some(match context.reason_not_to_call(callee) {
                None => call(context, callee, list, budget).await,
                Some(reason) => {
                    let result = CallResult::not_called(callee.downstream, reason, start);
                    (result, None)
                }
            });
        };
        call.boxed_local()
    });
    let mut calls: Vec<_> = calls.collect();
    poll_fn(|cx| {
        calls.retain_mut(|call| call.as_mut().poll(cx).is_pending());
        match calls.is_empty() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
    drop(calls);
    let (calls, returned): (_, Vec<_>) = results.into_iter().flatten().unzip();
    CallResults {
        calls,
        lists: Lists::Parallel {
            sent: list.payload,
            returned: returned.into_iter().flatten().collect(),
        },
    }
}

/// The list that was sent, followed by what each of the returned lists added to it.
pub(crate) fn merge(sent: &Payload, returned: &[ListWithProducer]) -> Payload {
    let mut merged = sent.clone();
    for list in returned {
        merged.add(list.payload.added_to(sent));
    }
    merged
}

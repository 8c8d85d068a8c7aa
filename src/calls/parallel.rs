//! Calls all downstreams at once. Each is sent the same list; [`merge`] puts together what they added.

use futures::future::join_all;

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
    let calls = context.callees().map(|callee| {
        let list = &list;
        async move {
            match context.reason_not_to_call(callee) {
                None => call(context, callee, list, budget).await,
                Some(reason) => {
                    let result = CallResult::not_called(callee.downstream, reason, start);
                    (result, None)
                }
            }
        }
    });
    let (calls, returned): (_, Vec<_>) = join_all(calls).await.into_iter().unzip();
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

//! Calls one downstream after the other. Each is sent the list that the one before returned.

use super::attempt::call;
use super::{CallContext, CallResult, CallResults, ListWithProducer, Lists};
use crate::wasi::Runtime;

pub(super) async fn call_each<'s, R: Runtime>(
    context: &CallContext<'_, 's, R>,
    mut list: ListWithProducer,
    budget: u64,
) -> CallResults<'s> {
    let mut calls = Vec::new();
    for callee in context.callees() {
        if let Some(reason) = context.reason_not_to_call(callee) {
            let now = context.clock.now();
            calls.push(CallResult::not_called(callee.downstream, reason, now));
            continue;
        }
        let (result, returned) = call(context, callee, &list, budget).await;
        calls.push(result);
        list = returned.unwrap_or(list);
    }
    CallResults {
        calls,
        lists: Lists::Sequential(list),
    }
}

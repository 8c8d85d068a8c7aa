//! Traces that are no tree.

use super::super::check::Check;
use super::super::draft::Draft;
use super::super::judge;

pub(super) fn checks(draft: &mut Draft) -> Vec<Check> {
    let never_sent = draft.root();
    let orphan = draft.child(&never_sent);
    let orphan = Check::new(vec![orphan]).row("a span whose parent is never sent", judge::parent);

    let one = draft.root();
    let other = draft.root_of(one.trace_id);
    let roots = Check::new(vec![one, other]).row("two spans without a parent", judge::parent);

    let root = draft.root();
    let mut first = draft.child(&root);
    let second = draft.child(&first);
    first.parent = Some(second.span_id);
    let cycle = Check::new(vec![root, first, second])
        .row("two spans that are each other's parent", judge::parent);
    vec![orphan, roots, cycle]
}

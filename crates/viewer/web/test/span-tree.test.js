import assert from "node:assert/strict";
import test from "node:test";

import { SpanTree } from "../model/span-tree.js";
import { span, tree as rows } from "./spans.js";

// a
// ├─ b
// │  └─ c
// └─ d
// e
function sample() {
  const tree = new SpanTree();
  tree.replace([
    span({ id: "a", depth: 0, descendants: 3 }),
    span({ id: "b", parent: "a", depth: 1, descendants: 1 }),
    span({ id: "c", parent: "b", depth: 2 }),
    span({ id: "d", parent: "a", depth: 1 }),
    span({ id: "e", depth: 0 }),
  ]);
  return tree;
}

/** @param {SpanTree} tree */
const visible = (tree) =>
  tree.rows.map((index) => tree.spans[index].id).join("");

test("collapsing hides descendants, however deep", () => {
  for (const [
    collapsed,
    expected,
    reason,
  ] of /** @type {[string[], string, string][]} */ ([
    [[], "abcde", "all are visible at first"],
    [["b"], "abde", "one branch"],
    [["a"], "ae", "a branch within a branch"],
    [["b", "a"], "ae", "both"],
    [["c"], "abcde", "a leaf hides nothing"],
  ])) {
    const tree = sample();
    for (const id of collapsed) tree.collapse(id);
    assert.equal(visible(tree), expected, reason);
  }
});

test("expanding brings back what is not collapsed by itself", () => {
  const tree = sample();
  tree.collapse("b");
  tree.collapse("a");
  tree.expand("a");
  assert.equal(visible(tree), "abde");
  tree.expandAll();
  assert.equal(visible(tree), "abcde");
});

test("collapsing all leaves the roots open", () => {
  const tree = sample();
  tree.collapseAll();
  assert.equal(visible(tree), "abde");
});

test("revealing expands the ancestors only", () => {
  const tree = sample();
  tree.collapse("a");
  tree.collapse("b");
  tree.reveal("d");
  assert.equal(visible(tree), "abde");
  tree.reveal("c");
  assert.equal(visible(tree), "abcde");
});

test("what is collapsed stays collapsed when spans arrive", () => {
  const tree = sample();
  tree.collapse("b");
  tree.replace([...tree.spans, span({ id: "f", depth: 0 })]);
  assert.equal(visible(tree), "abdef");
});

test("a hidden span is shown by its nearest visible ancestor", () => {
  const tree = sample();
  for (const [
    collapsed,
    id,
    expected,
    reason,
  ] of /** @type {[string, string, object | undefined, string][]} */ ([
    ["c", "c", { index: 2, row: 2 }, "it is visible"],
    ["b", "c", { index: 1, row: 1 }, "its parent is"],
    ["a", "c", { index: 0, row: 0 }, "its grandparent is"],
    ["a", "e", { index: 4, row: 1 }, "rows move up"],
    ["a", "x", undefined, "there is no such span"],
  ])) {
    tree.expandAll();
    tree.collapse(collapsed);
    assert.deepEqual(tree.visibleRow(id), expected, reason);
  }
});

test("parents in a cycle end the search for a visible ancestor", () => {
  const tree = new SpanTree();
  tree.replace([
    span({ id: "a", descendants: 1 }),
    span({ id: "b", parent: "c", depth: 1 }),
    span({ id: "c", parent: "b" }),
  ]);
  tree.collapse("a");
  assert.equal(tree.visibleRow("b"), undefined);
});

test("steps stay within the rows", () => {
  const tree = sample();
  tree.collapse("b");
  for (const [
    from,
    by,
    expected,
    reason,
  ] of /** @type {[string | null, number, string, string][]} */ ([
    [null, 1, "a", "nothing is selected"],
    [null, -1, "a", "nothing is selected"],
    ["b", 1, "d", "over what is collapsed"],
    ["c", 1, "d", "from what is hidden"],
    ["e", 1, "e", "the end"],
    ["b", -Infinity, "a", "Home"],
    ["b", Infinity, "e", "End"],
  ])) {
    assert.equal(tree.stepFrom(from, by)?.id, expected, reason);
  }
  assert.equal(new SpanTree().stepFrom(null, 1), undefined, "no rows");
});

test("a filter keeps what it finds and what is above it", () => {
  const tree = new SpanTree();
  tree.replace(
    rows(
      { below: [{ below: [{ name: "x" }] }, { below: [{}] }] },
      { name: "x", below: [{}] },
      {},
    ),
  );
  tree.setFilter((one) => one.name === "x");
  assert.deepEqual(tree.rows, [0, 1, 2, 5]);
  assert.equal(tree.isFilteredOut("4"), true);
  assert.equal(tree.isFilteredOut("2"), false);
  assert.equal(tree.isFilteredOut("unknown"), false);
  assert.equal(tree.visibleRow("5")?.index, 0, "what is above stands for it");
  tree.collapse("2");
  assert.deepEqual(tree.rows, [0, 1, 5], "within it branches collapse");
  tree.setFilter(null);
  assert.deepEqual(tree.rows, [0, 1, 3, 4, 5, 6, 7]);
});

test("knows what is above a span, and its place among its siblings", () => {
  const shown = new SpanTree();
  shown.replace(
    rows({ id: "a", below: [{ id: "b" }, { id: "c", below: [{ id: "d" }] }] }),
  );
  assert.deepEqual([...shown.pathOf("d")], [2, 0]);
  assert.deepEqual([...shown.pathOf("none")], []);
  assert.deepEqual(shown.siblingsOf(2), { place: 2, size: 2 });
  assert.deepEqual(shown.siblingsOf(0), { place: 1, size: 1 });
});

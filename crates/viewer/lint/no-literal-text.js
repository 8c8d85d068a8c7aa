// A lint: what the page shows or announces comes from its texts, so that it can be
// shown in each language. Words in a string are found by their look: two in a row,
// or one that begins like a sentence. What only code reads is left out.

/** @typedef {import('estree').Node & { parent: any }} Node */

const WORDS = /\p{L}{2,} \p{L}|(^|[^\p{L}\p{N}_$-])\p{Lu}\p{Ll}+/u;
const LETTERS = /\p{L}{2,}/u;
/** Paths, queries, fonts and the like: they are no sentences. */
const SYNTAX = /^\/|^\S*=|^(\d+ )?[\d.]+px /;
/** Names of keys, programs and the like, which are the same in every language. */
const NAMES =
  /^(Arrow(Left|Right|Up|Down)|Page(Up|Down)|Home|End|Enter|Escape|Shift|Ctrl|Tab|Tracing-Tail|OTLP JSON|KiB|MiB|tracing-tail up .*)$/;
/** Properties whose texts people read. */
const READ = new Set([
  "title",
  "aria-label",
  "aria-description",
  "placeholder",
  "alt",
]);
/** Properties whose texts only code reads. */
const CODE = new Set(["class", "viewBox", "d", "transform"]);
/** Calls whose arguments are selectors, classes and the like. */
const CODE_CALLS =
  /^(querySelector|querySelectorAll|matches|closest|matchMedia|getPropertyValue|add|toggle|remove|contains|count|Error)$/;

/** @type {import('eslint').Rule.RuleModule} */
export const noLiteralText = {
  meta: {
    type: "problem",
    messages: { literal: "'{{text}}' belongs into web/texts" },
    schema: [],
  },
  create(context) {
    /** @param {Node} node @param {string} text */
    function check(node, text) {
      if (NAMES.test(text.trim()) || SYNTAX.test(text) || isCode(node)) return;
      if (WORDS.test(text) || (isRead(node) && LETTERS.test(text)))
        context.report({ node, messageId: "literal", data: { text } });
    }
    return {
      Literal: (node) => {
        if (typeof node.value === "string")
          check(/** @type {any} */ (node), node.value);
      },
      TemplateElement: (node) =>
        check(/** @type {any} */ (node), node.value.cooked ?? ""),
    };
  },
};

/** The nodes around one, up to the nearest function. @param {Node} node */
function* around(node) {
  for (
    let [child, parent] = [node, node.parent];
    parent && !/Function/.test(parent.type);
    [child, parent] = [parent, parent.parent]
  )
    yield { child, parent };
}

/** @param {Node} node */
function isCode(node) {
  if (/^(Import|Export)/.test(node.parent.type)) return true;
  for (const { child, parent } of around(node)) {
    if (parent.type === "Property")
      return parent.key === child || CODE.has(nameOf(parent.key));
    if (/^(Call|New)Expression$/.test(parent.type))
      return CODE_CALLS.test(nameOf(parent.callee));
  }
  return false;
}

/** Whether a text is a child of an element, or a property that is read. @param {Node} node */
function isRead(node) {
  for (const { child, parent } of around(node)) {
    if (parent.type === "Property") return READ.has(nameOf(parent.key));
    if (parent.type === "AssignmentExpression")
      return /^(textContent|title)$/.test(nameOf(parent.left));
    if (parent.type === "CallExpression") {
      const at = parent.arguments.indexOf(child);
      const name = nameOf(parent.callee);
      if (name === "el" || name === "svg") return at >= 2;
      if (name === "setAttribute")
        return at === 1 && READ.has(parent.arguments[0].value);
      if (name === "append")
        return !/^(query|data)$/.test(nameOf(parent.callee.object));
      return /^(announce|confirm|replaceChildren|prepend)$/.test(name);
    }
    // What is compared is not shown.
    if (parent.type === "BinaryExpression" && parent.operator !== "+")
      return false;
    if (parent.type === "ConditionalExpression" && parent.test === child)
      return false;
  }
  return false;
}

/** @param {any} node */
function nameOf(node) {
  return String(node.property?.name ?? node.name ?? node.value ?? "");
}

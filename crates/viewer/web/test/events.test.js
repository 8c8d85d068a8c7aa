import assert from "node:assert/strict";
import test from "node:test";

import { orderedEvents } from "../model/events.js";

test("events are in the order of time, with their position", () => {
  const event = (
    /** @type {string} */ name,
    /** @type {number | null} */ offset_ns,
  ) => ({
    name,
    offset_ns,
    attributes: [],
  });
  const events = [
    event("unknown", null),
    event("late", 120),
    event("second", 50),
    event("first", 0),
    event("as early", 0),
    event("before", -10),
  ];
  const ordered = orderedEvents({ events, duration_ns: 100 });
  assert.deepEqual(
    ordered.map(({ event: { name }, percent }) => [name, percent]),
    [
      ["before", null],
      ["first", 0],
      ["as early", 0],
      ["second", 50],
      ["late", null],
      ["unknown", null],
    ],
  );
  assert.equal(orderedEvents({ events, duration_ns: 0 })[1].percent, null);
});

// The events of a span: on a line as long as it, and below in full.

import { duration } from "../model/format.js";
import { orderedEvents } from "../model/events.js";
import { texts } from "../texts.js";
import { attributeList } from "./attributes.js";
import { el, untrusted } from "./dom.js";

/** @param {import('../types.d.ts').SpanDetails} span */
export function eventList(span) {
  const ordered = orderedEvents(span);
  const marks = ordered.filter(({ percent }) => percent !== null);
  return el(
    "div",
    {},
    marks.length > 0 &&
      el(
        "div",
        { class: "event-line", "aria-hidden": "true" },
        marks.map(({ event, percent }) => {
          const bad = event.name === "exception" ? " bad" : "";
          const mark = el("i", { class: `event${bad}` });
          mark.style.setProperty("left", `${percent}%`);
          return mark;
        }),
      ),
    el(
      "ol",
      { class: "events" },
      ordered.map(({ event: { name, offset_ns: offset, attributes } }) =>
        el(
          "li",
          {},
          el(
            "b",
            { class: name === "exception" ? "bad" : "" },
            untrusted(name, texts.noName),
          ),
          " ",
          offset === null
            ? texts.details.unknownTime
            : el(
                "span",
                { class: "offset" },
                `${offset < 0 ? "" : "+"}${duration(offset)}`,
              ),
          attributeList(attributes, { isFiltered: false }),
        ),
      ),
    ),
  );
}

// All of one span: attributes, events with offsets, links, resource.

import { copy, el, sent } from './dom.js'
import { clock, duration, leads, millis } from './format.js'
import { times } from './waterfall.js'

/** The panel for a span as the API describes it. */
export function details (span, service, close) {
  const status = span.status
  return el('aside', { class: 'details', 'aria-label': 'Span' },
    el('header', {},
      el('h2', { tabindex: '-1' }, sent(span.name, '(no name)')),
      el('button', { type: 'button', class: 'quiet', 'aria-label': 'Close details', onclick: close }, '✕')),
    el('p', { class: 'facts' }, sent(service), ' · ', span.kind, ' · ', duration(span.duration_ns), ...(span.time === 'no_start' ? [] : [' · ', clock(millis(span.start_ns))])),
    span.time && el('p', { class: 'note' }, times[span.time][1], '.'),
    status.code !== 'UNSET' && el('p', { class: status.code === 'ERROR' ? 'status bad' : 'status' }, status.code === 'ERROR' ? '✕ ERROR' : status.code, status.message && ': ', status.message && sent(status.message)),
    ids(span),
    section('Attributes', span.attributes.length, table(span.attributes), true),
    section('Events', span.events.length, el('ol', { class: 'events' }, ...span.events.map(event =>
      el('li', {}, el('b', {}, sent(event.name, '(no name)')), ' ', event.offset_ns !== null && el('span', { class: 'offset' }, `+${duration(event.offset_ns)}`), table(event.attributes)))), true),
    section('Links', span.links.length, el('ul', { class: 'links' }, ...span.links.map(link =>
      el('li', {},
        link.reason && sent(link.reason), link.reason && ': ',
        leads(link) ? el('a', { href: `#/trace/${link.trace_id}/${link.span_id}` }, link.span_id) : 'to nothing: it came without ids',
        leads(link) && link.trace_id !== span.trace_id && ' in another trace', table(link.attributes)))), true),
    section('Resource', span.resource.length, table(span.resource), false),
    span.scope && section('Scope', 1, table([{ key: 'name', value: span.scope.name }, { key: 'version', value: span.scope.version }, { key: 'schema', value: span.schema_url }, ...span.scope.attributes]), false),
    dropped(span.dropped))
}

function ids (span) {
  const id = (name, value) => value && el('div', { class: 'id' }, el('span', {}, name), el('code', {}, sent(value)),
    el('button', { type: 'button', class: 'quiet', 'aria-label': `Copy ${name}`, onclick: () => copy(value, name) }, 'Copy'))
  return el('div', { class: 'ids' }, id('Span id', span.span_id), id('Parent id', span.parent_id), id('Trace id', span.trace_id), id('Trace state', span.trace_state))
}

function section (title, number, content, open) {
  if (number === 0) return null
  return el('details', { open }, el('summary', {}, title, ' ', el('span', { class: 'tag' }, String(number))), content)
}

// What is no text is shown as `text` has it: JSON's numbers would be rounded here.
function table (attributes) {
  if (attributes.length === 0) return null
  return el('dl', { class: 'attributes' }, ...attributes.flatMap(({ key, value, text }) => [
    el('dt', {}, sent(key, '(no key)')),
    el('dd', { class: text === undefined ? '' : 'literal' }, sent(text ?? value))
  ]))
}

function dropped (counts) {
  const lost = Object.entries(counts).filter(([, number]) => number > 0)
  return lost.length > 0 && el('p', { class: 'note' }, 'Dropped by the sender: ', lost.map(([what, number]) => `${number} ${what}`).join(', '))
}

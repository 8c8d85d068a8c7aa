// A form that sends a request to /process, and opens the trace of its answer.

import { ask } from './api.js'
import { el, say } from './dom.js'

// As long as spans may take: what they wait for company, and retries.
const PATIENCE = 20000

export function tryIt (main) {
  let left = false
  const services = el('datalist', { id: 'services' })
  const outcome = el('div', { class: 'outcome', role: 'status' })
  const field = (label, hint, input) => el('label', { class: 'field' }, el('span', {}, label), input, hint && el('small', {}, hint))
  const send = el('button', { class: 'primary' }, 'Send')
  const form = el('form', { class: 'try', onsubmit: submit },
    field('Payload', 'A JSON array of strings', el('textarea', { name: 'payload', rows: 3, spellcheck: 'false', value: '["item1", "item2"]' })),
    el('fieldset', {}, el('legend', {}, 'Faults for one hop, of this request only'),
      field('Service', '* for every hop', el('input', { name: 'service', list: 'services', placeholder: 'payments', autocomplete: 'off' })),
      field('Errors', 'percent, or 503:100,429:1', el('input', { name: 'errors', placeholder: '100', autocomplete: 'off' })),
      field('Latency', '200ms, 50ms..250ms or p50:20ms,p99:900ms', el('input', { name: 'latency', placeholder: '200ms', autocomplete: 'off' }))),
    el('fieldset', {}, el('legend', {}, 'Repeatable'),
      field('Seed', 'the same seed gives the same delays and outcomes', el('input', { name: 'seed', autocomplete: 'off' })),
      el('label', { class: 'check' }, el('input', { type: 'checkbox', name: 'report' }), ' Ask for the report')),
    send, services)
  main.replaceChildren(el('section', { class: 'form' }, el('h1', {}, 'Try it'),
    el('p', { class: 'facts' }, 'Sends ', el('code', {}, 'POST /process'), ' to this app, and opens the trace as soon as it is there.'), form, outcome))
  document.title = 'Try it · Tracing-Tail'
  ask('services').then(answer => services.append(...answer.services.map(one => el('option', { value: one.name }))), problem => say(problem.message))

  async function submit (event) {
    event.preventDefault()
    send.disabled = true
    outcome.replaceChildren('Sending…')
    try {
      const given = new FormData(form)
      const headers = { 'content-type': 'application/json' }
      const baggage = faults(given)
      if (baggage) headers.baggage = baggage
      const answer = await fetch(given.get('report') ? '/process?report' : '/process', { method: 'POST', headers, body: given.get('payload') })
      const text = await answer.text()
      const id = answer.headers.get('traceresponse')?.split('-')[1]
      outcome.replaceChildren(el('p', { class: answer.ok ? 'status' : 'status bad' }, `${answer.status} ${answer.statusText}`), el('pre', {}, pretty(text)))
      if (id) await follow(id)
      else outcome.append(el('p', {}, 'The answer names no trace.'))
    } catch (problem) {
      outcome.replaceChildren(el('p', { class: 'status bad' }, problem.message))
    }
    send.disabled = false
  }

  async function follow (id) {
    const waiting = el('p', { class: 'note' }, 'Waiting for the trace…')
    outcome.append(waiting)
    const end = Date.now() + PATIENCE
    while (!left && Date.now() < end) {
      // The list says nothing of a trace that is not there yet; its own address would be a 404.
      // An answer that fails may be followed by one that does not.
      const { traces } = await ask('traces', { trace_id: id, limit: 1 }).catch(() => ({ traces: [] }))
      if (traces.length) {
        location.hash = `#/trace/${id}`
        return
      }
      await new Promise(resolve => setTimeout(resolve, 150))
    }
    waiting.replaceChildren('The trace has not arrived: is OTLP_ENDPOINT another receiver, or was the trace not sampled? ',
      el('a', { href: `#/trace/${id}` }, 'Look again'))
  }

  return { leave () { left = true } }
}

/** The faults as members of baggage. */
function faults (given) {
  const service = given.get('service').trim() || '*'
  const members = []
  for (const name of ['errors', 'latency']) {
    const value = given.get(name).trim()
    if (value) members.push(`tail.${key(service)}.${name}=${encodeURIComponent(value)}`)
  }
  const seed = given.get('seed').trim()
  if (seed) members.push(`tail.seed=${encodeURIComponent(seed)}`)
  return members.join(',')
}

// The name of a member is a token, which has no spaces and few signs.
function key (service) {
  if (!/^[\w!#$%&'*+\-.^`|~]+$/.test(service)) throw new Error(`'${service}' can't be named in baggage: letters, digits, '-', '_' and '.' can`)
  return service
}

function pretty (text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}

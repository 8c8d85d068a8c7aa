// One trace: its figures, its waterfall, the chosen span. It is asked for again while spans arrive.

import { Problem, ask, look as stillLooked, pin } from './api.js'
import { details } from './details.js'
import { copy, el, say, sent } from './dom.js'
import { clock, colour, count, duration, millis, plain } from './format.js'
import { waterfall } from './waterfall.js'

const POLL = 1000
// After failures it is asked for less often, but never given up.
const LONGEST_POLL = 15000
// A trace that is looked at stays for a minute after the last look.
const LOOK = 20000
// As long as a trace that was just asked for may take to arrive.
const PATIENCE = 60000

export function trace (main, [id, span]) {
  let shown = null
  let cursor = 0
  let left = false
  let timer = null
  let panelFor = null
  let failures = 0
  const opened = Date.now()
  let looked = opened
  const place = el('div', { class: 'panel', hidden: true })
  const chart = waterfall(pick, open)
  const title = el('h1', {})
  const facts = el('p', { class: 'facts' })
  const legend = el('p', { class: 'legend' })
  const found = el('span', { class: 'found', role: 'status' })
  const search = el('input', { type: 'search', placeholder: 'Search in this trace', 'aria-label': 'Search in this trace', oninput: look, onkeydown: event => { if (event.key === 'Enter') chart.nextHit() } })
  const toggle = (name, text) => el('label', {}, el('input', { type: 'checkbox', checked: true, onchange: event => chart.option(name, event.target.checked) }), ` ${text}`)
  const pinned = el('button', { type: 'button', 'aria-pressed': 'false', title: 'A pinned trace stays until it is unpinned', onclick: togglePin }, 'Pin')
  const state = el('p', { class: 'empty' }, 'Waiting for the trace…')
  const element = el('section', { class: 'trace' },
    el('div', { class: 'title' }, el('a', { href: '#/', class: 'back' }, '← Traces'), title, facts, legend),
    el('div', { class: 'bar' }, search, found, toggle('critical', 'Critical path'), toggle('links', 'Links'),
      el('span', { class: 'actions' },
        el('button', { type: 'button', onclick: () => chart.foldAll(true) }, 'Collapse all'),
        el('button', { type: 'button', onclick: () => chart.foldAll(false) }, 'Expand all'),
        pinned,
        el('button', { type: 'button', onclick: () => copy(id, 'Trace id') }, 'Copy id'),
        el('a', { class: 'button', href: `/traces/api/traces/${encodeURIComponent(id)}/otlp`, download: `trace-${id}.json` }, 'OTLP JSON'))),
    state, el('div', { class: 'split' }, chart.element, place))
  main.replaceChildren(element)
  load().then(() => {
    if (span) { chart.select(span, true); open(span) }
    chart.focus()
  })

  async function load () {
    try {
      const counts = await ask('counts')
      shown = await ask(`traces/${encodeURIComponent(id)}`)
      if (left) return
      cursor = counts.changed
      looked = Date.now()
      failures = 0
      state.hidden = true
      describe()
      chart.show(shown)
      look()
    } catch (problem) {
      if (left) return
      failed(problem)
    }
    schedule()
  }

  // What is shown stays; the next time that it is there, it is brought up to date.
  function failed (problem) {
    const late = problem instanceof Problem && problem.status === 404 && shown === null && Date.now() - opened < PATIENCE
    state.hidden = false
    state.textContent = late ? 'Waiting for the trace…' : problem.message
    if (late) return
    if (failures === 0) say(problem.message)
    failures++
  }

  function schedule () {
    clearTimeout(timer)
    if (!left) timer = setTimeout(poll, Math.min(LONGEST_POLL, POLL * 2 ** failures))
  }

  async function poll () {
    if (document.hidden || left) return schedule()
    if (shown === null) {
      await load()
      if (shown !== null && span) { chart.select(span, true); open(span) }
      return
    }
    try {
      const answer = await ask('traces', { trace_id: id, changed_after: cursor, limit: 1 })
      if (answer.traces.length > 0) return load()
      cursor = answer.changed
      failures = 0
      state.hidden = true
      if (Date.now() - looked > LOOK) {
        looked = Date.now()
        await stillLooked(id)
      }
    } catch (problem) {
      failed(problem)
    }
    schedule()
  }

  function describe () {
    const root = shown.spans[0]
    const errors = shown.spans.filter(one => one.error).length
    const missing = shown.spans.filter(one => one.orphan).length
    const refused = shown.incomplete?.refused ?? 0
    showPin()
    const skewed = shown.spans.filter(one => one.skew_ns > 0).length
    title.replaceChildren(el('b', {}, sent(shown.services[root.service])), ' ', sent(root.name, '(no name)'))
    document.title = `${plain(root.name)} · Tracing-Tail`
    facts.replaceChildren(clock(millis(shown.start_ns)), ' · ', el('b', {}, duration(shown.duration_ns)), ' · ', count(shown.spans.length, 'span'), ' · ',
      el('span', { class: errors ? 'bad' : '' }, errors ? `✕ ${count(errors, 'error')}` : 'no errors'),
      ...[refused && ` · incomplete: ${count(refused, 'span')} could not be taken`, missing && ` · ${count(missing, 'span')} without their parent yet`, skewed && ` · clock skew on ${count(skewed, 'span')}`].filter(Boolean).map(text => el('em', { class: 'warn' }, text)))
    legend.replaceChildren(...shown.services.slice(0, 40).map(service => el('span', { class: 'chip' }, el('span', { class: `dot ${colour(service)}` }), sent(service))))
  }

  function showPin () {
    pinned.setAttribute('aria-pressed', String(shown.pinned))
    pinned.textContent = shown.pinned ? 'Unpin' : 'Pin'
  }

  async function togglePin () {
    if (shown === null) return
    try {
      await pin(id, !shown.pinned)
      shown.pinned = !shown.pinned
      showPin()
      say(shown.pinned ? 'The trace stays until it is unpinned' : 'The trace is not pinned any more')
    } catch (problem) {
      say(problem.message)
    }
  }

  function look () {
    const hits = chart.search(search.value)
    found.textContent = hits === null ? '' : `${hits} found`
  }

  function remember (chosen) {
    history.replaceState(null, '', `#/trace/${id}${chosen ? `/${chosen}` : ''}`)
  }

  // By keyboard the panel follows only where it is open.
  function pick (chosen, byKey) {
    remember(chosen)
    if (!byKey || !place.hidden) open(chosen)
  }

  async function open (chosen) {
    panelFor = chosen
    remember(chosen)
    try {
      const one = await ask(`traces/${encodeURIComponent(id)}/spans/${encodeURIComponent(chosen)}`)
      if (left || panelFor !== chosen) return
      const row = shown.spans.find(span => span.id === chosen)
      place.replaceChildren(details(one, shown.services[row?.service] ?? '', close))
      place.hidden = false
    } catch (problem) {
      say(problem.message)
    }
  }

  function close () {
    panelFor = null
    place.hidden = true
    place.replaceChildren()
    chart.focus()
  }

  return {
    key (event) {
      if (event.key === 'Escape') {
        if (place.hidden) location.hash = '#/'
        else close()
        return true
      }
      return chart.key(event)
    },
    follow ([other, chosen]) {
      if (other !== id) return false
      if (chosen) { chart.select(chosen, true); open(chosen) }
      return true
    },
    leave () {
      left = true
      clearTimeout(timer)
      chart.leave()
    }
  }
}

// The list: the latest traces, live, with filters. Nothing jumps under a reader's pointer.

import { ask, clear } from './api.js'
import { el, say, sent } from './dom.js'
import { ago, clock, colour, count, duration, millis, plain } from './format.js'

const POLL = 1000
const PAGE = 50
// More rows than this are dropped from the end while new ones come in on top.
const MOST_ROWS = 1000
// As many as the API looks for.
const MOST_ATTRIBUTES = 8

export function list (main, _words, query) {
  const rows = new Map()
  const waiting = new Map()
  let cursor = 0
  let before = null
  let paused = false
  let chosen = null
  let timer = null
  let generation = 0
  let left = false

  const body = el('ul', { class: 'rows', 'aria-label': 'Traces' })
  const fresh = el('button', { type: 'button', class: 'fresh', hidden: true, onclick: takeWaiting })
  const more = el('button', { type: 'button', hidden: true, onclick: next }, 'Older traces')
  const state = el('p', { class: 'empty' }, 'Loading…')
  const pause = el('button', { type: 'button', 'aria-pressed': 'false', onclick: () => setPaused(!paused) }, 'Pause')
  const services = el('select', { name: 'service', 'aria-label': 'Service' }, el('option', { value: '' }, 'All services'))
  const attribute = value => el('input', { name: 'attribute', placeholder: 'attribute=value', 'aria-label': 'Attribute, as key=value', value })
  const attributes = el('span', { class: 'several' }, ...(query.has('attribute') ? query.getAll('attribute') : ['']).slice(0, MOST_ATTRIBUTES).map(attribute))
  const another = el('button', { type: 'button', 'aria-label': 'Another attribute', title: 'Another attribute', onclick: () => {
    if (attributes.children.length < MOST_ATTRIBUTES) attributes.append(attribute(''))
    attributes.lastElementChild.focus()
  } }, '+')
  const form = el('form', { class: 'filters', role: 'search', onsubmit: event => { event.preventDefault(); apply() } },
    el('input', { type: 'search', name: 'text', placeholder: 'Name, service or trace id', 'aria-label': 'Search traces', value: query.get('text') ?? '' }),
    services,
    attributes, another,
    el('label', {}, '≥ ', el('input', { name: 'min_duration', class: 'short', inputmode: 'decimal', 'aria-label': 'Least duration in milliseconds', value: query.get('min_duration') ?? '' }), ' ms'),
    el('select', { name: 'since', 'aria-label': 'Time' },
      ...[['', 'Any time'], ['1', 'Last minute'], ['15', 'Last 15 minutes'], ['60', 'Last hour']].map(([value, text]) => el('option', { value }, text))),
    el('label', {}, el('input', { type: 'checkbox', name: 'errors', checked: query.get('errors') === 'true' }), ' Errors only'),
    el('button', { class: 'primary' }, 'Filter'),
    el('button', { type: 'button', onclick: reset }, 'Reset'))
  form.addEventListener('change', apply)
  const calls = query.get('calls')
  const note = el('p', { class: 'note', hidden: !calls }, 'Only traces with the call ', sent(calls ?? ''))
  const element = el('section', { class: 'list' },
    el('div', { class: 'bar' }, form,
      el('div', { class: 'actions' }, pause, el('button', { type: 'button', class: 'danger', onclick: deleteAll }, 'Delete all'))),
    note, fresh, body, state, more)
  main.replaceChildren(element)
  document.title = 'Traces · Tracing-Tail'

  load()
  fillServices()
  timer = setTimeout(poll, POLL)
  const clockTimer = setInterval(tick, 5000)

  function filters () {
    const given = new FormData(form)
    const since = Number(given.get('since'))
    return {
      text: given.get('text').trim(),
      service: given.get('service'),
      attribute: given.getAll('attribute').filter(one => one.trim()),
      min_duration: given.get('min_duration').trim(),
      errors: given.get('errors') ? 'true' : '',
      calls: new URLSearchParams(location.hash.split('?')[1] ?? '').get('calls') ?? '',
      from: since ? Date.now() - since * 60000 : ''
    }
  }

  function apply () {
    const asked = filters()
    const kept = new URLSearchParams()
    for (const name of ['text', 'service', 'min_duration', 'errors', 'calls']) if (asked[name]) kept.set(name, asked[name])
    for (const one of asked.attribute) kept.append('attribute', one)
    history.replaceState(null, '', `#/${kept.size ? '?' + kept : ''}`)
    load()
  }

  function reset () {
    for (const field of form.elements) {
      if (field.type === 'checkbox') field.checked = false
      else if (field.name) field.value = ''
    }
    attributes.replaceChildren(attribute(''))
    history.replaceState(null, '', '#/')
    note.hidden = true
    load()
  }

  async function fillServices () {
    try {
      const chosenService = services.value || query.get('service') || ''
      const { services: known } = await ask('services')
      services.replaceChildren(el('option', { value: '' }, 'All services'),
        ...known.map(one => el('option', { value: one.name }, plain(one.name))))
      if (chosenService && !known.some(one => one.name === chosenService)) {
        services.append(el('option', { value: chosenService }, plain(chosenService)))
      }
      services.value = chosenService
    } catch (problem) {
      say(problem.message)
    }
  }

  async function load () {
    const mine = ++generation
    try {
      const asked = filters()
      if (!services.value && query.get('service') && services.length === 1) asked.service = query.get('service')
      const answer = await ask('traces', { ...asked, limit: PAGE })
      if (mine !== generation) return
      rows.clear()
      waiting.clear()
      body.replaceChildren()
      cursor = answer.changed
      await show(answer, asked, mine)
    } catch (problem) {
      failed(problem)
    }
  }

  async function next () {
    const mine = generation
    try {
      const asked = filters()
      const answer = await ask('traces', { ...asked, limit: PAGE, before })
      if (mine === generation) await show(answer, asked, mine)
    } catch (problem) {
      failed(problem)
    }
  }

  // An answer may end before its page is full, where many spans had to be looked at.
  async function show (first, asked, mine) {
    const wanted = rows.size + PAGE
    for (let answer = first; ; answer = await ask('traces', { ...asked, limit: PAGE, before })) {
      if (mine !== generation) return
      for (const one of answer.traces) if (!rows.has(one.id)) append(one)
      ended(answer)
      if (!answer.more || rows.size >= wanted) return
    }
  }

  function ended (answer) {
    before = answer.before ?? before
    more.hidden = !answer.more
    describe()
  }

  async function poll () {
    if (!document.hidden) {
      const mine = generation
      try {
        let answer
        do {
          answer = await ask('traces', { ...filters(), changed_after: cursor, limit: 200 })
          if (mine !== generation) break
          cursor = answer.changed
          forget(answer.oldest, new Set(answer.kept))
          for (const one of answer.traces) arrive(one)
        } while (answer.more)
        if (mine === generation) {
          if (waiting.size > 0 && mayInsert()) takeWaiting()
          describe()
        }
        if (answer.traces.some(one => one.services.some(service => ![...services.options].some(option => option.value === service.name)))) fillServices()
      } catch (problem) {
        failed(problem)
      }
    }
    if (!left) timer = setTimeout(poll, POLL)
  }

  function arrive (one) {
    const row = rows.get(one.id)
    if (row) {
      const changed = draw(one)
      row.element.replaceWith(changed.element)
      if (chosen === one.id) changed.element.classList.add('chosen')
      if (row.element === document.activeElement?.closest('li')) changed.link.focus({ preventScroll: true })
      rows.set(one.id, changed)
    } else if (before === null || one.id > before || waiting.has(one.id)) waiting.set(one.id, one)
  }

  // What is on top moves nothing else only while nobody reads, points or has chosen.
  function mayInsert () {
    return !paused && chosen === null && scrollY < 40 && !body.matches(':hover') && !body.contains(document.activeElement)
  }

  function takeWaiting () {
    const newest = [...waiting.values()].sort((one, other) => one.id - other.id)
    waiting.clear()
    for (const one of newest) {
      const row = draw(one)
      rows.set(one.id, row)
      body.prepend(row.element)
    }
    while (rows.size > MOST_ROWS) {
      const last = Math.min(...rows.keys())
      rows.get(last).element.remove()
      rows.delete(last)
      before = last + 1
      more.hidden = false
    }
    describe()
  }

  // What arrived before the oldest is gone, but for what is kept for longer.
  function forget (oldest, kept) {
    const gone = id => id < oldest && !kept.has(id)
    for (const [id, row] of rows) {
      if (gone(id)) {
        row.element.remove()
        rows.delete(id)
        if (chosen === id) chosen = null
      }
    }
    for (const id of waiting.keys()) if (gone(id)) waiting.delete(id)
  }

  function append (one) {
    const row = draw(one)
    rows.set(one.id, row)
    body.append(row.element)
  }

  function describe () {
    fresh.hidden = waiting.size === 0
    fresh.textContent = `+${waiting.size} new`
    const filtered = Object.values(filters()).flat().some(value => value !== '')
    state.hidden = rows.size > 0
    state.replaceChildren()
    if (rows.size > 0) scale()
    else if (filtered) state.append('No trace passes these filters.')
    else {
      state.append('No traces yet. ', el('a', { href: '#/try' }, 'Send a request'),
        ', or point any OpenTelemetry exporter at ', el('code', {}, `${location.origin}/v1/traces`), '.')
    }
  }

  function draw (one) {
    const at = millis(one.start_ns)
    const link = el('a', { class: 'row', href: `#/trace/${one.trace_id}`, 'data-id': one.id },
      el('time', { datetime: new Date(at).toISOString(), title: clock(at) }, ago(at, Date.now())),
      el('span', { class: 'what' },
        el('span', { class: `dot ${colour(one.service)}`, 'aria-hidden': 'true' }),
        el('strong', {}, sent(one.service)), ' ', el('span', { class: 'name' }, sent(one.name, '(no name)')),
        !one.rooted && el('em', { class: 'tag', title: 'No span without parent has arrived' }, 'no root yet'),
        one.pinned && el('em', { class: 'tag', title: 'It stays until it is unpinned' }, 'pinned'),
        one.incomplete && el('em', { class: 'tag warn', title: `${count(one.incomplete.refused, 'span')} of it could not be taken` }, 'incomplete')),
      el('span', { class: 'parts' }, ...one.services.slice(0, 6).map(service =>
        el('span', { class: `chip ${colour(service.name)}${service.errors ? ' failed' : ''}`, title: `${plain(service.name)}: ${count(service.spans, 'span')}, ${count(service.errors, 'error')}` },
          sent(service.name), ' ', el('b', {}, String(service.spans)))),
      one.services.length > 6 && el('span', { class: 'chip' }, `+${one.services.length - 6}`)),
      el('span', { class: 'number' }, count(one.spans, 'span')),
      el('span', { class: one.errors ? 'number bad' : 'number none' }, one.errors ? `✕ ${count(one.errors, 'error')}` : 'no errors'),
      el('span', { class: 'took' }, el('span', { class: 'length' }, el('span', { class: `fill ${colour(one.service)}` })), el('span', {}, duration(one.duration_ns))))
    return { one, link, element: el('li', {}, link) }
  }

  // The bars are to the scale of the longest trace that is shown.
  function scale () {
    let longest = 1
    for (const row of rows.values()) longest = Math.max(longest, row.one.duration_ns)
    for (const row of rows.values()) {
      row.element.querySelector('.fill').style.setProperty('width', `${Math.max(1.5, 100 * row.one.duration_ns / longest)}%`)
    }
  }

  function tick () {
    for (const row of rows.values()) row.element.querySelector('time').textContent = ago(millis(row.one.start_ns), Date.now())
  }

  function setPaused (wanted) {
    paused = wanted
    pause.setAttribute('aria-pressed', String(paused))
    pause.textContent = paused ? 'Resume' : 'Pause'
    say(paused ? 'Paused' : 'Live')
    if (!paused && waiting.size > 0) takeWaiting()
  }

  async function deleteAll () {
    if (!confirm('Delete all traces?')) return
    try {
      await clear()
      await load()
      say('All traces are deleted')
    } catch (problem) {
      failed(problem)
    }
  }

  function failed (problem) {
    say(problem.message)
    state.hidden = false
    state.textContent = problem.message
  }

  function choose (step) {
    const all = [...body.children]
    const now = all.findIndex(row => row.classList.contains('chosen'))
    const target = all[Math.min(all.length - 1, Math.max(0, now + step))]
    if (!target) return
    for (const row of all) row.classList.remove('chosen')
    target.classList.add('chosen')
    const link = target.firstElementChild
    chosen = Number(link.dataset.id)
    link.focus({ preventScroll: true })
    target.scrollIntoView({ block: 'nearest' })
  }

  return {
    key (event) {
      if (event.key === 'j' || event.key === 'ArrowDown') choose(1)
      else if (event.key === 'k' || event.key === 'ArrowUp') choose(-1)
      else if (event.key === 'p') setPaused(!paused)
      else if (event.key === 'Escape') {
        chosen = null
        document.activeElement?.blur()
        body.querySelector('.chosen')?.classList.remove('chosen')
      } else return false
      return true
    },
    leave () {
      generation++
      clearTimeout(timer)
      clearInterval(clockTimer)
      left = true
    }
  }
}

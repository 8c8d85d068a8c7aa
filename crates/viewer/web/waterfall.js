// The waterfall: rows of a tree beside bars on a ruler. Only the rows in sight are elements.

import { el, sent, svg } from './dom.js'
import { colour, duration, leads, plain } from './format.js'

const ROW = 28
const SPARE = 12
// More lines than this at a time would show nothing.
const MOST_LINES = 150

/** What is wrong with a span's times: a word, and a sentence. */
export const times = {
  no_start: ['no start', 'It came without a start: it is shown at the beginning, and takes no time'],
  no_end: ['no end', 'It came without an end: it is shown as if it took no time'],
  end_before_start: ['ends early', 'Its end is before its start: it is shown as if it took no time']
}

/** A waterfall of a trace; `picked` is called with a span's id, `entered` where Enter is pressed. */
export function waterfall (picked, entered) {
  let trace = { spans: [], services: [], duration_ns: 0 }
  let byId = new Map()
  let visible = []
  let places = new Map()
  let folded = new Set()
  let hits = null
  let selected = null
  let options = { critical: true, links: true }

  const ruler = el('div', { class: 'ruler', 'aria-hidden': 'true' })
  const lines = svg('svg', { class: 'lines' })
  const rows = el('div', { class: 'spans', role: 'tree', tabindex: '0', 'aria-label': 'Spans' }, lines)
  const element = el('div', { class: 'waterfall' },
    el('div', { class: 'head' }, el('div', { class: 'gutter' }, 'Service and operation'), ruler), rows)
  let asked = false
  // What is in sight stays as it is while only the scroll position changes.
  let kept = new Map()
  const redraw = () => {
    kept = new Map()
    scrolled()
  }
  const scrolled = () => {
    if (asked) return
    asked = true
    requestAnimationFrame(() => { asked = false; draw() })
  }
  element.addEventListener('scroll', scrolled, { passive: true })
  const resized = new ResizeObserver(redraw)
  resized.observe(element)

  function show (shown) {
    trace = shown
    byId = new Map(trace.spans.map((span, index) => [span.id, index]))
    layout()
  }

  function layout () {
    visible = []
    for (let index = 0; index < trace.spans.length; index++) {
      visible.push(index)
      if (folded.has(trace.spans[index].id)) index += trace.spans[index].descendants
    }
    places = new Map(visible.map((index, place) => [index, place]))
    rows.style.setProperty('height', `${visible.length * ROW}px`)
    drawRuler()
    redraw()
  }

  function drawRuler () {
    const marks = [0, 0.25, 0.5, 0.75, 1]
    ruler.replaceChildren(...marks.map(mark => {
      const tick = el('span', { class: mark === 1 ? 'last' : '' }, duration(Math.round(trace.duration_ns * mark)))
      tick.style.setProperty('left', `${mark * 100}%`)
      return tick
    }))
  }

  function draw () {
    const top = Math.max(0, element.scrollTop - 32)
    const first = Math.max(0, Math.floor(top / ROW) - SPARE)
    const last = Math.min(visible.length, Math.ceil((top + element.clientHeight) / ROW) + SPARE)
    const drawn = new Map()
    for (let place = first; place < last; place++) drawn.set(place, kept.get(place) ?? row(visible[place], place))
    for (const child of [...rows.children]) if (child !== lines && drawn.get(Number(child.dataset.place)) !== child) child.remove()
    rows.append(...[...drawn.values()].filter(child => child.parentNode !== rows))
    kept = drawn
    if (selected !== null && document.getElementById(`s-${selected}`)) rows.setAttribute('aria-activedescendant', `s-${selected}`)
    else rows.removeAttribute('aria-activedescendant')
    drawLines(first, last)
  }

  function share (ns) {
    return trace.duration_ns > 0 ? 100 * ns / trace.duration_ns : 0
  }

  function row (index, place) {
    const span = trace.spans[index]
    const service = trace.services[span.service]
    const open = !folded.has(span.id)
    const hit = hits !== null && hits.has(index)
    const element = el('div', {
      id: `s-${span.id}`,
      'data-place': place,
      class: ['span', span.id === selected && 'selected', span.error && 'failed', hits !== null && (hit ? 'hit' : 'miss')].filter(Boolean).join(' '),
      role: 'treeitem',
      'aria-level': span.depth + 1,
      'aria-selected': span.id === selected,
      'aria-expanded': span.descendants > 0 ? String(open) : null,
      'aria-label': `${plain(service)}, ${plain(span.name)}, ${duration(span.duration_ns)}${span.error ? ', error' : ''}${span.simulated ? ', simulated latency' : ''}`,
      onclick: () => { select(span.id, false); picked(span.id) }
    })
    element.style.setProperty('top', `${place * ROW}px`)
    const gutter = el('div', { class: 'gutter' })
    gutter.style.setProperty('padding-left', `${Math.min(span.depth, 24) * 14 + 4}px`)
    gutter.append(
      span.descendants > 0
        ? el('button', { type: 'button', class: 'fold', tabindex: '-1', 'aria-hidden': 'true', title: `${open ? 'Collapse' : 'Expand'} ${span.descendants} below`, onclick: event => { event.stopPropagation(); fold(span.id, open) } }, open ? '▾' : '▸')
        : el('span', { class: 'fold' }),
      el('span', { class: `dot ${colour(service)}` }),
      ...(span.error ? [el('span', { class: 'cross', title: span.message ? plain(span.message) : 'error' }, '✕')] : []),
      el('span', { class: 'label', title: `${plain(service)} · ${plain(span.name)}` }, el('b', {}, sent(service)), ' ', sent(span.name, '(no name)')),
      ...(open || span.descendants === 0 ? [] : [el('em', { class: 'tag' }, `+${span.descendants}`)]),
      ...marks(span).map(([text, title]) => el('em', { class: 'tag warn', title }, text)))
    const bar = el('div', { class: `bar ${colour(service)}${span.simulated ? ' simulated' : ''}` })
    bar.style.setProperty('left', `${share(span.offset_ns)}%`)
    bar.style.setProperty('width', `${share(span.duration_ns)}%`)
    const track = el('div', { class: 'track' }, bar)
    if (options.critical) {
      for (const [from, to] of span.critical) {
        const piece = el('i', { class: 'critical' })
        piece.style.setProperty('left', `${share(from)}%`)
        piece.style.setProperty('width', `${share(to - from)}%`)
        track.append(piece)
      }
    }
    for (const [offset, name] of span.events) {
      const dot = el('i', { class: `event${name === 'exception' ? ' bad' : ''}`, title: `${plain(name)} at ${duration(offset)}` })
      dot.style.setProperty('left', `${Math.min(100, Math.max(0, share(offset)))}%`)
      track.append(dot)
    }
    const time = el('span', { class: 'time' }, `${duration(span.duration_ns)}${span.simulated ? ' simulated' : ''}`)
    const end = share(span.offset_ns + span.duration_ns)
    if (end < 75) time.style.setProperty('left', `calc(${end}% + 6px)`)
    else if (share(span.offset_ns) > 25) time.style.setProperty('right', `calc(${100 - share(span.offset_ns)}% + 6px)`)
    else {
      time.classList.add('inside')
      time.style.setProperty('right', `calc(${Math.max(0, 100 - end)}% + 6px)`)
    }
    track.append(time)
    element.append(gutter, track)
    return element
  }

  function marks (span) {
    return [
      span.orphan && ['parent missing', `Its parent ${span.parent} has not arrived`],
      span.cycle && ['cycle cut', 'Its parents lead back to itself'],
      span.skew_ns > 0 && [`⇤ ${duration(span.skew_ns)}`, `Clock skew: it starts ${duration(span.skew_ns)} before its parent`],
      span.time && times[span.time],
      span.links.some(link => leads(link) && link.trace_id !== trace.trace_id) && ['↗', 'Links to another trace']
    ].filter(Boolean)
  }

  // The row that shows a span: itself, or what it is folded into.
  function placeOf (id) {
    let index = byId.get(id)
    while (index !== undefined && !places.has(index)) {
      const above = byId.get(trace.spans[index].parent)
      if (above === undefined || above >= index) return undefined
      index = above
    }
    return index === undefined ? undefined : { index, place: places.get(index) }
  }

  function drawLines (first, last) {
    lines.replaceChildren()
    const track = rows.querySelector('.track')
    if (!options.links || !track) return
    const left = track.offsetLeft
    const width = track.clientWidth
    lines.setAttribute('width', String(rows.clientWidth))
    lines.setAttribute('height', String(visible.length * ROW))
    lines.append(svg('defs', {}, svg('marker', { id: 'arrow', viewBox: '0 0 8 8', refX: 7, refY: 4, markerWidth: 8, markerHeight: 8, markerUnits: 'userSpaceOnUse', orient: 'auto' }, svg('path', { class: 'tip', d: 'M0 0L8 4L0 8z' }))))
    let drawn = 0
    for (let place = first; place < last && drawn < MOST_LINES; place++) {
      const span = trace.spans[visible[place]]
      for (const link of span.links) {
        if (link.trace_id !== trace.trace_id) continue
        const target = placeOf(link.span_id)
        if (!target || target.place === place) continue
        const to = trace.spans[target.index]
        const x1 = left + share(span.offset_ns) * width / 100
        const x2 = left + share(to.offset_ns) * width / 100
        const y1 = place * ROW + ROW / 2
        const y2 = target.place * ROW + ROW / 2
        const bend = Math.max(left - 2, Math.min(x1, x2) - 18 - Math.min(30, Math.abs(place - target.place) * 2))
        const d = `M${x1} ${y1}C${bend} ${y1} ${bend} ${y2} ${x2 - 1} ${y2}`
        const about = `Link from ${plain(span.name)} to ${plain(to.name)}${link.reason ? ` (${plain(link.reason)})` : ''}`
        const strong = [span.id, link.span_id].includes(selected)
        const go = () => { select(link.span_id, true); picked(link.span_id) }
        lines.append(svg('g', { class: strong ? 'link strong' : 'link', onclick: go, 'data-to': link.span_id },
          svg('title', {}, about), svg('path', { class: 'wide', d }), svg('path', { class: 'thin', d, 'marker-end': 'url(#arrow)' })))
        drawn++
      }
    }
  }

  function fold (id, closed) {
    if (closed) folded.add(id)
    else folded.delete(id)
    layout()
  }

  /** Unfolds what hides a span. */
  function reveal (id) {
    let index = byId.get(id)
    let depth = index === undefined ? 0 : trace.spans[index].depth
    while (index > 0 && depth > 0) {
      index--
      if (trace.spans[index].depth < depth) {
        depth = trace.spans[index].depth
        folded.delete(trace.spans[index].id)
      }
    }
    layout()
  }

  function select (id, scroll) {
    selected = id
    if (id !== null && byId.has(id)) {
      if (!places.has(byId.get(id))) reveal(id)
      if (scroll) {
        const top = places.get(byId.get(id)) * ROW
        const above = element.scrollTop
        const height = element.clientHeight - 40
        if (top < above) element.scrollTop = Math.max(0, top - ROW)
        else if (top + ROW > above + height) element.scrollTop = top + 2 * ROW - height
      }
    }
    redraw()
  }

  function step (by) {
    const now = selected === null ? -1 : placeOf(selected)?.place ?? -1
    const place = Math.min(visible.length - 1, Math.max(0, now + by))
    if (visible.length > 0) select(trace.spans[visible[place]].id, true)
  }

  function key (event) {
    const span = trace.spans[byId.get(selected)]
    if (event.key === 'j' || event.key === 'ArrowDown') step(1)
    else if (event.key === 'k' || event.key === 'ArrowUp') step(-1)
    else if (event.key === 'Home') { selected = null; step(1) }
    else if (event.key === 'End') step(visible.length)
    else if (event.key === 'PageDown') step(15)
    else if (event.key === 'PageUp') step(-15)
    else if (event.key === 'ArrowLeft' && span) {
      if (span.descendants > 0 && !folded.has(span.id)) fold(span.id, true)
      else if (byId.has(span.parent)) select(span.parent, true)
    } else if (event.key === 'ArrowRight' && span) {
      if (folded.has(span.id)) fold(span.id, false)
      else if (span.descendants > 0) step(1)
    } else if (event.key === 'Enter' && span && !event.target.closest('a, button')) { entered(span.id); return true }
    else return false
    if (selected !== null) picked(selected, true)
    return true
  }

  /** Marks the spans that a text is in, and gives their number. */
  function search (text) {
    const wanted = text.trim().toLowerCase()
    hits = null
    if (wanted) {
      hits = new Set()
      trace.spans.forEach((span, index) => {
        const all = `${span.name}\n${trace.services[span.service]}\n${span.message}\n${span.id}\n${span.kind}\n${span.events.map(event => event[1]).join('\n')}`
        if (all.toLowerCase().includes(wanted)) hits.add(index)
      })
    }
    redraw()
    return hits?.size ?? null
  }

  /** Goes to the next span that was found. */
  function nextHit () {
    if (!hits?.size) return
    const now = byId.get(selected) ?? -1
    const all = [...hits]
    const index = all.find(one => one > now) ?? all[0]
    select(trace.spans[index].id, true)
    picked(trace.spans[index].id, true)
  }

  function foldAll (closed) {
    folded = new Set(closed ? trace.spans.filter(span => span.descendants > 0 && span.depth > 0).map(span => span.id) : [])
    layout()
  }

  return {
    element,
    show,
    select,
    key,
    search,
    nextHit,
    foldAll,
    focus: () => rows.focus({ preventScroll: true }),
    option (name, value) { options = { ...options, [name]: value }; redraw() },
    leave: () => resized.disconnect()
  }
}

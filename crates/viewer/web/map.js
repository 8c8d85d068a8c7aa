// The service graph as a picture: columns by distance from where requests enter.

import { ask } from './api.js'
import { el, say, sent, svg } from './dom.js'
import { colour, count, duration, isBlank, plain, shorten } from './format.js'

const WIDTH = 216
const HEIGHT = 62
const ACROSS = 420
const DOWN = 132

export function map (main) {
  let left = false
  let timer = null
  let drawn = ''
  const state = el('p', { class: 'empty' }, 'Loading…')
  const picture = el('div', { class: 'picture', tabindex: '0', role: 'group', 'aria-label': 'Service graph' })
  const facts = el('p', { class: 'facts' })
  const table = el('table', { class: 'edges' })
  main.replaceChildren(el('section', { class: 'map' }, el('h1', {}, 'Who calls whom'), facts, state, picture, table))
  document.title = 'Map · Tracing-Tail'
  load()

  async function load () {
    try {
      const graph = await ask('graph')
      if (left) return
      const text = JSON.stringify(graph)
      if (text !== drawn) draw(graph)
      drawn = text
    } catch (problem) {
      say(problem.message)
      state.hidden = false
      state.textContent = problem.message
    }
    if (!left) timer = setTimeout(load, 3000)
  }

  function draw (graph) {
    state.hidden = graph.nodes.length > 0
    state.textContent = 'No traces yet.'
    facts.textContent = graph.nodes.length > 0 ? `From the newest ${count(graph.traces, 'trace')}, over ${duration(graph.seconds * 1e9)}. Choose a service or a call to see its traces.` : ''
    const at = arrange(graph)
    const wide = Math.max(...[...at.values()].map(place => place.x), 0) + WIDTH + 90
    const high = Math.max(...[...at.values()].map(place => place.y), 0) + HEIGHT + 60
    const image = svg('svg', { viewBox: `0 0 ${wide} ${high}`, width: wide, height: high },
      svg('defs', {}, svg('marker', { id: 'head', viewBox: '0 0 10 10', refX: 9, refY: 5, markerWidth: 10, markerHeight: 10, markerUnits: 'userSpaceOnUse', orient: 'auto' }, svg('path', { class: 'tip', d: 'M0 0L10 5L0 10z' }))),
      ...graph.edges.map(edge => line(edge, at)), ...graph.nodes.map(node => box(node, at.get(node.service))))
    picture.replaceChildren(...(graph.nodes.length > 0 ? [image] : []))
    table.replaceChildren(...(graph.edges.length > 0
      ? [el('caption', {}, 'Calls'), el('thead', {}, el('tr', {}, ...['From', 'To', 'Calls', 'Rate', 'Errors', 'p50', 'p95', 'p99'].map(name => el('th', { scope: 'col' }, name)))),
          el('tbody', {}, ...graph.edges.map(edge => el('tr', {}, el('td', {}, sent(edge.caller)),
            el('td', {}, el('a', { href: calls(edge) }, sent(edge.callee))), el('td', {}, edge.count.toLocaleString('en')), el('td', {}, rate(edge)),
            el('td', { class: edge.errors ? 'bad' : '' }, percent(edge)), ...[edge.p50_ns, edge.p95_ns, edge.p99_ns].map(ns => el('td', {}, duration(ns))))))]
      : []))
  }

  return { leave () { left = true; clearTimeout(timer) } }
}

function calls (edge) {
  return `#/?calls=${encodeURIComponent(`${edge.caller}>${edge.callee}`)}`
}

function rate (figures) {
  return figures.rate >= 10 ? `${figures.rate.toFixed(0)}/s` : figures.rate >= 0.095 ? `${figures.rate.toFixed(1)}/s` : `${(figures.rate * 60).toFixed(1)}/min`
}

function percent (figures) {
  const share = 100 * figures.error_rate
  return `${share === 0 || share >= 10 ? share.toFixed(0) : share.toFixed(1)} %`
}

// Each service stands one column after the first caller that it is reached by; cycles end where they meet
// what is placed already.
function arrange (graph) {
  const callees = new Map(graph.nodes.map(node => [node.service, []]))
  const called = new Set()
  for (const edge of graph.edges) {
    if (edge.caller === edge.callee) continue
    callees.get(edge.caller)?.push(edge.callee)
    called.add(edge.callee)
  }
  const column = new Map()
  const names = graph.nodes.map(node => node.service)
  const first = names.filter(name => !called.has(name))
  let layer = first.length > 0 ? first : names.slice(0, 1)
  for (const start of [layer, ...names.map(name => [name])]) {
    layer = start.filter(name => !column.has(name))
    for (let depth = 0; layer.length > 0; depth++) {
      for (const name of layer) column.set(name, depth)
      layer = [...new Set(layer.flatMap(name => callees.get(name) ?? []))].filter(name => !column.has(name))
    }
  }
  const filled = []
  const at = new Map()
  for (const name of [...column.keys()]) {
    const depth = column.get(name)
    filled[depth] = (filled[depth] ?? 0) + 1
    at.set(name, { x: 30 + depth * ACROSS, y: 40 + (filled[depth] - 1) * DOWN, depth })
  }
  const tallest = Math.max(...filled, 1)
  for (const place of at.values()) place.y += (tallest - filled[place.depth]) * DOWN / 2
  return at
}

function box (node, place) {
  const name = isBlank(node.service) ? plain(node.service) : shorten(node.service, 22)
  return svg('a', { class: `node${node.errors ? ' failed' : ''}`, href: `#/?service=${encodeURIComponent(node.service)}`, transform: `translate(${place.x} ${place.y})`, 'aria-label': `${plain(node.service)}: ${rate(node)}, ${percent(node)} errors, p95 ${duration(node.p95_ns)}` },
    svg('rect', { width: WIDTH, height: HEIGHT, rx: 9 }), svg('rect', { class: `stripe ${colour(node.service)}`, width: 7, height: HEIGHT, rx: 3 }),
    svg('title', {}, plain(node.service)), svg('text', { class: 'title', x: 18, y: 25 }, name),
    svg('text', { class: 'small', x: 18, y: 46 }, `${rate(node)} · p95 ${duration(node.p95_ns)}${node.errors ? ` · ✕ ${percent(node)}` : ''}`))
}

function line (edge, at) {
  const from = at.get(edge.caller)
  const to = at.get(edge.callee)
  if (!from || !to) return null
  const own = edge.caller === edge.callee
  const back = to.x <= from.x && !own
  const [x1, y1] = own ? [from.x + 50, from.y] : back ? [from.x + WIDTH / 2, from.y + HEIGHT] : [from.x + WIDTH, from.y + HEIGHT / 2]
  const [x2, y2] = own ? [from.x + 120, from.y] : back ? [to.x + WIDTH / 2, to.y + HEIGHT] : [to.x - 2, to.y + HEIGHT / 2]
  const d = own ? `M${x1} ${y1}C${x1} ${y1 - 44} ${x2} ${y1 - 44} ${x2} ${y2}` : back ? `M${x1} ${y1}C${x1} ${y1 + 50} ${x2} ${y2 + 50} ${x2} ${y2}` : `M${x1} ${y1}C${x1 + 60} ${y1} ${x2 - 60} ${y2} ${x2} ${y2}`
  const x = (x1 + x2) / 2
  // Nearer to the callee, where lines from one caller have parted.
  const share = 0.58
  const tx = own || back ? x : x1 + (x2 - x1) * share
  const ty = own ? y1 - 36 : back ? (y1 + y2) / 2 + 42 : y1 + (y2 - y1) * (share * share * (3 - 2 * share))
  const figures = `${rate(edge)} · p95 ${duration(edge.p95_ns)}`
  const plate = figures.length * 6.6 + 10
  const label = `${rate(edge)} · ✕ ${percent(edge)} · p95 ${duration(edge.p95_ns)}`
  return svg('a', { class: `edge${edge.errors ? ' failed' : ''}`, href: calls(edge), 'aria-label': `${plain(edge.caller)} calls ${plain(edge.callee)}: ${label}` },
    svg('title', {}, `${plain(edge.caller)} → ${plain(edge.callee)}: ${label}`), svg('path', { class: 'wide', d }), svg('path', { class: 'thin', d, 'marker-end': 'url(#head)' }),
    svg('rect', { class: 'plate', x: tx - plate / 2, y: ty - 21, width: plate, height: 36, rx: 6 }),
    svg('text', { class: 'label', x: tx, y: ty - 7, 'text-anchor': 'middle' }, figures),
    svg('text', { class: edge.errors ? 'label bad' : 'label', x: tx, y: ty + 9, 'text-anchor': 'middle' }, `✕ ${percent(edge)}`))
}

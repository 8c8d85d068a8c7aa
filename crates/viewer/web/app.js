// The frame: which view is shown, what the keyboard does, light and dark.

import { ask } from './api.js'
import { say } from './dom.js'
import { bytes, count, millis, since } from './format.js'
import { list } from './list.js'
import { map } from './map.js'
import { trace } from './trace.js'
import { tryIt } from './try.js'

const main = document.getElementById('main')
const keys = document.getElementById('keys')
let view = null

/** Shows what the address names: `#/`, `#/trace/<id>/<span>`, `#/map`, `#/try`. */
function route () {
  const [path, query = ''] = location.hash.replace(/^#/, '').split('?')
  const [name = '', ...words] = path.split('/').filter(word => word !== '')
  if (view?.name === name && view.follow?.(words, new URLSearchParams(query))) return
  view?.leave()
  const views = { '': list, trace, map, try: tryIt }
  view = (views[name] ?? list)(main, words, new URLSearchParams(query))
  view.name = name
  const current = { '': 'list', trace: 'list', map: 'map', try: 'try' }[name]
  for (const link of document.querySelectorAll('[data-view]')) {
    if (link.dataset.view === current) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
  }
}

document.querySelector('.skip').addEventListener('click', event => {
  event.preventDefault()
  main.focus()
})

document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || keys.open) return
  const writing = event.target.closest?.('input:not([type=checkbox]), textarea, select')
  if (writing) {
    if (event.key === 'Escape') writing.blur()
    return
  }
  if (event.key === '?') {
    keys.showModal()
    event.preventDefault()
  } else if (event.key === '/') {
    const field = main.querySelector('[type=search]')
    if (field) {
      field.focus()
      event.preventDefault()
    }
  } else if (view?.key?.(event)) event.preventDefault()
})

document.getElementById('help').addEventListener('click', () => keys.showModal())

document.getElementById('theme').addEventListener('click', () => {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === 'dark'
    : matchMedia('(prefers-color-scheme: dark)').matches
  setTheme(dark ? 'light' : 'dark')
  localStorage.setItem('theme', dark ? 'light' : 'dark')
})

function setTheme (theme) {
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
}

async function held () {
  try {
    const counts = await ask('counts')
    document.getElementById('held').textContent =
      `${count(counts.traces, 'trace')} · ${count(counts.spans, 'span')} · ${bytes(counts.bytes)}`
    const lost = document.getElementById('lost')
    lost.hidden = counts.turned_away === 0
    lost.textContent = `${count(counts.turned_away, 'export')} turned away since ${since(millis(counts.since), Date.now())}`
  } catch (problem) {
    say(problem.message)
  }
}

setTheme(localStorage.getItem('theme'))
addEventListener('hashchange', route)
route()
held()
setInterval(() => { if (!document.hidden) held() }, 3000)

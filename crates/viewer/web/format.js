// Numbers and times as people read them, and a colour for each service.

/** A duration in nanoseconds. */
export function duration (ns) {
  if (ns === 0) return '0'
  if (ns < 0) return '−' + duration(-ns)
  if (ns < 1e3) return `${ns} ns`
  if (ns < 1e6) return `${round(ns / 1e3)} µs`
  if (ns < 1e9) return `${round(ns / 1e6)} ms`
  if (ns < 6e10) return `${round(ns / 1e9)} s`
  const seconds = Math.round(ns / 1e9)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

function round (number) {
  return number >= 100 ? number.toFixed(0) : number >= 10 ? number.toFixed(1) : number.toFixed(2)
}

/** A count with its noun. */
export function count (number, noun) {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`
}

/** Milliseconds since 1970, of nanoseconds as text. */
export function millis (ns) {
  return Number(BigInt(ns) / 1000000n)
}

/** How long ago a moment was. */
export function ago (at, now) {
  const seconds = Math.max(0, Math.round((now - at) / 1000))
  if (seconds < 5) return 'now'
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`
  return `${Math.floor(seconds / 86400)} d ago`
}

/** A moment, to the millisecond, in local time. */
export function clock (ms) {
  const at = new Date(ms)
  const two = number => String(number).padStart(2, '0')
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
  return `${day} ${time}.${String(at.getMilliseconds()).padStart(3, '0')}`
}

/** A moment to the minute, in local time; with its day where that is not today. */
export function since (ms, now) {
  const [day, time] = clock(ms).split(' ')
  const minute = time.slice(0, 5)
  return clock(now).startsWith(day) ? minute : `${day} ${minute}`
}

// What nothing is seen of: controls, separators, and letters that are drawn as nothing.
const UNSEEN = /^[\p{C}\p{Z}\u115F\u1160\u2800\u3164\uFFA0]*$/u
// Marks that turn the direction of what follows them.
const TURNS = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/g
const LOOSE = /^[\p{M}\u200D]/u

/** Whether nothing is seen of a text. */
export function isBlank (text) {
  return UNSEEN.test(text)
}

/** Whether a text begins inside of a character, as one that was cut may. */
export function isLoose (text) {
  return LOOSE.test(text)
}

/** A name as part of a longer text, whose direction it leaves as it is. Where there can be elements, they do that. */
export function plain (name) {
  if (isBlank(name)) return name === '' ? '(no name)' : '(blank)'
  return `\u2068${name.replace(TURNS, '')}\u2069`
}

/** The beginning of a text, of whole characters as people count them. */
export function shorten (text, most) {
  const characters = [...new Intl.Segmenter().segment(text)].map(one => one.segment)
  return characters.length > most ? `${characters.slice(0, most - 1).join('')}…` : text
}

/** Whether a link names a span. */
export function leads (link) {
  return !/^0*$/.test(link.trace_id) && !/^0*$/.test(link.span_id)
}

/** Bytes. */
export function bytes (number) {
  if (number < 1024) return `${number} B`
  if (number < 1048576) return `${(number / 1024).toFixed(0)} KiB`
  return `${(number / 1048576).toFixed(1)} MiB`
}

/** How many colours style.css has. */
const COLOURS = 12
const given = new Map()

/** The class of a service's colour: the same for as long as the page lives, all different while they last. */
export function colour (service) {
  if (!given.has(service)) {
    let wanted = 0
    for (const character of service) wanted = (wanted * 31 + character.codePointAt(0)) % 4093
    const taken = new Set(given.values())
    let chosen = wanted % COLOURS
    for (let step = 0; step < COLOURS && taken.has(chosen); step++) chosen = (chosen + 1) % COLOURS
    given.set(service, chosen)
  }
  return `c${given.get(service)}`
}

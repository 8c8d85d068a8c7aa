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

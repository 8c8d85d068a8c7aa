// Elements by function calls. Whatever is shown passes as text, never as markup.

import { isBlank, isLoose } from './format.js'

const SVG = 'http://www.w3.org/2000/svg'

/** An element with properties and children; a string child becomes text. */
export function el (name, properties = {}, ...children) {
  return fill(document.createElement(name), properties, children)
}

/** The same for SVG. */
export function svg (name, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, name), properties, children)
}

function fill (element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value)
    else if (name === 'value' || name === 'checked') element[name] = value
    else element.setAttribute(name, value === true ? '' : value)
  }
  element.append(...children.flat().filter(child => child !== null && child !== undefined && child !== false))
  return element
}

/** A name or value that somebody sent: whatever its direction, it changes nothing around it, and one that can't be seen is
 * marked. Its text is what was sent, or `none` where that is empty. */
export function sent (text, none = '') {
  if (text === '' && none !== '') return el('bdi', { class: 'unnamed' }, none)
  return el('bdi', { class: isBlank(text) ? 'blank' : isLoose(text) ? 'loose' : null }, text)
}

/** Says something to those who listen rather than look. */
export function say (text) {
  document.getElementById('said').textContent = text
}

/** Copies a text, and says so. */
export async function copy (text, what) {
  try {
    await navigator.clipboard.writeText(text)
    say(`${what} copied`)
  } catch {
    // Without a secure origin there is no clipboard; an old way still works.
    const field = el('textarea', { class: 'off', value: text })
    document.body.append(field)
    field.select()
    say(document.execCommand('copy') ? `${what} copied` : `Copying is not possible here: ${text}`)
    field.remove()
  }
}

// What the viewer's API answers. docs/viewer-api.md describes it.

const ROOT = '/traces/api'
// An answer that takes longer has been lost: what polls asks again.
const PATIENCE = 30000

/** A problem that the API answered with. */
export class Problem extends Error {
  constructor (status, detail) {
    super(detail)
    this.status = status
  }
}

/** Asks for an endpoint with parameters; empty ones are left out. */
export async function ask (endpoint, parameters = {}, signal) {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of [value].flat()) {
      if (one !== undefined && one !== null && one !== '' && one !== false) query.append(name, one)
    }
  }
  const late = AbortSignal.timeout(PATIENCE)
  const answer = await fetch(`${ROOT}/${endpoint}?${query}`, { signal: signal ? AbortSignal.any([signal, late]) : late })
  if (!answer.ok) throw await problem(answer)
  return answer.json()
}

/** Deletes all traces. */
export async function clear () {
  const answer = await fetch(`${ROOT}/traces`, { method: 'DELETE' })
  if (!answer.ok) throw await problem(answer)
}

/** Pins a trace, so that it stays, or unpins it. */
export async function pin (id, pinned) {
  const answer = await fetch(`${ROOT}/traces/${encodeURIComponent(id)}/pin`, { method: pinned ? 'PUT' : 'DELETE' })
  if (!answer.ok) throw await problem(answer)
}

/** Says that a trace is still looked at, so that it stays meanwhile. */
export async function look (id) {
  await fetch(`${ROOT}/traces/${encodeURIComponent(id)}`, { method: 'HEAD', signal: AbortSignal.timeout(PATIENCE) })
}

async function problem (answer) {
  const body = await answer.json().catch(() => ({}))
  return new Problem(answer.status, body.detail ?? `the answer was ${answer.status}`)
}

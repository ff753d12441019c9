import { setTimeout as pause } from 'node:timers/promises'
import type { CleanedDetails } from '@escale/protocol'
import { titles, type Found, type Leftovers } from './leftovers.ts'

/** How long it is tried. Programs and logins may take seconds to end. */
const LIMIT_MS = 10_000
const PAUSE_MS = 250
const MAX_NAMES = 3
const MAX_NAME_LENGTH = 60

interface Remaining {
  kind: Leftovers['kind']
  names: readonly string[]
}

/**
 * Looks for every kind and removes what it finds, again and again, until it has looked at all of them and found nothing.
 * @returns how many of each kind were removed
 * @throws Error that names what is still there, or what could not be looked at
 */
export async function forget(sources: readonly Leftovers[], signal: AbortSignal): Promise<CleanedDetails> {
  const removed: CleanedDetails['removed'] = {}
  const endMs = performance.now() + LIMIT_MS
  for (;;) {
    const remaining: Remaining[] = []
    let isClean = true
    for (const source of sources) {
      signal.throwIfAborted()
      const [before, after] = await lookAndRemove(source, signal)
      if (before === undefined) continue
      if (before.count > 0) isClean = false
      removed[source.kind] = (removed[source.kind] ?? 0) + Math.max(0, before.count - (after?.count ?? 0))
      if (after !== undefined && after.count > 0) remaining.push({ kind: source.kind, names: after.names })
    }
    if (isClean) return { removed }
    if (performance.now() > endMs) throw new Error(sentenceOf(remaining))
    if (remaining.length > 0) await pause(PAUSE_MS, undefined, { signal })
  }
}

/** What there was, and what is left. Undefined where this machine cannot have any. */
async function lookAndRemove(
  source: Leftovers,
  signal: AbortSignal,
): Promise<[before?: Found, after?: Found]> {
  const before = await look(source)
  if (before === undefined || before.count === 0) return [before, before]
  let failure = ''
  try {
    await source.remove(before, signal)
  } catch (err) {
    signal.throwIfAborted()
    failure = err instanceof Error ? err.message : String(err)
  }
  const after = await look(source)
  // Why it could not be removed says more than its name.
  if (after !== undefined && after.count > 0 && failure !== '')
    return [before, { ...after, names: [failure, ...after.names] }]
  return [before, after]
}

async function look({ kind, find }: Leftovers): Promise<Found | undefined> {
  try {
    return await find()
  } catch (err) {
    const why = err instanceof Error ? err.message : String(err)
    const { fr, en } = titles[kind]
    throw new Error(`non vérifié\u00a0: ${fr} · not checked: ${en} (${why})`, { cause: err })
  }
}

function sentenceOf(remaining: readonly Remaining[]): string {
  const kinds = (language: 'fr' | 'en') => remaining.map(({ kind }) => titles[kind][language]).join(', ')
  const names = remaining.flatMap(({ names: list }) => list).slice(0, MAX_NAMES)
  const shown = names.map((name) => name.slice(0, MAX_NAME_LENGTH)).join('\u202f; ')
  return `il reste\u00a0: ${kinds('fr')} · still there: ${kinds('en')} (${shown})`
}

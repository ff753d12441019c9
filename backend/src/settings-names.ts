import { Environment } from './environment.ts'
import type { Remark } from './settings-file.ts'

const OURS = [...Object.keys(Environment.properties), 'ESCALE_FLOWS_PORT']
/** Of other programs of ours, which read them themselves. */
const ELSEWHERE = /^ESCALE_(AGENT|TEST|DEV|BENCH|DEMO|CHROMIUM)(_|$)/
/** More letters than this apart, a name was not meant for the other. */
const MAX_DISTANCE = 4

/** Names that begin like ours and mean nothing. @param file where they were written; the environment otherwise */
export function remarksOnNames(names: readonly string[], file?: string): Remark[] {
  return names.flatMap((name) => {
    if (!/^ESCALE[_-]/i.test(name) || OURS.includes(name) || ELSEWHERE.test(name)) return []
    const nearest = nearestOf(name)
    const where = file ?? 'environnement · environment'
    return {
      french: `Réglage inconnu, sans effet (${where})\u00a0: ${name}${nearest ? `\u202f; pensiez-vous à ${nearest}\u202f?` : '. Tous sont dans .env.example.'}`,
      english: `Unknown setting, without effect (${where}): ${name}${nearest ? `; did you mean ${nearest}?` : '. All of them are in .env.example.'}`,
    }
  })
}

function nearestOf(name: string): string | undefined {
  const wanted = name.toUpperCase().replaceAll('-', '_')
  const [nearest] = OURS.map((known) => ({ known, distance: distanceOf(wanted, known) }))
    .filter(({ distance }) => distance <= MAX_DISTANCE)
    .toSorted((a, b) => a.distance - b.distance)
  return nearest?.known
}

/** How many letters must be added, taken away or changed (Levenshtein). */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, letter] of a.split(/(?:)/u).entries()) {
    const next = [i + 1]
    for (const [j, other] of b.split(/(?:)/u).entries()) {
      const changed = (row[j] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}

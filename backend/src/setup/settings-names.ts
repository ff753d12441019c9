import { nearestName } from '@escale/protocol'
import { Environment } from './environment.ts'

/** A part of the settings that has no effect, and why. */
export interface Remark {
  french: string
  english: string
}

const OURS = [...Object.keys(Environment.properties), 'ESCALE_FLOWS_PORT']
/** Settings of our other programs, which read them themselves. */
const ELSEWHERE = /^ESCALE_(AGENT|TEST|DEV|BENCH|DEMO|CHROMIUM)(_|$)/

/** Remarks on names that begin like ours and are unknown. @param file where they are; the environment by default */
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

/** Without the beginning that all names share, which would make them look alike. */
const bare = (name: string) => name.replace(/^ESCALE[_-]/i, '')

function nearestOf(name: string): string | undefined {
  const nearest = nearestName(bare(name), OURS.map(bare))
  return OURS.find((known) => bare(known) === nearest)
}

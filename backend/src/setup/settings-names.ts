import { nearestName } from '@escale/protocol'
import { Environment } from './environment.ts'

/** What nobody will act upon and whoever wrote it should know, French first. */
export interface Remark {
  french: string
  english: string
}

const OURS = [...Object.keys(Environment.properties), 'ESCALE_FLOWS_PORT']
/** Of other programs of ours, which read them themselves. */
const ELSEWHERE = /^ESCALE_(AGENT|TEST|DEV|BENCH|DEMO|CHROMIUM)(_|$)/

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

/** What all our names begin with says nothing about which one was meant. */
const bare = (name: string) => name.replace(/^ESCALE[_-]/i, '')

function nearestOf(name: string): string | undefined {
  const nearest = nearestName(bare(name), OURS.map(bare))
  return OURS.find((known) => bare(known) === nearest)
}

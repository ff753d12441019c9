import { existsSync, readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { encodingOf, nearestName } from '@escale/protocol'
import { Environment, readEnvironment } from './environment.ts'
import { SetupError } from '../errors.ts'
import { reasonOfFile } from './file-reasons.ts'

const FILE = '.env'
/** A line with one of our settings but without an equals sign: Node would silently ignore it. */
const WITHOUT_EQUALS = /^\s*(?:export\s+|set\s+)?(?:ESCALE_\w+|DATABASE_URL)\s*(?:[^=\s\w].*|\s\w.*)?$/i

const OURS = [...Object.keys(Environment.properties), 'ESCALE_FLOWS_PORT']
/** Settings of our other programs, which read them themselves. */
const ELSEWHERE = /^ESCALE_(AGENT|TEST|DEV|BENCH|DEMO|CHROMIUM)(_|$)/

/** A part of the settings that has no effect, and why. */
export interface Remark {
  french: string
  english: string
}

/**
 * Reads the settings of this deployment from the environment, and from `.env` those that the environment lacks.
 * @throws SetupError when the file cannot be read or a setting does not fit
 */
export function readSettings(): { environment: Environment; remarks: Remark[] } {
  const text = existsSync(FILE) ? textOf(FILE) : ''
  const written = parseEnv(text)
  const remarks = [
    ...remarksOnLines(text),
    ...remarksOnNames(Object.keys(written), FILE),
    ...remarksOnNames(Object.keys(process.env)),
  ]
  for (const [name, value] of Object.entries(written)) process.env[name] ??= value
  return { environment: readEnvironment(process.env), remarks }
}

function textOf(file: string): string {
  try {
    return withPlainLines(decodeText(readFileSync(file)))
  } catch (err) {
    const { french, english } = reasonOfFile(err)
    throw new SetupError(
      `Le fichier ${file} ne peut être lu\u00a0: ${french}.`,
      `The file ${file} cannot be read: ${english}.`,
      err,
    )
  }
}

/** The text of a file that people edit: UTF-8, UTF-16, or Windows-1252 when it is not valid UTF-8. */
export function decodeText(bytes: Uint8Array): string {
  const encoding = encodingOf(bytes)
  try {
    return new TextDecoder(encoding, { fatal: encoding === 'utf-8' }).decode(bytes)
  } catch {
    return new TextDecoder('windows-1252').decode(bytes)
  }
}

/** Node does not end a line at a lone carriage return, and keeps invisible characters before a name. */
function withPlainLines(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(/^[\p{Zs}\p{Cf}]+/gmu, '')
}

function remarksOnLines(text: string): Remark[] {
  return text.split('\n').flatMap((line, index) =>
    WITHOUT_EQUALS.test(line)
      ? {
          french: `${FILE}, ligne ${index + 1}\u00a0: il manque un signe égal (NOM=valeur), elle ne compte pas.`,
          english: `${FILE}, line ${index + 1}: an equals sign is missing (NAME=value), it does not count.`,
        }
      : [],
  )
}

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

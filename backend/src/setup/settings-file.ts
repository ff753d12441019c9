import { existsSync, readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { encodingOf } from '@escale/protocol'
import { readEnvironment, type Environment } from './environment.ts'
import { SetupError } from '../errors.ts'
import { reasonOfFile } from './file-reasons.ts'
import { remarksOnNames, type Remark } from './settings-names.ts'

const FILE = '.env'
/** A line with one of our settings but without an equals sign: Node would silently ignore it. */
const WITHOUT_EQUALS = /^\s*(?:export\s+|set\s+)?(?:ESCALE_\w+|DATABASE_URL)\s*(?:[^=\s\w].*|\s\w.*)?$/i

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

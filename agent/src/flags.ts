import { parseArgs } from 'node:util'
import { nearestName } from '@escale/protocol'
import { SettingsError } from './settings-error.ts'

/** Each setting is a flag, an `ESCALE_AGENT_*` variable and a name in agent.json. The first of these that is set wins. */
export const flags = {
  server: 'string',
  'enrolment-key': 'string',
  'enrolment-key-file': 'string',
  'ca-fingerprint': 'string',
  'station-id': 'string',
  'mqtt-secret': 'string',
  'mqtt-secret-file': 'string',
  mac: 'string',
  'data-dir': 'string',
  'screen-port': 'string',
  'no-kiosk': 'boolean',
  'manage-power': 'boolean',
} as const

export type Flag = keyof typeof flags
const flagNames = Object.keys(flags) as Flag[]
/** Settings that no other user of the machine may read. */
export const secretFlags = ['enrolment-key', 'mqtt-secret'] as const satisfies Flag[]

const ENVIRONMENT_PREFIX = 'ESCALE_AGENT_'

export const variableOf = (flag: Flag) => ENVIRONMENT_PREFIX + flag.toUpperCase().replaceAll('-', '_')
/** The setting's name in agent.json. */
export const nameOf = (flag: Flag) => flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())

/**
 * Reads the command line.
 * @throws SettingsError
 */
export function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: withJoinedValues(args),
      options: Object.fromEntries(Object.entries(flags).map(([name, type]) => [name, { type }])),
      allowPositionals: true,
    })
  } catch (err) {
    throw explained(err)
  }
}

/** A generated key may begin with a dash and look like a flag, so `--key -x` becomes `--key=-x`. */
function withJoinedValues(args: readonly string[]): string[] {
  const out: string[] = []
  for (let i = 0; i < args.length; i += 1) {
    const [arg = '', next] = [args[i], args[i + 1]]
    const takesText = flagNames.some((flag) => arg === `--${flag}` && flags[flag] === 'string')
    const isValue = next?.startsWith('-') && !flagNames.some((flag) => next.split('=')[0] === `--${flag}`)
    if (takesText && isValue) i += 1
    out.push(takesText && isValue ? `${arg}=${next}` : arg)
  }
  return out
}

function explained(err: unknown): unknown {
  const option = /'(-[^ '=]*)/.exec(String(err))?.[1] ?? ''
  switch ((err as NodeJS.ErrnoException).code) {
    case 'ERR_PARSE_ARGS_UNKNOWN_OPTION': {
      const near = nearestName(option, flagNames)
      return new SettingsError(
        `option inconnue\u00a0: ${option}${near === undefined ? '' : ` (vouliez-vous dire --${near}\u202f?)`}. Les options\u00a0: ${shownFlags()}.`,
        `unknown option: ${option}${near === undefined ? '' : ` (did you mean --${near}?)`}. The options: ${shownFlags()}.`,
      )
    }
    case 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE': {
      const isBoolean = flagNames.some((flag) => `--${flag}` === option && flags[flag] === 'boolean')
      return isBoolean
        ? new SettingsError(`${option} ne prend pas de valeur.`, `${option} takes no value.`)
        : new SettingsError(`${option} attend une valeur.`, `${option} wants a value.`)
    }
    default:
      return err
  }
}

const shownFlags = () => flagNames.map((flag) => `--${flag}`).join(' ')

/** A setting's name that does not exist. */
export interface UnknownName {
  given: string
  meant?: string
}

/** Unknown names in the environment and in agent.json, each with the name that was probably meant. */
export function unknownNamesIn(
  env: Record<string, string | undefined>,
  file: Record<string, unknown>,
): UnknownName[] {
  const isFromOwnPage = (variable: string) => variable.startsWith(ENVIRONMENT_PREFIX)
  const variables = Object.keys(env).filter((name) => isFromOwnPage(name.toUpperCase()))
  return [
    ...unknownNames(variables, (name) => name.slice(ENVIRONMENT_PREFIX.length), variableOf),
    ...unknownNames(Object.keys(file), (name) => name, nameOf),
  ]
}

function unknownNames(
  given: string[],
  bare: (name: string) => string,
  shown: (flag: Flag) => string,
): UnknownName[] {
  const known = flagNames.map(shown)
  const isWindowsName = (name: string) => name !== name.toUpperCase() && known.includes(name.toUpperCase())
  return given
    .filter((name) => !known.includes(name) && !isWindowsName(name))
    .map((name) => {
      const near = nearestName(bare(name), flagNames) as Flag | undefined
      return near === undefined ? { given: name } : { given: name, meant: shown(near) }
    })
}

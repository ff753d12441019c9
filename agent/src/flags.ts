import { parseArgs } from 'node:util'
import { nearestName } from '@escale/protocol'
import { SettingsError } from './settings-error.ts'

/**
 * Each setting is a flag, an `ESCALE_AGENT_*` variable, a parameter `escale.*` of the kernel and a name in agent.json.
 * The first of these that is set wins.
 */
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
  config: 'string',
  'screen-port': 'string',
  'no-kiosk': 'boolean',
  'manage-power': 'boolean',
  'seat-lock': 'boolean',
  'guest-user': 'string',
} as const

export type Flag = keyof typeof flags
export const flagNames = Object.keys(flags) as Flag[]
/** Settings that no other user of the machine may read. */
export const secretFlags = ['enrolment-key', 'mqtt-secret'] as const satisfies Flag[]

export const ENVIRONMENT_PREFIX = 'ESCALE_AGENT_'

export const variableOf = (flag: Flag) => ENVIRONMENT_PREFIX + flag.toUpperCase().replaceAll('-', '_')
/** The setting's name in agent.json. */
export const nameOf = (flag: Flag) => flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())

/** What the command line asks for. Settings are not a matter of `help` and `version`. */
export type Verb = 'run' | 'status' | 'doctor' | 'unlock' | 'version' | 'help'
const verbs: readonly string[] = ['run', 'status', 'doctor', 'unlock', 'version', 'help'] satisfies Verb[]

export interface CommandLine {
  verb: Verb
  values: Partial<Record<Flag, unknown>>
}

/**
 * Reads the command line.
 * @throws SettingsError
 */
export function readCommandLine(args: readonly string[]): CommandLine {
  const { help, version, ...values } = parsed(args)
  const { positionals, ...given } = values
  if (help === true) return { verb: 'help', values: given }
  if (version === true) return { verb: 'version', values: given }
  return { verb: verbOf(positionals), values: given }
}

type Parsed = Partial<Record<Flag | 'help' | 'version', unknown>> & { positionals: string[] }

function parsed(args: readonly string[]): Parsed {
  try {
    const { values, positionals } = parseArgs({
      args: withJoinedValues(args),
      options: {
        ...Object.fromEntries(flagNames.map((name) => [name, { type: flags[name] }])),
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
      },
      allowPositionals: true,
    })
    return { ...values, positionals }
  } catch (err) {
    throw explained(err)
  }
}

function verbOf([verb = 'run', ...rest]: string[]): Verb {
  if (isVerb(verb) && rest.length === 0) return verb
  const given = [verb, ...rest].join(' ')
  throw new SettingsError(
    `commande inconnue\u00a0: ${given} (${verbs.join(', ')}). Avec npm, mettez «\u202f--\u202f» avant elle\u00a0: npm run agent -- run …`,
    `unknown command: ${given} (${verbs.join(', ')}). With npm, put "--" before it: npm run agent -- run …`,
    'command-line',
  )
}

const isVerb = (verb: string): verb is Verb => verbs.includes(verb)

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
  const failure = (french: string, english: string) => new SettingsError(french, english, 'command-line')
  switch ((err as NodeJS.ErrnoException).code) {
    case 'ERR_PARSE_ARGS_UNKNOWN_OPTION': {
      const near = nearestName(option, flagNames)
      return failure(
        `option inconnue\u00a0: ${option}${near === undefined ? '' : ` (vouliez-vous dire --${near}\u202f?)`}. Les options\u00a0: ${shownFlags()}.`,
        `unknown option: ${option}${near === undefined ? '' : ` (did you mean --${near}?)`}. The options: ${shownFlags()}.`,
      )
    }
    case 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE': {
      const isBoolean = flagNames.some((flag) => `--${flag}` === option && flags[flag] === 'boolean')
      return isBoolean
        ? failure(`${option} ne prend pas de valeur.`, `${option} takes no value.`)
        : failure(`${option} attend une valeur.`, `${option} wants a value.`)
    }
    default:
      return err
  }
}

const shownFlags = () => [...flagNames, 'help', 'version'].map((flag) => `--${flag}`).join(' ')

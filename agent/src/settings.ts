import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { normaliseFingerprint } from './link/fingerprint.ts'

export const DEFAULT_SCREEN_PORT = 4680

/** Each setting is a flag, an `ESCALE_AGENT_*` variable, and a name in agent.json; the first found wins. */
const flags = {
  server: 'string',
  'enrolment-key': 'string',
  'ca-fingerprint': 'string',
  'station-id': 'string',
  'mqtt-secret': 'string',
  mac: 'string',
  'data-dir': 'string',
  'screen-port': 'string',
  'no-kiosk': 'boolean',
  'manage-power': 'boolean',
} as const

type Flag = keyof typeof flags

export interface AgentSettings {
  server?: string
  enrolmentKey?: string
  /** 64 hex digits. */
  caFingerprint?: string
  stationId?: string
  mqttSecret?: string
  mac?: string
  dataDir: string
  screenPort: number
  hasKiosk: boolean
  /** Commands may turn the machine off: where the agent shows the kiosk, or was told to. */
  isInCharge: boolean
}

export type Verb = 'run' | 'status' | 'version' | 'doctor'

/** A setting that cannot be used; its message is for the person at the terminal. */
export class SettingsError extends Error {}

export interface Surroundings {
  env: Record<string, string | undefined>
  platform: NodeJS.Platform
  isRoot: boolean
}

/**
 * Reads the command line, the environment and agent.json, in that order of precedence.
 * @throws SettingsError
 */
export function readSettings(
  args: string[],
  surroundings: Surroundings,
): { verb: Verb; settings: AgentSettings } {
  const { values, positionals } = parse(args)
  const [verb = 'run', ...rest] = positionals
  if (!isVerb(verb) || rest.length > 0) {
    throw new SettingsError(`unknown command: ${positionals.join(' ')} (run, status, version, doctor)`)
  }
  const fromEnv = (flag: Flag) =>
    surroundings.env[`ESCALE_AGENT_${flag.toUpperCase().replaceAll('-', '_')}`] ?? undefined
  const dataDir = text(values['data-dir']) ?? fromEnv('data-dir') ?? defaultDataDir(surroundings)
  const file = readFile(join(dataDir, 'agent.json'))
  const find = (flag: Flag) => text(values[flag]) ?? fromEnv(flag) ?? text(file[camelCase(flag)])
  const isSet = (flag: Flag) => ['true', '1', 'yes'].includes(find(flag) ?? '')
  const server = serverOf(find('server'))
  return {
    verb,
    settings: {
      server,
      enrolmentKey: find('enrolment-key'),
      caFingerprint: fingerprintFor(server, find('ca-fingerprint')),
      stationId: find('station-id'),
      mqttSecret: find('mqtt-secret'),
      mac: find('mac'),
      dataDir,
      screenPort: portOf(find('screen-port')),
      hasKiosk: !isSet('no-kiosk'),
      isInCharge: !isSet('no-kiosk') || isSet('manage-power'),
    },
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: Object.fromEntries(Object.entries(flags).map(([name, type]) => [name, { type }])),
      allowPositionals: true,
    })
  } catch (err) {
    throw new SettingsError(err instanceof Error ? err.message : String(err))
  }
}

const isVerb = (verb: string): verb is Verb => ['run', 'status', 'version', 'doctor'].includes(verb)

const camelCase = (flag: string) => flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())

function text(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

function readFile(path: string): Record<string, unknown> {
  let content: string
  try {
    content = readFileSync(path, 'utf8')
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new SettingsError(`${path} cannot be read: ${String(err)}`)
  }
  try {
    const value: unknown = JSON.parse(content)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  } catch {
    // Said below, together with JSON that is no object.
  }
  throw new SettingsError(`${path} is not a JSON object`)
}

function serverOf(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new SettingsError(`--server wants an address such as https://server:3443, not ${value}`)
  }
  return url.origin
}

function fingerprintFor(server: string | undefined, value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const fingerprint = normaliseFingerprint(value)
  if (fingerprint === undefined) {
    throw new SettingsError(
      `--ca-fingerprint wants a SHA-256 as "npm run cert -- --show" prints it, not ${value}`,
    )
  }
  if (server?.startsWith('http:')) {
    throw new SettingsError(`--ca-fingerprint checks an https server, and ${server} is not encrypted`)
  }
  return fingerprint
}

function portOf(value: string | undefined): number {
  const port = value === undefined ? DEFAULT_SCREEN_PORT : Number(value)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new SettingsError(`--screen-port wants 0 to 65535, not ${String(value)}`)
}

function defaultDataDir({ env, platform, isRoot }: Surroundings): string {
  if (platform === 'win32') return join(env.ProgramData ?? 'C:\\ProgramData', 'Escale')
  if (isRoot) return '/var/lib/escale-agent'
  return join(env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'escale-agent')
}

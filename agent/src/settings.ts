import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Bilingual } from '@escale/protocol'
import { nameOf, readCommandLine, variableOf, type Flag, type secretFlags } from './flags.ts'
import { kernelSettingsOf } from './kernel-command-line.ts'
import {
  fingerprintFor,
  isTrue,
  macOf,
  portOf,
  reservedPortOf,
  secretIn,
  serverOf,
  unencryptedWarning,
} from './setting-values.ts'
import { SettingsError } from './settings-error.ts'
import { readSettingsFile } from './settings-file.ts'
import { warnOfUnknownNames } from './unknown-names.ts'

export interface AgentSettings {
  server?: string
  /** The site key, or a diskless station's boot token. */
  enrolmentKey?: string
  /** 64 hex digits. */
  caFingerprint?: string
  stationId?: string
  mqttSecret?: string
  mac?: string
  dataDir: string
  screenPort: number
  hasKiosk: boolean
  /** Whether commands may reboot or shut down the machine: with the kiosk, or with --manage-power. */
  mayControlPower: boolean
  /** Linux: whether the lock and the visitor's session each have a terminal of the machine. */
  hasSeatLock: boolean
  /** Linux: the visitors' account. Without it, nothing is removed after a session. */
  guestUser?: string
}

export interface ReadSettings {
  settings: AgentSettings
  /** Settings that work but are probably a mistake. */
  warnings: Bilingual[]
}

export interface Surroundings {
  env: Record<string, string | undefined>
  platform: NodeJS.Platform
  isRoot: boolean
  /** The command line with which the kernel was started. */
  kernelCommandLine?: string
}

/**
 * Reads the command line, the environment, the kernel's command line and agent.json, in that order of precedence.
 * @throws SettingsError
 */
export function readSettings(args: string[], surroundings: Surroundings): ReadSettings {
  const { env, kernelCommandLine = '' } = surroundings
  const { values } = readCommandLine(args)
  const kernel = kernelSettingsOf(kernelCommandLine)
  const outsideFile = [
    (flag: Flag) => values[flag],
    // An empty variable counts as not set.
    (flag: Flag) => env[variableOf(flag)] || undefined,
    (flag: Flag) => kernel.values[flag],
  ]
  const path = settingsFileFor((flag) => firstOf(outsideFile, (source) => text(source(flag))), surroundings)
  const file = readSettingsFile(path.file, path.isRequired)
  // So does an empty text in the file, where a technician fills in a form.
  const sources = [
    ...outsideFile,
    (flag: Flag) => (file[nameOf(flag)] === '' ? undefined : file[nameOf(flag)]),
  ]
  const find = (flag: Flag) => firstOf(sources, (source) => textOf(flag, source(flag)))
  /** A secret is given as a value or as a file that holds it. The first source that gives either wins. */
  const findSecret = (flag: (typeof secretFlags)[number]) =>
    firstOf(sources, (source) => {
      const secretFile = textOf(flag, source(`${flag}-file`))
      return textOf(flag, source(flag)) ?? (secretFile === undefined ? undefined : secretIn(secretFile, flag))
    })
  const server = serverOf(find('server'))
  const isSet = (flag: Flag) => isTrue(flag, find(flag))
  const hasSeatLock = isSet('seat-lock')
  return {
    settings: {
      server,
      enrolmentKey: findSecret('enrolment-key'),
      caFingerprint: fingerprintFor(server, find('ca-fingerprint')),
      stationId: find('station-id'),
      mqttSecret: findSecret('mqtt-secret'),
      mac: macOf(find('mac')),
      dataDir: find('data-dir') ?? defaultDataDir(surroundings, kernel.isDiskless),
      screenPort: hasSeatLock ? reservedPortOf(find('screen-port')) : portOf(find('screen-port')),
      hasKiosk: !isSet('no-kiosk'),
      mayControlPower: !isSet('no-kiosk') || isSet('manage-power'),
      hasSeatLock,
      guestUser: find('guest-user'),
    },
    warnings: [
      ...warnOfUnknownNames(env, kernel.unknown, file),
      ...kernel.warnings,
      ...unencryptedWarning(server),
    ],
  }
}

function firstOf<S, T>(sources: readonly S[], look: (source: S) => T | undefined): T | undefined {
  for (const source of sources) {
    const found = look(source)
    if (found !== undefined) return found
  }
  return undefined
}

function text(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

/** @throws SettingsError for a list or an object in agent.json */
function textOf(flag: Flag, value: unknown): string | undefined {
  const found = text(value)
  if (found !== undefined || value === undefined || value === null) return found
  throw new SettingsError(
    `${nameOf(flag)} attend dans agent.json un texte, un nombre, true ou false.`,
    `${nameOf(flag)} wants a text, a number, true or false in agent.json.`,
    'file',
  )
}

const isRootOfLinux = ({ platform, isRoot }: Surroundings) => platform !== 'win32' && isRoot

/** The file that --config names, else agent.json: in the folder of --data-dir, in /etc for root, or in the usual folder. */
function settingsFileFor(find: (flag: Flag) => string | undefined, surroundings: Surroundings) {
  const given = find('config')
  if (given !== undefined) return { file: given, isRequired: true }
  const usual = isRootOfLinux(surroundings) ? '/etc/escale' : defaultDataDir(surroundings, false)
  return { file: join(find('data-dir') ?? usual, 'agent.json'), isRequired: false }
}

/**
 * The folder of the identity and the state. On a diskless station it is in memory: its boot token works only once, so an
 * agent that starts again needs what the first one was given.
 */
function defaultDataDir(surroundings: Surroundings, isDiskless: boolean): string {
  const { env, platform } = surroundings
  if (platform === 'win32') return join(env.ProgramData ?? 'C:\\ProgramData', 'Escale')
  if (isRootOfLinux(surroundings)) return isDiskless ? '/run/escale-agent' : '/var/lib/escale-agent'
  return join(env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'escale-agent')
}

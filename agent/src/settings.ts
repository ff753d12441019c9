import { homedir } from 'node:os'
import { join } from 'node:path'
import { isIdentifyingMac, isLoopback, normaliseMac, type Bilingual } from '@escale/protocol'
import type { secretFlags } from './flags.ts'
import { nameOf, parseFlags, unknownNamesIn, variableOf, type Flag, type UnknownName } from './flags.ts'
import { normaliseFingerprint } from './link/fingerprint.ts'
import { SettingsError } from './settings-error.ts'
import { readSettingsFile } from './settings-file.ts'
import { readTextFile } from './text-file.ts'

export const DEFAULT_SCREEN_PORT = 4680

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
  /** Whether commands may reboot or shut down the machine: with the kiosk, or with --manage-power. */
  mayControlPower: boolean
}

export type Verb = 'run' | 'status' | 'version' | 'doctor'

export interface ReadSettings {
  verb: Verb
  settings: AgentSettings
  /** Settings that work but are probably a mistake. */
  warnings: Bilingual[]
}

export interface Surroundings {
  env: Record<string, string | undefined>
  platform: NodeJS.Platform
  isRoot: boolean
}

/**
 * Reads the command line, the environment and agent.json, in that order of precedence.
 * @throws SettingsError
 */
export function readSettings(args: string[], surroundings: Surroundings): ReadSettings {
  const { env } = surroundings
  const { values, positionals } = parseFlags(args)
  const dataDir = text(values['data-dir']) ?? (env[variableOf('data-dir')] || defaultDataDir(surroundings))
  const file = readSettingsFile(join(dataDir, 'agent.json'))
  const sources = [
    (flag: Flag) => values[flag],
    // An empty variable counts as not set.
    (flag: Flag) => env[variableOf(flag)] || undefined,
    (flag: Flag) => file[nameOf(flag)],
  ]
  const find = (flag: Flag) => firstOf(sources, (source) => textOf(flag, source(flag)))
  /** A secret is given as a value or as a file that holds it. The first source that gives either wins. */
  const findSecret = (flag: (typeof secretFlags)[number]) =>
    firstOf(sources, (source) => {
      const path = textOf(flag, source(`${flag}-file`))
      return textOf(flag, source(flag)) ?? (path === undefined ? undefined : secretIn(path, flag))
    })
  const server = serverOf(find('server'))
  const isSet = (flag: Flag) => isTrue(flag, find(flag))
  return {
    verb: verbOf(positionals),
    settings: {
      server,
      enrolmentKey: findSecret('enrolment-key'),
      caFingerprint: fingerprintFor(server, find('ca-fingerprint')),
      stationId: find('station-id'),
      mqttSecret: findSecret('mqtt-secret'),
      mac: macOf(find('mac')),
      dataDir,
      screenPort: portOf(find('screen-port')),
      hasKiosk: !isSet('no-kiosk'),
      mayControlPower: !isSet('no-kiosk') || isSet('manage-power'),
    },
    warnings: [...unknownNamesIn(env, file).map(unknownNameWarning), ...unencryptedWarning(server)],
  }
}

function firstOf<S, T>(sources: readonly S[], look: (source: S) => T | undefined): T | undefined {
  for (const source of sources) {
    const found = look(source)
    if (found !== undefined) return found
  }
  return undefined
}

function verbOf([verb = 'run', ...rest]: string[]): Verb {
  if (isVerb(verb) && rest.length === 0) return verb
  const given = [verb, ...rest].join(' ')
  throw new SettingsError(
    `commande inconnue\u00a0: ${given} (run, status, version, doctor). Avec npm, mettez «\u202f--\u202f» avant elle\u00a0: npm run agent -- run …`,
    `unknown command: ${given} (run, status, version, doctor). With npm, put "--" before it: npm run agent -- run …`,
  )
}

const isVerb = (verb: string): verb is Verb => ['run', 'status', 'version', 'doctor'].includes(verb)

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
  )
}

function isTrue(flag: Flag, value = ''): boolean {
  if (['true', '1', 'yes', 'oui'].includes(value.toLowerCase())) return true
  if (['', 'false', '0', 'no', 'non'].includes(value.toLowerCase())) return false
  throw new SettingsError(
    `--${flag} vaut true ou false, et non ${value}.`,
    `--${flag} is true or false, not ${value}.`,
  )
}

/** Reads a file that holds only the secret, with or without a line end. */
function secretIn(path: string, flag: Flag): string {
  const secret = readTextFile(path)?.trim()
  if (secret !== undefined && /^\S+$/.test(secret)) return secret
  const [french, english] =
    secret === undefined
      ? ['n’existe pas', 'does not exist']
      : ['ne contient pas un secret seul', 'does not hold one secret alone']
  throw new SettingsError(
    `--${flag}-file\u00a0: ${path} ${french}. Copiez-y la clé, seule sur une ligne.`,
    `--${flag}-file: ${path} ${english}. Copy the key into it, alone on one line.`,
  )
}

function serverOf(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url.origin
  throw new SettingsError(
    `--server attend une adresse comme https://serveur:3443, et non ${value}.`,
    `--server wants an address such as https://server:3443, not ${value}.`,
  )
}

function fingerprintFor(server: string | undefined, value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const fingerprint = normaliseFingerprint(value)
  if (fingerprint === undefined) {
    throw new SettingsError(
      `--ca-fingerprint attend un SHA-256 tel que l’affiche «\u202fnpm run cert -- --show\u202f», et non ${value}.`,
      `--ca-fingerprint wants a SHA-256 as "npm run cert -- --show" prints it, not ${value}.`,
    )
  }
  if (server?.startsWith('http:')) {
    throw new SettingsError(
      `--ca-fingerprint vérifie un serveur https, et ${server} n’est pas chiffré.`,
      `--ca-fingerprint checks an https server, and ${server} is not encrypted.`,
    )
  }
  return fingerprint
}

function macOf(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const mac = normaliseMac(value)
  if (mac !== undefined && isIdentifyingMac(mac)) return mac
  throw new SettingsError(
    `--mac attend l’adresse MAC d’une carte, comme 3c:52:82:11:22:33, et non ${value}.`,
    `--mac wants a card’s MAC address, such as 3c:52:82:11:22:33, not ${value}.`,
  )
}

function portOf(value: string | undefined): number {
  const port = value === undefined ? DEFAULT_SCREEN_PORT : Number(value)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new SettingsError(
    `--screen-port attend un nombre de 0 à 65535, et non ${String(value)}.`,
    `--screen-port wants 0 to 65535, not ${String(value)}.`,
  )
}

function unknownNameWarning({ given, meant }: UnknownName): Bilingual {
  return {
    fr: `${given} ne règle rien${meant === undefined ? '' : `\u00a0: vouliez-vous dire ${meant}\u202f?`}`,
    en: `${given} sets nothing${meant === undefined ? '' : `: did you mean ${meant}?`}`,
  }
}

/** Without encryption, anybody on the network can read the station's secret. On this machine alone that is no risk. */
function unencryptedWarning(server: string | undefined): Bilingual[] {
  if (!server?.startsWith('http:')) return []
  const host = new URL(server).hostname.replace(/^\[|\]$/g, '')
  if (host === 'localhost' || isLoopback(host)) return []
  return [
    {
      fr: `${server} n’est pas chiffré\u00a0: quiconque écoute le réseau lit les codes et le secret du poste. Donnez l’adresse https du serveur.`,
      en: `${server} is not encrypted: whoever listens on the network reads codes and the station’s secret. Give the server’s https address.`,
    },
  ]
}

function defaultDataDir({ env, platform, isRoot }: Surroundings): string {
  if (platform === 'win32') return join(env.ProgramData ?? 'C:\\ProgramData', 'Escale')
  if (isRoot) return '/var/lib/escale-agent'
  return join(env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'escale-agent')
}

import { isIdentifyingMac, isLoopback, normaliseMac, type Bilingual } from '@escale/protocol'
import type { Flag } from './flags.ts'
import { normaliseFingerprint } from './link/fingerprint.ts'
import { SettingsError } from './settings-error.ts'
import { readTextFile } from './text-file.ts'

const DEFAULT_SCREEN_PORT = 4680
/** Only root may listen below 1024. */
const DEFAULT_RESERVED_PORT = 680
const FIRST_FREE_PORT = 1_024

export function isTrue(flag: Flag, value = ''): boolean {
  if (['true', '1', 'yes', 'oui'].includes(value.toLowerCase())) return true
  if (['', 'false', '0', 'no', 'non'].includes(value.toLowerCase())) return false
  throw new SettingsError(
    `--${flag} vaut true ou false, et non ${value}.`,
    `--${flag} is true or false, not ${value}.`,
  )
}

/** Reads a file that holds only the secret, with or without a line end. */
export function secretIn(path: string, flag: Flag): string {
  const secret = readTextFile(path)?.trim()
  if (secret !== undefined && /^\S+$/.test(secret)) return secret
  const [french, english] =
    secret === undefined
      ? ['n’existe pas', 'does not exist']
      : ['ne contient pas un secret seul', 'does not hold one secret alone']
  throw new SettingsError(
    `--${flag}-file\u00a0: ${path} ${french}. Copiez-y la clé, seule sur une ligne.`,
    `--${flag}-file: ${path} ${english}. Copy the key into it, alone on one line.`,
    'file',
  )
}

export function serverOf(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url.origin
  throw new SettingsError(
    `--server attend une adresse comme https://serveur:3443, et non ${value}.`,
    `--server wants an address such as https://server:3443, not ${value}.`,
  )
}

export function fingerprintFor(server: string | undefined, value: string | undefined): string | undefined {
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

export function macOf(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const mac = normaliseMac(value)
  if (mac !== undefined && isIdentifyingMac(mac)) return mac
  throw new SettingsError(
    `--mac attend l’adresse MAC d’une carte, comme 3c:52:82:11:22:33, et non ${value}.`,
    `--mac wants a card’s MAC address, such as 3c:52:82:11:22:33, not ${value}.`,
  )
}

export function portOf(value: string | undefined): number {
  const port = value === undefined ? DEFAULT_SCREEN_PORT : Number(value)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new SettingsError(
    `--screen-port attend un nombre de 0 à 65535, et non ${String(value)}.`,
    `--screen-port wants 0 to 65535, not ${String(value)}.`,
  )
}

/**
 * The screen's port on a station where visitors' programs run as another user: they must not be able to take it while the
 * agent starts again.
 */
export function reservedPortOf(value: string | undefined): number {
  const port = value === undefined ? DEFAULT_RESERVED_PORT : portOf(value)
  if (port > 0 && port < FIRST_FREE_PORT) return port
  throw new SettingsError(
    `avec --seat-lock, --screen-port doit être inférieur à ${FIRST_FREE_PORT}, pour qu’aucun programme du visiteur ne puisse le prendre. Retirez-le\u00a0: ce sera ${DEFAULT_RESERVED_PORT}.`,
    `with --seat-lock, --screen-port must be below ${FIRST_FREE_PORT}, so that no program of the visitor can take it. Remove it: it will be ${DEFAULT_RESERVED_PORT}.`,
  )
}

/** Without encryption, anybody on the network can read the station's secret. On this machine alone that is no risk. */
export function unencryptedWarning(server: string | undefined): Bilingual[] {
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

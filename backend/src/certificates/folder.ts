import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import { issueApart } from './issue-apart.ts'
import { speaksFor, type Names } from './names.ts'
import { certificatesIn, expiryMsOf, readServerCertificate, type ServerCertificate } from './pem.ts'

const DAY_MS = 24 * 3_600_000
/** A certificate of ours with less left is replaced; of one of the site's own the log warns. */
export const RENEW_BEFORE_DAYS = 30

/** Files of the folder, each whole: what belongs together is replaced together. */
const files = {
  /** Key and certificate of the authority made here. */
  authority: 'authority.pem',
  /** Key and certificates of the server, signed by it. */
  server: 'server.pem',
  /** Key and certificates of the site's own, which win. */
  site: 'site.pem',
  /** The authority's certificate alone, for whoever wants to check: no secret. */
  shown: 'ca.pem',
} as const

export interface CertificateFolder {
  readonly path: string
  /** The certificate to serve with, made or renewed where it must be. @throws Error for files that cannot be used */
  ensure(): Promise<ServerCertificate>
  /** The certificate as the files have it; undefined where there is none yet. @throws Error as `ensure` */
  read(): ServerCertificate | undefined
  /** Makes another for the server, by the same authority. */
  renew(): Promise<ServerCertificate>
  /** Takes the site's own, from PEM of key and certificates. @throws Error when they cannot be used */
  takeSiteOwn(pem: string): ServerCertificate
  /** Goes back to the certificate made here. */
  dropSiteOwn(): void
  isSiteOwn(): boolean
  /** What a certificate should be good for and is not; of the site's own only what the settings name. */
  missingNames(certificate: ServerCertificate): string[]
}

/** Keeps the certificates of a data folder; its keys can be read by the server's user alone. */
export function createCertificateFolder(dataDir: string, names: Names, clock: Clock): CertificateFolder {
  const path = join(dataDir, 'certificates')
  const textOf = (name: keyof typeof files) => {
    try {
      return readFileSync(join(path, files[name]), 'utf8')
    } catch (err) {
      if ((err as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw err
    }
  }
  const draftOf = (name: keyof typeof files, text: string) => {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    const draft = join(path, `.${files[name]}.${process.pid}`)
    writeFileSync(draft, text, { mode: name === 'shown' ? 0o644 : 0o600 })
    return draft
  }
  const replace = (name: keyof typeof files, text: string) =>
    renameSync(draftOf(name, text), join(path, files[name]))

  /** Of two servers that start at once on one folder, the first one's authority is everybody's. */
  function keepAuthority(text: string): boolean {
    const draft = draftOf('authority', text)
    try {
      linkSync(draft, join(path, files.authority))
      return true
    } catch (err) {
      if ((err as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw err
    } finally {
      rmSync(draft)
    }
  }

  function show(certificate: ServerCertificate): ServerCertificate {
    if (certificate.authority === textOf('shown')) return certificate
    if (certificate.authority === undefined) rmSync(join(path, files.shown), { force: true })
    else replace('shown', certificate.authority)
    return certificate
  }

  async function renew(): Promise<ServerCertificate> {
    const authority = textOf('authority')
    const { machine, required, more } = names
    const request = { machine, names: [...new Set([...required, ...more])], nowMs: clock.nowMs() }
    const issued = await issueApart({ ...request, authority })
    if (authority === undefined && !keepAuthority(issued.authority)) return renew()
    replace('server', issued.server)
    return readServerCertificate(issued.server)
  }

  function read(): ServerCertificate | undefined {
    const text = textOf('site') ?? textOf('server')
    return text === undefined ? undefined : readServerCertificate(text)
  }

  /** Whether a certificate of ours can go on: of this authority, for these names, for a while. */
  function isGood({ leaf, authority }: ServerCertificate): boolean {
    const [issuer] = certificatesIn(textOf('authority') ?? '')
    return (
      String(issuer) === authority &&
      daysLeft(leaf, clock.nowMs()) >= RENEW_BEFORE_DAYS &&
      missingOf(leaf, names.required).length === 0
    )
  }

  return {
    path,
    read,
    renew: async () => show(await renew()),
    async ensure() {
      const found = textOf('site') === undefined ? readable(textOf('server')) : read()
      const isKept = found && (textOf('site') !== undefined || isGood(found))
      return show(isKept ? found : await renew())
    },
    takeSiteOwn(pem) {
      const certificate = readServerCertificate(pem)
      replace('site', pem)
      return show(certificate)
    },
    dropSiteOwn: () => rmSync(join(path, files.site), { force: true }),
    isSiteOwn: () => textOf('site') !== undefined,
    missingNames: ({ leaf }) => missingOf(leaf, textOf('site') === undefined ? names.required : names.given),
  }
}

/** Whole days until a certificate ends; negative once it has. */
export function daysLeft(certificate: ServerCertificate['leaf'], nowMs: number): number {
  return Math.floor((expiryMsOf(certificate) - nowMs) / DAY_MS)
}

/** A file of ours that was damaged is simply made again. */
function readable(text: string | undefined): ServerCertificate | undefined {
  try {
    return text === undefined ? undefined : readServerCertificate(text)
  } catch {
    return undefined
  }
}

const missingOf = (leaf: ServerCertificate['leaf'], wanted: string[]) =>
  wanted.filter((name) => !speaksFor(leaf, name))

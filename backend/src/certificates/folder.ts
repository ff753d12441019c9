import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DAY_MS } from '@escale/protocol'
import type { Clock } from '../clock.ts'
import { askProcess } from '../process-answer.ts'
import type { IssueRequest, Issued } from './issue.ts'
import { isValidFor, type Names } from './names.ts'
import { certificatesIn, expiryMsOf, readServerCertificate, type ServerCertificate } from './pem.ts'

/** A certificate that Escale made is replaced when it has fewer days left; for the site's own, the log warns. */
export const RENEW_BEFORE_DAYS = 30

/** Files of the folder. What belongs together is in one file, so that it is replaced at once. */
const files = {
  /** Key and certificate of the authority made here. */
  authority: 'authority.pem',
  /** Key and certificates of the server, signed by it. */
  server: 'server.pem',
  /** Key and certificates that the site brought itself; used instead of `server` when there. */
  site: 'site.pem',
  /** The authority's certificate alone, without any secret, for clients. */
  shown: 'ca.pem',
} as const

export interface CertificateFolder {
  readonly path: string
  /** The certificate to serve with, made or renewed first if needed. @throws Error for files that cannot be used */
  ensure(): Promise<ServerCertificate>
  /** The certificate in the files; undefined when there is none yet. @throws Error as `ensure` does */
  read(): ServerCertificate | undefined
  /** Makes a new certificate for the server, signed by the same authority. */
  renew(): Promise<ServerCertificate>
  /** Serves with the site's own certificate from now on. @param pem key and certificates @throws Error when they cannot be used */
  useSiteOwn(pem: string): ServerCertificate
  /** Goes back to the certificate made here. */
  dropSiteOwn(): void
  isSiteOwn(): boolean
  /** Names that a certificate should be valid for and is not; for the site's own, only names from the settings count. */
  missingNames(certificate: ServerCertificate): string[]
}

/** The certificates in a data folder. Only the server's user can read the keys. */
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

  /** When two servers start at once on one folder, both use the authority of the first. */
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
    const wanted = [...new Set([...required, ...more])]
    const issued = await issueInProcess({ machine, names: wanted, nowMs: clock.nowMs(), authority })
    if (authority === undefined && !keepAuthority(issued.authority)) return renew()
    replace('server', issued.server)
    return readServerCertificate(issued.server)
  }

  function read(): ServerCertificate | undefined {
    const text = textOf('site') ?? textOf('server')
    return text === undefined ? undefined : readServerCertificate(text)
  }

  /** Whether a certificate that Escale made can stay: signed by this authority, valid for all names and long enough. */
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
    useSiteOwn(pem) {
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

/** In a process of its own: the library takes 25 MB of memory that this process would keep. */
const issueInProcess = (request: IssueRequest) =>
  askProcess<Issued>(new URL('issue-process.ts', import.meta.url), request, 'certificates cannot be made')

/** Undefined for a damaged file of ours: it is simply made again. */
function readable(text: string | undefined): ServerCertificate | undefined {
  try {
    return text === undefined ? undefined : readServerCertificate(text)
  } catch {
    return undefined
  }
}

const missingOf = (leaf: ServerCertificate['leaf'], wanted: string[]) =>
  wanted.filter((name) => !isValidFor(leaf, name))

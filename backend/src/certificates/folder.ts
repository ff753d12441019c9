import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DAY_MS } from '@escale/protocol'
import type { Clock } from '../clock.ts'
import { askProcess } from '../process-answer.ts'
import { createFile, replaceFile } from '../setup/small-files.ts'
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

export type CertificateFolder = ReturnType<typeof createCertificateFolder>

/** The certificates in a data folder. Only the server's user can read the keys. */
export function createCertificateFolder(dataDir: string, names: Names, clock: Clock) {
  const path = join(dataDir, 'certificates')
  const fileOf = (name: keyof typeof files) => join(path, files[name])
  const textOf = (name: keyof typeof files) => {
    try {
      return readFileSync(fileOf(name), 'utf8')
    } catch (err) {
      if ((err as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw err
    }
  }
  const isSiteOwn = () => textOf('site') !== undefined
  const makeFolder = () => mkdirSync(path, { recursive: true, mode: 0o700 })

  /** Keeps the authority's certificate beside it, for clients. */
  function show(certificate: ServerCertificate): ServerCertificate {
    if (certificate.authority === textOf('shown')) return certificate
    if (certificate.authority === undefined) rmSync(fileOf('shown'), { force: true })
    else replaceFile(fileOf('shown'), certificate.authority, 0o644)
    return certificate
  }

  /** Makes a new certificate for the server, signed by the same authority. */
  async function renew(): Promise<ServerCertificate> {
    const authority = textOf('authority')
    const { machine, required, more } = names
    const wanted = [...new Set([...required, ...more])]
    const issued = await issueInProcess({ machine, names: wanted, nowMs: clock.nowMs(), authority })
    makeFolder()
    // When two servers start at once on one folder, both use the authority of the first.
    if (authority === undefined && !createFile(fileOf('authority'), issued.authority)) return renew()
    replaceFile(fileOf('server'), issued.server)
    return show(readServerCertificate(issued.server))
  }

  /** The certificate in the files; undefined when there is none yet. @throws Error for files that cannot be used */
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
    renew,
    /** The certificate to serve with, made or renewed first if needed. @throws Error for files that cannot be used */
    async ensure(): Promise<ServerCertificate> {
      const site = textOf('site')
      if (site !== undefined) return show(readServerCertificate(site))
      const found = readable(textOf('server'))
      return found && isGood(found) ? show(found) : renew()
    },
    /** Serves with the site's own certificate from now on. @param pem key and certificates @throws Error when they cannot be used */
    useSiteOwn(pem: string): ServerCertificate {
      const certificate = readServerCertificate(pem)
      makeFolder()
      replaceFile(fileOf('site'), pem)
      return show(certificate)
    },
    /** Goes back to the certificate made here. */
    dropSiteOwn: () => rmSync(fileOf('site'), { force: true }),
    isSiteOwn,
    /** Names that a certificate should be valid for and is not; for the site's own, only names from the settings count. */
    missingNames: ({ leaf }: ServerCertificate) =>
      missingOf(leaf, isSiteOwn() ? names.given : names.required),
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

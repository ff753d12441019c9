import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { connect, type TLSSocket } from 'node:tls'
import type { Logger } from 'pino'
import { Type, type Static } from 'typebox'
import { createBackoff } from './backoff.ts'
import { fingerprintOf, shownFingerprint } from './fingerprint.ts'
import { tlsFailureOf } from './tls-failure.ts'

const ANSWER_LIMIT_MS = 10_000

/** By what a station knows its server. */
export const Trust = Type.Object({
  server: Type.String(),
  /** PEM of the authority; without it the machine's own ones are asked. */
  caCertificate: Type.Optional(Type.String()),
  /** Named at install by its fingerprint, taken as it was first seen, or known to the machine. */
  origin: Type.Union([Type.Literal('given'), Type.Literal('first-use'), Type.Literal('machine')]),
})
export type Trust = Static<typeof Trust>

export interface TrustOptions {
  /** `https://host:port`. */
  server: string
  /** 64 hex digits. */
  caFingerprint?: string
  saved?: Trust
  log: Logger
  signal: AbortSignal
}

/** A certificate that was shown and not taken; the message says why, and what to do. */
class Distrust extends Error {}

/**
 * Finds out by which authority the server is to be known: the saved one; else the one with the fingerprint given;
 * else one that the machine knows; else the one that the server shows, this first time. Asks until the server
 * answers as it should. Rejects only when `signal` is aborted.
 */
export async function establishTrust(options: TrustOptions): Promise<Trust> {
  const { server, saved, caFingerprint, log, signal } = options
  if (saved?.server === server && isWanted(saved, caFingerprint)) return saved
  const backoff = createBackoff({ leastMs: 1_000, mostMs: 60_000 })
  for (;;) {
    try {
      const trust = await findTrust(server, caFingerprint, signal)
      tell(trust, log)
      return trust
    } catch (err) {
      signal.throwIfAborted()
      const retryMs = backoff.nextMs()
      const reason = err instanceof Distrust ? err.message : tlsFailureOf(err)
      if (reason === undefined) log.warn({ err, server, retryMs }, 'the server cannot be reached')
      else log.error({ server, retryMs, reason }, 'the server is not trusted')
      await wait(retryMs, undefined, { signal })
    }
  }
}

/**
 * Whether what was given under one address may be shown under another: both are of the same authority, or neither is
 * encrypted, so that whoever answers could have heard it before. The machine's own authorities vouch for too many.
 */
export function isSameSite(
  given: { server: string; caCertificate?: string },
  now: { server: string; caCertificate?: string },
): boolean {
  const isPlain = [given, now].every(({ server }) => server.startsWith('http:'))
  if (isPlain || given.caCertificate === undefined || now.caCertificate === undefined) return isPlain
  const [before, after] = [given.caCertificate, now.caCertificate].map((pem) => new X509Certificate(pem))
  return before !== undefined && after !== undefined && fingerprintOf(before) === fingerprintOf(after)
}

function isWanted({ caCertificate }: Trust, caFingerprint: string | undefined): boolean {
  if (caFingerprint === undefined) return true
  return caCertificate !== undefined && fingerprintOf(new X509Certificate(caCertificate)) === caFingerprint
}

async function findTrust(
  server: string,
  caFingerprint: string | undefined,
  signal: AbortSignal,
): Promise<Trust> {
  const { isKnown, chain } = await look(server, signal)
  const trust = choose(server, caFingerprint, isKnown, chain)
  // What was chosen must hold for name and dates too, before it is kept.
  if (trust.caCertificate !== undefined) await checkServer(server, trust.caCertificate, signal)
  return trust
}

function choose(
  server: string,
  caFingerprint: string | undefined,
  isKnown: boolean,
  chain: X509Certificate[],
): Trust {
  const root = chain.findLast((certificate) => certificate.checkIssued(certificate))
  if (caFingerprint !== undefined) {
    const pinned = chain.find((certificate) => fingerprintOf(certificate) === caFingerprint)
    if (pinned) return { server, caCertificate: String(pinned), origin: 'given' }
    const shown = root ? `the authority ${root.fingerprint256}` : 'no authority'
    throw new Distrust(
      `the server shows ${shown}, not the one given with --ca-fingerprint: compare with "npm run cert -- --show" ` +
        'on the server; where they differ, somebody else is answering',
    )
  }
  if (isKnown) return { server, origin: 'machine' }
  if (root) return { server, caCertificate: String(root), origin: 'first-use' }
  throw new Distrust(
    'the server’s certificate is of an authority that this machine does not know and the server does not show: ' +
      'give it to the server with "npm run cert -- --cert … --key … --ca …"',
  )
}

/** Sees what the server shows. Nothing is said or heard over this connection, so nothing has to be verified yet. */
async function look(server: string, signal: AbortSignal) {
  const socket = await open(server, { rejectUnauthorized: false }, signal)
  const chain = chainOf(socket.getPeerCertificate(true))
  socket.destroy()
  return { isKnown: socket.authorized, chain }
}

/** As Node gives a chain: the last one names itself as its issuer, or none. */
interface Shown {
  raw: Buffer
  issuerCertificate?: Shown
}

function chainOf(shown: Shown): X509Certificate[] {
  const chain: X509Certificate[] = []
  let next: Shown | undefined = shown
  while (next !== undefined) {
    const { raw, issuerCertificate }: Shown = next
    if (chain.some((known) => known.raw.equals(raw))) break
    chain.push(new X509Certificate(raw))
    next = issuerCertificate
  }
  return chain
}

/** @throws Error with Node's code when the server is not who it should be */
export async function checkServer(
  server: string,
  caCertificate: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const socket = await open(server, { ca: caCertificate }, signal)
  socket.destroy()
}

function open(
  server: string,
  verification: { rejectUnauthorized?: false; ca?: string },
  signal: AbortSignal,
): Promise<TLSSocket> {
  const { hostname, port, protocol } = new URL(server)
  const host = hostname.replace(/^\[|\]$/g, '')
  const usual = protocol === 'mqtts:' ? 8883 : 443
  return new Promise((resolve, reject) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_LIMIT_MS)])
    const servername = isIP(host) ? undefined : host
    const socket = connect({ host, port: Number(port) || usual, servername, ...verification })
    const abort = () => socket.destroy(new Error('no answer in time'))
    limit.addEventListener('abort', abort, { once: true })
    socket.once('close', () => limit.removeEventListener('abort', abort))
    socket.once('secureConnect', () => resolve(socket))
    socket.on('error', reject)
  })
}

function tell({ origin, caCertificate, server }: Trust, log: Logger): void {
  const authority = caCertificate && shownFingerprint(caCertificate)
  if (origin === 'first-use') {
    log.warn(
      { server, authority },
      'authority trusted on first use: compare it with "npm run cert -- --show" on the server',
    )
  } else log.info({ server, authority, origin }, 'the server is trusted')
}

import { setTimeout as wait } from 'node:timers/promises'
import type { Logger } from 'pino'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { restApi, type EnrolInput, type Enrolled, type PairingPending } from '@escale/protocol'
import { createBackoff } from './backoff.ts'
import { postJson } from './post-json.ts'
import { plainFailureOf, tlsFailureOf } from './tls-failure.ts'

const ANSWER_LIMIT_MS = 10_000
const MAX_PAIRING_WAIT_SECONDS = 300

const { path, answers } = restApi.enrolment.enrol
// Open, unlike the server's schema: a newer server may tell more.
const enrolled = Compile(Type.Object(answers[200].properties))
const pairing = Compile(Type.Object(answers[202].properties))

export interface EnrolmentOptions {
  /** Base address of the server, `http://host:port` or `https://…`. */
  server: string
  /** PEM of the authority that an https server is checked by; without it the machine's own ones are. */
  caCertificate?: string
  /** An identity that this server may have given, under another address: it is renewed where that is so. */
  known?: Pick<Enrolled, 'stationId' | 'mqttSecret'>
  /** What the machine says of itself, as of now; a request that waits is not described anew. */
  request: () => Promise<EnrolInput>
  onPairingCode: (code: string) => void
  log: Logger
  signal: AbortSignal
}

type Attempt =
  | { kind: 'enrolled'; identity: Enrolled }
  | { kind: 'pairing'; pairing: PairingPending }
  | { kind: 'refused'; status: number; code?: string }
  | { kind: 'unreachable'; err: unknown }

/**
 * Asks for the station's identity until the server gives it: at once, or when an operator has accepted the
 * pairing request. Rejects only when `signal` is aborted.
 */
export async function enrol(options: EnrolmentOptions): Promise<Enrolled> {
  const { log, signal, onPairingCode } = options
  const backoff = createBackoff({ leastMs: 1_000, mostMs: 60_000 })
  let pairingSecret: string | undefined
  let shownCode: string | undefined
  let request: EnrolInput | undefined
  for (;;) {
    if (request === undefined || pairingSecret === undefined) request = await options.request()
    const attempt = await tryEnrol(options, { ...request, pairingSecret })
    signal.throwIfAborted()
    if (attempt.kind === 'enrolled') return attempt.identity
    if (attempt.kind === 'pairing') {
      const { pairingCode, retryAfterSeconds } = attempt.pairing
      // One that the server forgot is answered with another code: the log shows the one on the screen.
      if (pairingCode !== shownCode)
        log.info({ pairingCode }, 'waiting for an operator to accept this station')
      shownCode = pairingCode
      pairingSecret = attempt.pairing.pairingSecret
      onPairingCode(pairingCode)
      backoff.reset()
      await wait(Math.min(MAX_PAIRING_WAIT_SECONDS, Math.max(1, retryAfterSeconds)) * 1_000, undefined, {
        signal,
      })
      continue
    }
    const retryMs = backoff.nextMs()
    if (attempt.kind === 'refused') {
      const { status, code } = attempt
      log.error({ status, code, retryMs }, `the server refused to enrol this station: ${adviceOn(code)}`)
      // A pairing request that has lapsed is asked for anew.
      pairingSecret = undefined
    } else {
      const { err } = attempt
      const reason = tlsFailureOf(err) ?? plainFailureOf(options.server, err)
      if (reason === undefined)
        log.warn({ err, server: options.server, retryMs }, 'the server cannot be reached to enrol')
      else log.error({ server: options.server, retryMs, reason }, 'the server is not trusted')
    }
    await wait(retryMs, undefined, { signal })
  }
}

async function tryEnrol(options: EnrolmentOptions, body: EnrolInput): Promise<Attempt> {
  const { server, signal, caCertificate, known } = options
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_LIMIT_MS)])
    const url = new URL(path, server)
    const auth = known && `${known.stationId}:${known.mqttSecret}`
    const { status, body: answer } = await postJson(url, body, { signal: limit, caCertificate, auth })
    if (status === 200 && enrolled.Check(answer)) return { kind: 'enrolled', identity: answer }
    if (status === 202 && pairing.Check(answer)) return { kind: 'pairing', pairing: answer }
    return { kind: 'refused', status, code: codeOf(answer) }
  } catch (err) {
    return { kind: 'unreachable', err }
  }
}

const advices: Record<string, string> = {
  'enrolment-refused':
    'check the enrolment key; a boot token works once and for ten minutes, so restart a diskless station',
  'enrolment-throttled': 'too many wrong enrolment keys came from here; wait, or lift the block in the admin',
  'pairing-full': 'too many stations wait; accept or refuse those that wait in the admin',
  'invalid-body': 'check --mac, and that agent and server are of the same version',
}

const adviceOn = (code = ''): string =>
  advices[code] ?? 'check that --server is the address of Escale, and look at the log of the server'

function codeOf(answer: unknown): string | undefined {
  if (typeof answer !== 'object' || answer === null || !('code' in answer)) return undefined
  return typeof answer.code === 'string' ? answer.code : undefined
}

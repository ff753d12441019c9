import type { Logger } from 'pino'
import type { Input, StationState } from '../core/index.ts'
import type { Platform } from '../platform/platform.ts'
import type { Store } from '../store.ts'
import { createIdentification, type Credentials } from './identification.ts'
import { createStationLink, type StationLink } from './station-link.ts'

export interface MembershipOptions {
  /** Base address of the server, `http://host:port` or `https://…`. */
  server: string
  /** SHA-256 of the https server's authority, 64 hex digits. Without it the first authority seen is trusted from then on. */
  caFingerprint?: string
  credentials: Credentials
  platform: Platform
  store: Store
  /** Sent to the server instead of the machine's own MAC address. */
  macAddress?: string
  log: Logger
}

interface MembershipPorts extends MembershipOptions {
  bootId: string
  nowMs: () => number
  state: () => StationState
  dispatch: (input: Input) => void
  save: () => Promise<void>
  /** Whether a page shows the station's screen. */
  isScreenOpen: () => boolean
}

/** The station at its site: it enrols, connects, and enrols again when the server no longer accepts it. */
export function createMembership(ports: MembershipPorts) {
  const { credentials, store, log, dispatch, state } = ports
  const aborter = new AbortController()
  const { signal } = aborter
  let link: StationLink | undefined
  const identification = createIdentification({
    ...ports,
    onPairingCode: (code) => dispatch({ kind: 'pairingStarted', code }),
    signal,
  })

  const enter = async () => {
    const trust = await identification.trustServer()
    const identity = await identification.identify(trust)
    if (signal.aborted) return
    dispatch({
      kind: 'enrolled',
      stationId: identity.stationId,
      snapshot: identification.isCopied() ? undefined : await store.readState(),
    })
    for (const name of store.damaged()) dispatch({ kind: 'faultFound', fault: 'file-damaged', error: name })
    link = createStationLink({
      ...ports,
      identity,
      // An authority that was trusted after the enrolment replaces the one from the enrolment.
      caCertificate: trust?.caCertificate ?? identity.caCertificate,
      describe: identification.describe,
      remembered: await store.readCommands(),
      remember: (commands) =>
        store.writeCommands(commands).catch((err: unknown) => {
          log.error({ err }, 'the received commands cannot be saved')
        }),
      onRefused: () => void reenter(),
    })
  }

  const join = async () => {
    await enter().catch((err: unknown) => {
      if (!signal.aborted) log.fatal({ err }, 'the station cannot join its server')
    })
  }

  /** The server refuses the identity. With a site key, the station can enrol again. */
  const reenter = async () => {
    if (credentials.kind !== 'key') return
    const { stationId } = state()
    const refused = link
    void ports.save()
    dispatch({ kind: 'identityRefused' })
    if (state().phase.kind !== 'pairing' || refused === undefined) return
    link = undefined
    log.warn({ stationId }, 'the server no longer accepts this station, enrolling again')
    await refused.stop()
    await store.forgetIdentity()
    await join()
  }

  return {
    /** Resolves when the station is connected, or cannot be. */
    join,
    link: () => link,
    stop: async () => {
      aborter.abort()
      await link?.stop()
    },
  }
}

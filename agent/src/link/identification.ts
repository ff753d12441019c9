import type { Logger } from 'pino'
import { AGENT_VERSION } from '../agent-version.ts'
import { enrol } from './enrolment.ts'
import { establishTrust, isSameSite, type Trust } from './trust.ts'
import { isSameMachine, type MachineMarks } from '../platform/machine-marks.ts'
import type { MachineIdentity, Platform } from '../platform/platform.ts'
import type { Identity, Store } from '../store.ts'

/** How the station proves who it is: once by the site key, or by an identity that it was given in advance. */
export type Credentials =
  | { kind: 'key'; enrolmentKey: string }
  | { kind: 'identity'; stationId: string; mqttSecret: string; mqttUrl?: string }

interface IdentificationOptions {
  server: string
  caFingerprint?: string
  credentials: Credentials
  platform: Pick<Platform, 'identity' | 'marks'>
  store: Store
  macAddress?: string
  onPairingCode: (code: string) => void
  log: Logger
  signal: AbortSignal
}

/** Identifies this station to its server, and checks that the server is the right one. */
export interface Identification {
  /** What this machine currently reports about itself to the server at this address. */
  describe: (server: URL) => Promise<MachineIdentity>
  /** Undefined for a server without encryption. */
  trustServer: () => Promise<Trust | undefined>
  /** The saved identity if it belongs to this machine and this server, else a new one from the server. */
  identify: (trust: Trust | undefined) => Promise<Identity>
  /** Whether the store was copied from another machine. */
  isCopied: () => boolean
}

export function createIdentification(options: IdentificationOptions): Identification {
  const { server, credentials, platform, store, log, signal } = options
  let isCopied = false

  /** Read each time, because the network card may change while the agent runs. */
  const describe = async (towards: URL): Promise<MachineIdentity> => {
    const own = await platform.identity(towards)
    return { ...own, macAddress: options.macAddress ?? own.macAddress }
  }

  const readMachine = async (): Promise<MachineMarks> => {
    const marks = await platform.marks().catch((err: unknown) => {
      log.warn({ err }, 'the identifiers of this machine (board, network cards) cannot be read')
      return { macs: [] }
    })
    return { ...marks, givenMac: options.macAddress }
  }

  /** The saved identity, if it belongs to this machine. One of another machine is logged and ignored. */
  const readOwn = async (machine: MachineMarks): Promise<Identity | undefined> => {
    const saved = await store.readIdentity()
    if (saved?.machine === undefined || isSameMachine(saved.machine, machine)) return saved
    isCopied = true
    log.warn(
      { stationId: saved.stationId },
      'this data folder was copied from another machine and holds its identity: enrolling this machine under its own',
    )
    return undefined
  }

  const identify = async (trust: Trust | undefined): Promise<Identity> => {
    if (credentials.kind === 'identity') {
      const mqttUrl = credentials.mqttUrl ?? webSocketUrlOf(server)
      return { stationId: credentials.stationId, mqttSecret: credentials.mqttSecret, mqttUrl, server }
    }
    const { enrolmentKey } = credentials
    const machine = await readMachine()
    const saved = await readOwn(machine)
    if (saved?.server === server) {
      if (saved.machine === undefined) await store.writeIdentity({ ...saved, machine })
      return saved
    }
    const caCertificate = trust?.caCertificate
    const enrolled = await enrol({
      server,
      caCertificate,
      // The same server at a new address: the station keeps its identity.
      known: saved && isSameSite(saved, { server, caCertificate }) ? saved : undefined,
      request: async () => {
        const { macAddress, hostname, os } = await describe(new URL(server))
        return { enrolmentKey, macAddress, hostname, os, agentVersion: AGENT_VERSION }
      },
      onPairingCode: options.onPairingCode,
      log,
      signal,
    })
    const identity = { ...enrolled, server, machine }
    await store.writeIdentity(identity)
    log.info({ stationId: identity.stationId }, 'station enrolled')
    return identity
  }

  return {
    describe,
    identify,
    isCopied: () => isCopied,
    trustServer: async () => {
      if (!server.startsWith('https:')) return undefined
      const saved = await store.readTrust()
      const { caFingerprint } = options
      const trust = await establishTrust({ server, caFingerprint, saved, log, signal })
      if (trust !== saved) await store.writeTrust(trust)
      return trust
    },
  }
}

/** The address of the server's broker by WebSocket, on its HTTP port. */
function webSocketUrlOf(server: string): string {
  const url = new URL('/mqtt', server)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  return url.href
}

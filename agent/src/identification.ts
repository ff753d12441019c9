import type { Logger } from 'pino'
import { AGENT_VERSION } from './agent-version.ts'
import { enrol } from './link/enrolment.ts'
import { establishTrust, isSameSite, type Trust } from './link/trust.ts'
import { isSameMachine, type MachineMarks } from './platform/machine-marks.ts'
import type { MachineIdentity, Platform } from './platform/platform.ts'
import type { Identity, Store } from './store.ts'

/** How the station proves who it is: by the site's key, once, or by an identity given beforehand. */
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

/** Who this station is to its server, and whether the server is the right one. */
export interface Identification {
  /** The machine as it shows itself to the server at this address, as of now. */
  describe: (server: URL) => Promise<MachineIdentity>
  /** Undefined where nothing is encrypted. */
  trustServer: () => Promise<Trust | undefined>
  /** The identity that is kept, where it is of this machine and this server; else one that the server gives. */
  identify: (trust: Trust | undefined) => Promise<Identity>
  /** Whether the store was copied from another machine. */
  isCopied: () => boolean
}

export function createIdentification(options: IdentificationOptions): Identification {
  const { server, credentials, platform, store, log, signal } = options
  let isCopied = false

  /** Read each time, because the network card may come up or change while the agent runs. */
  const describe = async (towards: URL): Promise<MachineIdentity> => {
    const own = await platform.identity(towards)
    return { ...own, macAddress: options.macAddress ?? own.macAddress }
  }

  const readMachine = async (): Promise<MachineMarks> => {
    const marks = await platform.marks().catch((err: unknown) => {
      log.warn({ err }, 'the marks of this machine (board, network cards) cannot be read')
      return { macs: [] }
    })
    return { ...marks, givenMac: options.macAddress }
  }

  /** The identity that is kept, if it is this machine's; that of another machine is told. */
  const readOwn = async (machine: MachineMarks): Promise<Identity | undefined> => {
    const saved = await store.readIdentity()
    if (saved?.machine === undefined || isSameMachine(saved.machine, machine)) return saved
    isCopied = true
    log.warn(
      { stationId: saved.stationId },
      'this data folder was copied from another machine, whose identity it holds: asking for one of our own',
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
      // The server has another address now: the station stays what it is there.
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

/** The server's broker over WebSocket, on its HTTP port. */
function webSocketUrlOf(server: string): string {
  const url = new URL('/mqtt', server)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  return url.href
}

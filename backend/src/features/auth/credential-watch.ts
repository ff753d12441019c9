import { SECOND_MS, type LogAction } from '@escale/protocol'
import type { Logger } from 'pino'
import type { Bus } from '../../bus/port.ts'
import type { AppEvents } from '../../events.ts'
import { createQueue } from '../../timing.ts'
import type { Records } from '../logs/index.ts'
import type { SignIns } from './sign-ins.ts'

/** What makes a machine's secret, or a sign-in, open nothing any more. */
const cuttingActions: readonly LogAction[] = [
  'station.enrolled',
  'station.secret_revoked',
  'station.deleted',
  'account.updated',
  'account.secret_renewed',
  'account.deleted',
  'operator.updated',
  'auth.token_reused',
  'auth.signed_out',
]

/** Hashes of the secrets that open each of the given stations or accounts now, the newest first. */
type LiveSecrets = (ids: string[]) => Promise<Map<string, string[]>>

export interface CredentialWatchPorts {
  bus: Pick<Bus, 'machines' | 'disconnectMachines' | 'signIns' | 'disconnectSignIns'>
  /** Live screens. */
  screens: { signIns(): string[]; dismiss(matches: (signInId: string) => boolean): void }
  signIns: Pick<SignIns, 'living'>
  stations: { liveSecrets: LiveSecrets }
  accounts: { liveSecrets: LiveSecrets }
  logs: Pick<Records, 'last' | 'withActionAfter'>
  events: AppEvents
  log: Logger
}

/**
 * Cuts connections whose secret or sign-in holds no longer, within 2 s and whoever changed it: this server, another
 * one that may not be heard, or a command beside it. The journal tells what changed; the database, what holds.
 */
export function createCredentialWatch(ports: CredentialWatchPorts) {
  const { bus, screens, signIns, stations, accounts, logs, events, log } = ports
  let lastId = 0
  let timer: NodeJS.Timeout | undefined
  let isGraceRunning = false
  let isTickWaiting = false
  let sweepsLeft = 0

  async function sweep(): Promise<void> {
    await sweepMachines()
    await sweepSignIns()
  }

  async function sweepSignIns(): Promise<void> {
    const shown = new Set([...bus.signIns(), ...screens.signIns()])
    if (shown.size === 0) return
    const live = await signIns.living([...shown])
    // One that came meanwhile was let in by what holds now.
    const isEnded = (id: string) => shown.has(id) && !live.has(id)
    bus.disconnectSignIns(isEnded)
    screens.dismiss(isEnded)
  }

  async function sweepMachines(): Promise<void> {
    const machines = bus.machines()
    const idsOf = (isStation: boolean) => [
      ...new Set(machines.filter(({ kind }) => (kind === 'station') === isStation).map(({ id }) => id)),
    ]
    const live = new Map([
      ...(await stations.liveSecrets(idsOf(true))),
      ...(await accounts.liveSecrets(idsOf(false))),
    ])
    isGraceRunning = machines.some(({ id, secretHash }) => live.get(id)?.indexOf(secretHash) === 1)
    const cut = bus.disconnectMachines(({ id, secretHash }) => {
      // One that connected meanwhile was let in by what holds now.
      const isKnown = machines.some((one) => one.id === id && one.secretHash === secretHash)
      return isKnown && live.get(id)?.includes(secretHash) !== true
    })
    if (cut > 0) log.info({ cut }, 'connections cut: their secret holds no longer')
  }

  async function look(): Promise<void> {
    const newestId = (await logs.last())?.id ?? 0
    if (newestId > lastId) {
      const changes = await logs.withActionAfter(lastId, cuttingActions)
      // Swept twice, for a login that was under way.
      if (changes.length > 0) sweepsLeft = 2
      await stations.liveSecrets([...new Set(changes.flatMap(({ stationId }) => stationId ?? []))])
      lastId = Math.max(newestId, changes.at(-1)?.id ?? 0)
    }
    // The grace of an old secret ends without a record.
    const isOldInUse = isGraceRunning || bus.machines().some(({ expiresAtMs }) => expiresAtMs !== undefined)
    if (sweepsLeft === 0 && !isOldInUse) return
    await sweep()
    sweepsLeft = Math.max(0, sweepsLeft - 1)
  }

  const queue = createQueue()
  const inTurn = (work: () => Promise<void>) =>
    queue(work).catch((err: unknown) => log.error({ err }, 'looking for revoked secrets failed'))

  function tick(): void {
    if (isTickWaiting) return
    isTickWaiting = true
    void inTurn(look).then(() => {
      isTickWaiting = false
    })
  }

  const unsubscribe = events.subscribe((event) => {
    if (event.type !== 'logAdded' || !timer) return
    // At once for what is heard; the next look finds the record too.
    if (cuttingActions.includes(event.log.action)) void inTurn(sweep)
  })

  return {
    async start(): Promise<void> {
      lastId = (await logs.last())?.id ?? 0
      timer = setInterval(tick, SECOND_MS)
    },
    async stop(): Promise<void> {
      unsubscribe()
      clearInterval(timer)
      timer = undefined
      await queue(() => undefined)
    },
  }
}

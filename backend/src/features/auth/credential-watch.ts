import type { Principal } from '@escale/broker'
import { SECOND_MS, type LogAction } from '@escale/protocol'
import type { Logger } from 'pino'
import type { Bus } from '../../bus/port.ts'
import type { AppEvents } from '../../events.ts'
import { createQueue } from '../../timing.ts'
import type { Records } from '../logs/index.ts'
import type { Rights } from './rights.ts'
import type { SignIns } from './sign-ins.ts'

/** Actions after which the secret of a machine, or a sign-in, may no longer be valid. */
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

/** Hashes of the secrets that are valid for each of the given stations or accounts, the newest first. */
type LiveSecrets = (ids: string[]) => Promise<Map<string, string[]>>

export interface CredentialWatchPorts {
  bus: Pick<Bus, 'principals' | 'disconnect'>
  /** Live screens. */
  screens: { signIns(): string[]; dismiss(matches: (signInId: string) => boolean): void }
  signIns: Pick<SignIns, 'living'>
  stations: { liveSecrets: LiveSecrets }
  accounts: { liveSecrets: LiveSecrets }
  rights: Pick<Rights, 'forget' | 'confirm'>
  logs: Pick<Records, 'last' | 'withActionAfter'>
  events: AppEvents
  log: Logger
}

/**
 * Makes rights in memory be forgotten, and closes connections whose secret or sign-in is no longer valid, within 2 s of
 * the change. Another server, which this one may not hear of, or a command on this machine may have made the change: so
 * the journal is read every second, and what is valid is asked of the database.
 */
export function createCredentialWatch(ports: CredentialWatchPorts) {
  const { bus, screens, signIns, stations, accounts, rights, logs, events, log } = ports
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
    const connected = bus.principals().flatMap(({ signInId }) => signInId ?? [])
    const shown = new Set([...connected, ...screens.signIns()])
    if (shown.size === 0) return
    const live = await signIns.living([...shown])
    // A sign-in that connected during the query was checked when it did.
    const isEnded = (id: string) => shown.has(id) && !live.has(id)
    bus.disconnect(({ signInId }) => signInId !== undefined && isEnded(signInId))
    screens.dismiss(isEnded)
  }

  async function sweepMachines(): Promise<void> {
    const machines = bus.principals().filter(isMachine)
    const idsOf = (isStation: boolean) => [
      ...new Set(machines.filter(({ kind }) => (kind === 'station') === isStation).map(({ id }) => id)),
    ]
    const live = new Map([
      ...(await stations.liveSecrets(idsOf(true))),
      ...(await accounts.liveSecrets(idsOf(false))),
    ])
    isGraceRunning = machines.some(({ id, secretHash }) => live.get(id)?.indexOf(secretHash) === 1)
    const cut = bus.disconnect((principal) => {
      if (!isMachine(principal)) return false
      const { id, secretHash } = principal
      // A machine that connected during the query was checked when it did.
      const isKnown = machines.some((one) => one.id === id && one.secretHash === secretHash)
      return isKnown && live.get(id)?.includes(secretHash) !== true
    })
    if (cut > 0) log.info({ cut }, 'connections closed: their secret is no longer valid')
  }

  async function look(): Promise<void> {
    const askedAtMs = performance.now()
    const newestId = (await logs.last())?.id ?? 0
    if (newestId > lastId) {
      const changes = await logs.withActionAfter(lastId, cuttingActions)
      if (changes.length > 0) {
        rights.forget()
        // Twice, because a login with the old secret may be under way during the first sweep.
        sweepsLeft = 2
      }
      await stations.liveSecrets([...new Set(changes.flatMap(({ stationId }) => stationId ?? []))])
      lastId = Math.max(newestId, changes.at(-1)?.id ?? 0)
    }
    rights.confirm(askedAtMs)
    // When the time of grace of an old secret ends, the journal gets no record.
    const isOldSecretInUse =
      isGraceRunning ||
      bus.principals().some((principal) => isMachine(principal) && principal.expiresAtMs !== undefined)
    if (sweepsLeft === 0 && !isOldSecretInUse) return
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
    if (event.type !== 'logAdded' || !cuttingActions.includes(event.log.action)) return
    // Changes by this server take effect at once. The next look finds the same record again.
    rights.forget()
    if (timer) void inTurn(sweep)
  })

  return {
    async start(): Promise<void> {
      lastId = (await logs.last())?.id ?? 0
      timer ??= setInterval(tick, SECOND_MS)
    },
    async stop(): Promise<void> {
      unsubscribe()
      clearInterval(timer)
      timer = undefined
      await queue(() => undefined)
    },
  }
}

/** Whether a client is a station or an account, which shows a secret. */
const isMachine = (principal: Principal): principal is Principal & { secretHash: string } =>
  principal.kind !== 'operator' && principal.secretHash !== undefined

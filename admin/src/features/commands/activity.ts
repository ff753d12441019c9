import {
  cancellableOps,
  type LogAction,
  type OrderOp,
  type Station,
  type StationCommand,
} from '@escale/protocol'

/** The server needs at most this long to write a command and its document for a large room. */
const SAME_ACT_MS = 3_000

/** What an operator asked of stations, and how far it has come. Instants are Unix ms of the server's clock. */
export interface Activity {
  key: string
  askedAtMs: number
  what: { op: OrderOp } | { actions: readonly LogAction[] }
  /** The stations, and those of them that have not done it (yet). */
  stationIds: string[]
  missing: string[]
  status: 'underway' | 'applied' | 'failed' | 'expired' | 'cancelled'
  /** Commands that still wait and can be cancelled. */
  cancellable: Pick<StationCommand, 'id' | 'stationId'>[]
  /** When stations that delay the command will do it. */
  dueAtMs?: number
  /** Until the last station had received it, and had done it; ms after it was sent. */
  deliveredMs?: number
  appliedMs?: number
  error?: string
  createdBy?: string
}

const msOf = (instant: string | undefined) => (instant === undefined ? undefined : Date.parse(instant))

/** The commands that were sent together are one activity. */
function ofBatch(commands: StationCommand[]): Activity | undefined {
  const [first] = commands
  if (first === undefined) return undefined
  const askedAtMs = Date.parse(first.sentAt)
  const lastOf = (field: 'deliveredAt' | 'appliedAt') => {
    const instants = commands.map((command) => msOf(command[field]))
    return instants.every((ms) => ms !== undefined) ? Math.max(...instants) - askedAtMs : undefined
  }
  const missing = commands.filter(({ status }) => status !== 'applied')
  const isWith = (...statuses: StationCommand['status'][]) =>
    missing.find(({ status }) => statuses.includes(status))
  const failed = missing.find(({ status, error }) => status === 'failed' && error !== 'cancelled')
  const isCancelled = isWith('failed') !== undefined
  const settled = failed ? 'failed' : isWith('expired') ? 'expired' : isCancelled ? 'cancelled' : 'applied'
  return {
    key: first.batchId,
    askedAtMs,
    what: { op: first.op },
    stationIds: commands.map(({ stationId }) => stationId),
    missing: missing.map(({ stationId }) => stationId),
    status: isWith('sent', 'delivered') ? 'underway' : settled,
    cancellable: missing.filter(isWaiting).map(({ id, stationId }) => ({ id, stationId })),
    dueAtMs: missing.some(isWaiting) ? dueAtMsOf(first) : undefined,
    deliveredMs: lastOf('deliveredAt'),
    appliedMs: lastOf('appliedAt'),
    error: failed?.error,
    createdBy: first.createdBy,
  }
}

const isWaiting = ({ op, status }: StationCommand) =>
  cancellableOps.includes(op) && (status === 'sent' || status === 'delivered')

function dueAtMsOf({ sentAt, params }: StationCommand): number | undefined {
  const { delaySeconds } = params
  return typeof delaySeconds === 'number' && delaySeconds > 0
    ? Date.parse(sentAt) + delaySeconds * 1_000
    : undefined
}

export type StationDocument = { stationId: string } & NonNullable<Station['document']>

function ofDocument({ stationId, version, actions, askedAt, appliedAt }: StationDocument): Activity {
  const askedAtMs = Date.parse(askedAt)
  const appliedMs = appliedAt === undefined ? undefined : Date.parse(appliedAt) - askedAtMs
  return {
    key: `${stationId}/${version}`,
    askedAtMs,
    what: { actions },
    stationIds: [stationId],
    missing: appliedMs === undefined ? [stationId] : [],
    cancellable: [],
    status: appliedMs === undefined ? 'underway' : 'applied',
    deliveredMs: appliedMs,
    appliedMs,
  }
}

/** `lock` and `logout` also change the document: the activity of the command already shows this. */
function isExplained({ stationId, askedAt }: StationDocument, commands: StationCommand[]): boolean {
  return commands.some(
    (command) =>
      command.stationId === stationId &&
      (command.op === 'lock' || command.op === 'logout') &&
      Math.abs(Date.parse(askedAt) - Date.parse(command.sentAt)) < SAME_ACT_MS,
  )
}

/** All recent activities, newest first. */
export function activitiesOf(
  commands: Iterable<StationCommand>,
  documents: Iterable<StationDocument>,
): Activity[] {
  // A cancellation is shown at the command that it cancels.
  const all = [...commands].filter(({ op }) => op !== 'cancel')
  const batches = Map.groupBy(all, ({ batchId }) => batchId)
  const shownDocuments = [...documents]
    .filter((document) => document.actions.length > 0 && !isExplained(document, all))
    .map(ofDocument)
  return [...[...batches.values()].map(ofBatch), ...shownDocuments]
    .filter((activity) => activity !== undefined)
    .sort((a, b) => b.askedAtMs - a.askedAtMs)
}

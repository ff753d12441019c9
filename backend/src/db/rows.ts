import type {
  AccountKind,
  CommandStatus,
  EndReason,
  JobName,
  LogAction,
  LogLevel,
  OperatorRole,
  OrderOp,
  ReportKind,
  SessionState,
  User,
} from '@escale/protocol'
import type { CommandProgress } from '../domain/command.ts'
import type { StationPresence, StationRecord } from '../domain/station.ts'
import type { ThrottleState } from '../domain/throttle.ts'

export type { SessionRecord } from '../domain/session-record.ts'

/** Rows as the database holds them. Instants are Unix milliseconds; an absent value is null. */
export interface OperatorRow {
  id: string
  username: string
  passwordHash: string
  role: OperatorRole
  isActive: boolean
  version: number
  createdAtMs: number
}

export interface RefreshTokenRow {
  tokenHash: string
  familyId: string
  operatorId: string
  expiresAtMs: number
  usedAtMs: number | null
  /** However often it is renewed. */
  familyEndsAtMs: number
}

/** An address from which an operator has signed in. */
export interface SignInAddressRow {
  operatorId: string
  /** Keyed hash of the address's group. */
  addressHash: string
  lastAtMs: number
}

export interface UserRow {
  id: string
  firstName: string
  lastName: string
  email: string | null
  phone: string | null
  birthDate: string | null
  sex: User['sex'] | null
  municipality: string | null
  occupation: string | null
  notes: string | null
  consentGiven: boolean
  consentAtMs: number | null
  consentVersion: string | null
  consentRevokedAtMs: number | null
  /** What a search looks in; the repository keeps it. */
  searchText?: string
  /** File in the photo folder. */
  photoName: string | null
  version: number
  createdAtMs: number
  updatedAtMs: number
}

export type StationRow = StationRecord

export interface StationPresenceRow extends Omit<StationPresence, 'metrics' | 'presence'> {
  stationId: string
  /** JSON of StationMetrics. */
  metrics: string | null
  /** JSON of the last Presence. */
  presence: string | null
}

/** One row: up to when the server's clock has been. */
export interface ServerClockRow {
  id: number
  reachedMs: number
}

export interface SessionRow {
  id: string
  userId: string | null
  stationId: string | null
  state: SessionState
  grantedSeconds: number
  creditSeconds: number
  consumedMs: number
  runningSinceMs: number | null
  codeHash: string | null
  codeExpiresAtMs: number
  validatedStationId: string | null
  validatedAtMs: number | null
  /** Start of the agent that validated the code. */
  validatedBootId: string | null
  /** Start of the agent that the session belongs to. */
  bootId: string | null
  movedBackMs: number
  startedAtMs: number | null
  suspendedAtMs: number | null
  endedAtMs: number | null
  endReason: EndReason | null
  /** When time alone changes the session next; null once it is over. */
  deadlineMs: number | null
  createdBy: string
  mayOutliveClosing: boolean
  version: number
  createdAtMs: number
  updatedAtMs: number
}

export interface SessionGrantRow {
  sessionId: string
  desiredVersion: number
  seconds: number
  atMs: number
}

export interface LogRow {
  id: number
  atMs: number
  action: LogAction
  level: LogLevel
  actorType: 'operator' | 'station' | 'account' | 'system'
  actorId: string
  actorLabel: string
  stationId: string | null
  sessionId: string | null
  userId: string | null
  ip: string | null
  /** JSON object. */
  details: string
  prevHash: string
  hash: string
}

/** What a record says beyond plain ASCII, as a search compares it. */
export interface LogTextRow {
  logId: number
  searchText: string
}

/** The texts of people in a record: beside the chain, which holds their salted hash, so that they can go. */
export interface LogNoteRow {
  logId: number
  salt: string
  /** JSON object: fields of the record's details. */
  content: string
  searchText: string
}

export interface SessionProfileRow {
  sessionId: string
  ageBand: string | null
  sex: User['sex'] | null
  municipality: string | null
  occupation: string | null
}

export interface LogCheckpointRow {
  /** The newest record that may be purged. */
  upToId: number
  lastHash: string
  sealedAtMs: number
}

export interface SettingRow {
  name: string
  /** JSON value. */
  value: string
}

export interface JobRunRow {
  name: JobName
  /** The instant at which it was due; each slot is run once. */
  slotMs: number
  startedAtMs: number
  endedAtMs: number | null
  outcome: 'done' | 'failed' | null
  result: string | null
}

export interface ReportRow {
  id: string
  kind: ReportKind
  fromMs: number
  toMs: number
  createdAtMs: number
  /** JSON object. */
  content: string
}

export interface ArchiveRow {
  file: string
  kind: ReportKind
  fromMs: number
  toMs: number
  rowCount: number
  sha256: string
  verifiedAtMs: number
  /** Nothing in it leads to a person; archives of earlier releases are made so at the next start. */
  isAnonymous: boolean
}

export interface ThrottleRow extends ThrottleState {
  key: string
}

export interface CommandRow {
  id: string
  stationId: string
  batchId: string
  op: OrderOp
  /** JSON object. */
  params: string
  bootId: string | null
  status: CommandStatus
  createdBy: string
  sentAtMs: number
  expiresAtMs: number
  deliveredAtMs: number | null
  appliedAtMs: number | null
  failedAtMs: number | null
  expiredAtMs: number | null
  error: string | null
}

/** A command as services hold it. */
export interface CommandRecord extends CommandProgress {
  id: string
  stationId: string
  batchId: string
  op: OrderOp
  params: Record<string, unknown>
  /** Only that start of the agent may carry it out. */
  bootId?: string
  createdBy: string
  sentAtMs: number
  expiresAtMs: number
}

/** The version at which a deleted station stopped: one created under its name goes on above it. */
export interface RetiredStationRow {
  stationId: string
  desiredVersion: number
}

export interface AccountRow {
  id: string
  kind: AccountKind
  label: string
  /** Null for diagnostics. */
  role: OperatorRole | null
  isActive: boolean
  secretHash: string
  version: number
  createdAtMs: number
  updatedAtMs: number
}

/** At most one for each station, gone once it is used. */
export interface BootTokenRow {
  stationId: string
  tokenHash: string
  macAddress: string
  expiresAtMs: number
}

/** A station whose secret an admin took away, until it has another. */
export interface RevokedSecretRow {
  stationId: string
  atMs: number
}

/** The one site key of all servers of a database. */
export interface SiteKeyRow {
  id: number
  keyHash: string
  /** Sealed, so that admins can be shown it and a copy of the database tells nothing. */
  sealedKey: string
  rotatedAtMs: number
}

export interface AnsweredRequestRow {
  /** Station id, or whole client id of an automation. */
  party: string
  requestId: string
  /** Keyed: what was asked may hold an access code. */
  contentHash: string
  /** Sealed JSON of the response. */
  sealedResponse: string
  atMs: number
}

/** A call for help that is open. */
export interface StaffCallRow {
  id: string
  stationId: string
  sessionId: string | null
  /** What the visitor typed. */
  reason: string | null
  times: number
  calledAtMs: number
  renewedAtMs: number
  takenAtMs: number | null
  takenById: string | null
  takenBy: string | null
}

export interface StationEventRow {
  stationId: string
  bootId: string
  seq: number
  atMs: number
}

export interface PairingRequestRow {
  id: string
  macAddress: string
  hostname: string
  os: string
  agentVersion: string
  ip: string | null
  pairingCode: string
  secretHash: string
  stationId: string | null
  requestedAtMs: number
  expiresAtMs: number
}

/** A row read as it is: SQLite has no booleans of its own. */
export type RawRow<Row> = { [K in keyof Row]: Row[K] extends boolean ? boolean | number : Row[K] }

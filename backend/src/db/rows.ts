import type {
  AccountKind,
  CommandStatus,
  EndReason,
  JobName,
  LogAction,
  LogLevel,
  OperatorRole,
  OrderOp,
  ReportedState,
  ReportKind,
  SessionState,
  User,
} from '@escale/protocol'
import type { CommandProgress } from '../domain/command.ts'
import { bigint, boolean, integer, key, optional, orNull, text, type RowOf } from './columns.ts'

export type { SessionRecord } from '../domain/session-record.ts'

/**
 * Every table and its columns. The migrations create them with their constraints and indexes. Instants are Unix
 * milliseconds; an absent value is null.
 */
export const tables = {
  operators: {
    id: key(text()),
    username: text(),
    passwordHash: text(),
    role: text<OperatorRole>(),
    isActive: boolean(),
    version: bigint(),
    createdAtMs: bigint(),
  },
  refreshTokens: {
    tokenHash: key(text()),
    familyId: text(),
    operatorId: text(),
    expiresAtMs: bigint(),
    usedAtMs: orNull(bigint()),
    /** The end of the sign-in, however often it is renewed. */
    familyEndsAtMs: bigint(),
  },
  /** An address from which an operator has signed in. */
  signInAddresses: {
    operatorId: key(text()),
    /** Keyed hash of the address's group. */
    addressHash: key(text()),
    lastAtMs: bigint(),
  },
  users: {
    id: key(text()),
    firstName: text(),
    lastName: text(),
    email: orNull(text()),
    phone: orNull(text()),
    birthDate: orNull(text()),
    sex: orNull(text<NonNullable<User['sex']>>()),
    municipality: orNull(text()),
    occupation: orNull(text()),
    notes: orNull(text()),
    consentGiven: boolean(),
    consentAtMs: orNull(bigint()),
    consentVersion: orNull(text()),
    consentRevokedAtMs: orNull(bigint()),
    /** Search text, written by the repository. */
    searchText: optional(text()),
    /** File in the photo folder. */
    photoName: orNull(text()),
    version: bigint(),
    createdAtMs: bigint(),
    updatedAtMs: bigint(),
  },
  stations: {
    id: key(text()),
    label: text(),
    location: orNull(text()),
    ipAddress: orNull(text()),
    macAddress: orNull(text()),
    isMaintenance: boolean(),
    isMarkedOffline: boolean(),
    secretHash: orNull(text()),
    previousSecretHash: orNull(text()),
    previousSecretUntilMs: orNull(bigint()),
    desiredVersion: bigint(),
    version: bigint(),
    createdAtMs: bigint(),
    updatedAtMs: bigint(),
  },
  stationPresences: {
    stationId: key(text()),
    online: boolean(),
    lastHeardAtMs: orNull(bigint()),
    lastHeartbeatAtMs: orNull(bigint()),
    lastSeenIp: orNull(text()),
    bootId: orNull(text()),
    connectionSeq: orNull(bigint()),
    agentVersion: orNull(text()),
    os: orNull(text()),
    reportedState: orNull(text<ReportedState>()),
    reportedVersion: orNull(bigint()),
    /** JSON of StationMetrics. */
    metrics: orNull(text()),
    /** JSON of the last Presence. */
    presence: orNull(text()),
  },
  sessions: {
    id: key(text()),
    userId: orNull(text()),
    stationId: orNull(text()),
    state: text<SessionState>(),
    grantedSeconds: integer(),
    creditSeconds: integer(),
    consumedMs: bigint(),
    runningSinceMs: orNull(bigint()),
    codeHash: orNull(text()),
    codeExpiresAtMs: bigint(),
    validatedStationId: orNull(text()),
    validatedAtMs: orNull(bigint()),
    /** Start of the agent that validated the code. */
    validatedBootId: orNull(text()),
    /** Start of the agent that the session belongs to. */
    bootId: orNull(text()),
    movedBackMs: bigint(),
    startedAtMs: orNull(bigint()),
    suspendedAtMs: orNull(bigint()),
    endedAtMs: orNull(bigint()),
    endReason: orNull(text<EndReason>()),
    /** The next instant at which time alone changes the session; null after its end. */
    deadlineMs: orNull(bigint()),
    createdBy: text(),
    mayOutliveClosing: boolean(),
    version: bigint(),
    createdAtMs: bigint(),
    updatedAtMs: bigint(),
  },
  /** One row: the latest time that the server's clock has reached. */
  serverClock: {
    id: key(integer()),
    reachedMs: bigint(),
  },
  sessionGrants: {
    sessionId: key(text()),
    desiredVersion: bigint(),
    seconds: integer(),
    atMs: bigint(),
  },
  logs: {
    id: key(bigint()),
    atMs: bigint(),
    action: text<LogAction>(),
    level: text<LogLevel>(),
    actorType: text<'operator' | 'station' | 'account' | 'system'>(),
    actorId: text(),
    actorLabel: text(),
    stationId: orNull(text()),
    sessionId: orNull(text()),
    userId: orNull(text()),
    ip: orNull(text()),
    /** JSON object. */
    details: text(),
    prevHash: text(),
    hash: text(),
  },
  /** Search text of a record with other characters than ASCII. */
  logTexts: {
    logId: key(bigint()),
    searchText: text(),
  },
  /**
   * Texts of people in a record, outside the hash chain, which contains only their salted hash. So they can be deleted.
   */
  logNotes: {
    logId: key(bigint()),
    salt: text(),
    /** JSON object: fields of the record's details. */
    content: text(),
    searchText: text(),
  },
  sessionProfiles: {
    sessionId: key(text()),
    ageBand: orNull(text()),
    sex: orNull(text<NonNullable<User['sex']>>()),
    municipality: orNull(text()),
    occupation: orNull(text()),
  },
  logCheckpoints: {
    /** The newest record that may be purged. */
    upToId: key(bigint()),
    lastHash: text(),
    sealedAtMs: bigint(),
  },
  settings: {
    name: key(text()),
    /** JSON value. */
    value: text(),
  },
  jobRuns: {
    name: key(text<JobName>()),
    /** The instant at which it was due. Each slot runs once. */
    slotMs: key(bigint()),
    startedAtMs: bigint(),
    endedAtMs: orNull(bigint()),
    outcome: orNull(text<'done' | 'failed'>()),
    result: orNull(text()),
  },
  reports: {
    id: key(text()),
    kind: text<ReportKind>(),
    fromMs: bigint(),
    toMs: bigint(),
    createdAtMs: bigint(),
    /** JSON object. */
    content: text(),
  },
  archives: {
    file: key(text()),
    kind: text<ReportKind>(),
    fromMs: bigint(),
    toMs: bigint(),
    rowCount: bigint(),
    sha256: text(),
    verifiedAtMs: bigint(),
    /** Contains no personal data; archives of earlier releases are rewritten at the next start. */
    isAnonymous: boolean(),
  },
  throttles: {
    key: key(text()),
    failures: integer(),
    windowStartMs: bigint(),
    level: integer(),
    blockedUntilMs: bigint(),
  },
  accounts: {
    id: key(text()),
    kind: text<AccountKind>(),
    label: text(),
    /** Null for diagnostics. */
    role: orNull(text<OperatorRole>()),
    isActive: boolean(),
    secretHash: text(),
    version: bigint(),
    createdAtMs: bigint(),
    updatedAtMs: bigint(),
  },
  /** At most one for each station, deleted when it is used. */
  bootTokens: {
    stationId: key(text()),
    tokenHash: text(),
    macAddress: text(),
    expiresAtMs: bigint(),
  },
  /** A station whose secret an admin revoked, until it has another. */
  revokedSecrets: {
    stationId: key(text()),
    atMs: bigint(),
  },
  /** The one site key of all servers of a database. */
  siteKeys: {
    id: key(integer()),
    keyHash: text(),
    /** Encrypted, so that admins can see it, but a copy of the database does not reveal it. */
    sealedKey: text(),
    rotatedAtMs: bigint(),
  },
  answeredRequests: {
    /** Station id, or whole client id of an automation. */
    party: key(text()),
    requestId: key(text()),
    /** Keyed hash, because a request can contain an access code. */
    contentHash: text(),
    /** Sealed JSON of the response. */
    sealedResponse: text(),
    atMs: bigint(),
  },
  stationEvents: {
    stationId: key(text()),
    bootId: key(text()),
    seq: key(bigint()),
    atMs: bigint(),
  },
  /** An open call for help. */
  staffCalls: {
    id: key(text()),
    stationId: text(),
    sessionId: orNull(text()),
    /** What the visitor typed. */
    reason: orNull(text()),
    times: integer(),
    calledAtMs: bigint(),
    renewedAtMs: bigint(),
    takenAtMs: orNull(bigint()),
    takenById: orNull(text()),
    takenBy: orNull(text()),
  },
  commands: {
    id: key(text()),
    stationId: text(),
    batchId: text(),
    op: text<OrderOp>(),
    /** JSON object. */
    params: text(),
    bootId: orNull(text()),
    status: text<CommandStatus>(),
    createdBy: text(),
    sentAtMs: bigint(),
    expiresAtMs: bigint(),
    deliveredAtMs: orNull(bigint()),
    appliedAtMs: orNull(bigint()),
    failedAtMs: orNull(bigint()),
    expiredAtMs: orNull(bigint()),
    error: orNull(text()),
  },
  /** The last version of a deleted station. A new station with its id continues above it. */
  retiredStations: {
    stationId: key(text()),
    desiredVersion: bigint(),
  },
  pairingRequests: {
    id: key(text()),
    macAddress: text(),
    hostname: text(),
    os: text(),
    agentVersion: text(),
    ip: orNull(text()),
    pairingCode: text(),
    secretHash: text(),
    stationId: orNull(text()),
    requestedAtMs: bigint(),
    expiresAtMs: bigint(),
  },
} as const

export type OperatorRow = RowOf<(typeof tables)['operators']>
export type RefreshTokenRow = RowOf<(typeof tables)['refreshTokens']>
export type UserRow = RowOf<(typeof tables)['users']>
export type StationRow = RowOf<(typeof tables)['stations']>
export type StationPresenceRow = RowOf<(typeof tables)['stationPresences']>
export type SessionRow = RowOf<(typeof tables)['sessions']>
export type SessionGrantRow = RowOf<(typeof tables)['sessionGrants']>
export type LogRow = RowOf<(typeof tables)['logs']>
export type LogNoteRow = RowOf<(typeof tables)['logNotes']>
export type SessionProfileRow = RowOf<(typeof tables)['sessionProfiles']>
export type LogCheckpointRow = RowOf<(typeof tables)['logCheckpoints']>
export type JobRunRow = RowOf<(typeof tables)['jobRuns']>
export type ReportRow = RowOf<(typeof tables)['reports']>
export type ArchiveRow = RowOf<(typeof tables)['archives']>
export type ThrottleRow = RowOf<(typeof tables)['throttles']>
export type AccountRow = RowOf<(typeof tables)['accounts']>
export type AnsweredRequestRow = RowOf<(typeof tables)['answeredRequests']>
export type StationEventRow = RowOf<(typeof tables)['stationEvents']>
export type StaffCallRow = RowOf<(typeof tables)['staffCalls']>
export type CommandRow = RowOf<(typeof tables)['commands']>
export type PairingRequestRow = RowOf<(typeof tables)['pairingRequests']>

/** A command as services hold it. */
export interface CommandRecord extends CommandProgress {
  id: string
  stationId: string
  batchId: string
  op: OrderOp
  params: Record<string, unknown>
  /** Only this start of the agent may carry it out. */
  bootId?: string
  createdBy: string
  sentAtMs: number
  expiresAtMs: number
}

/** A row as the engine returns it: SQLite has no booleans. */
export type RawRow<Row> = { [K in keyof Row]: Row[K] extends boolean ? boolean | number : Row[K] }

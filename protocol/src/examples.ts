import type { Static, TSchema } from 'typebox'
import type * as protocol from './index.ts'

type Protocol = typeof protocol
type SchemaName = { [K in keyof Protocol]: Protocol[K] extends TSchema ? K : never }[keyof Protocol]
/** What a schema of the protocol allows, by the name of the schema. */
type Example<K extends SchemaName> = Static<Extract<Protocol[K], TSchema>>

const userId = '5f0c7f5e-3d3a-4c0e-9a53-0d6c3a1e8b11'
const sessionId = '8a1b5f0e-92a4-4f0b-8b0f-3f2b6c1d7e22'
const commandId = '3c9f1b52-7d04-4b0e-8c55-2a7b9c4d1e3f'
const createdAt = '2026-03-02T08:55:12.000Z'
const startedAt = '2026-03-02T09:00:00.000Z'
const nowAt = '2026-03-02T09:12:30.000Z'
const endsAt = '2026-03-02T09:45:00.000Z'

const login: Example<'LoginInput'> = { username: 'accueil', password: 'une-longue-phrase-secrète' }
const tokens: Example<'TokenPair'> = { access: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI…', refresh: 'k3V9…' }

const userInput: Example<'UserInput'> = {
  firstName: 'Zoé',
  lastName: 'Martin',
  email: 'zoe.martin@example.org',
  birthDate: '1994-05-17',
  sex: 'female',
  municipality: 'Villeurbanne',
  consentGiven: true,
}

const stationInput: Example<'StationInput'> = {
  id: 'pc-06',
  label: 'Poste 6',
  location: 'Salle multimédia',
  ipAddress: '192.168.10.26',
  macAddress: '02:00:5e:10:00:06',
}

const sessionInput: Example<'SessionInput'> = { userId, stationId: 'pc-06', minutes: 45 }
const pendingSession: Example<'Session'> = {
  id: sessionId,
  userId,
  stationId: 'pc-06',
  state: 'pending',
  grantedSeconds: 2_700,
  elapsedSeconds: 0,
  remainingSeconds: 2_700,
  percentUsed: 0,
  creditSeconds: 0,
  codeExpiresAt: '2026-03-03T08:55:12.000Z',
  createdBy: 'accueil',
  mayOutliveClosing: false,
  createdAt,
  updatedAt: createdAt,
}
const elapsed = { elapsedSeconds: 750, remainingSeconds: 1_950, percentUsed: 27.8 }

const accountInput: Example<'AccountInput'> = {
  id: 'node-red',
  kind: 'automation',
  label: 'Automatisations',
  role: 'operator',
}
const account: Example<'Account'> = { ...accountInput, isActive: true, createdAt, updatedAt: createdAt }

const job: Example<'JobStatus'> = {
  name: 'session_report',
  schedule: '0 6 * * *',
  lastRunAt: '2026-03-02T05:00:00.000Z',
  lastOutcome: 'done',
  nextRunAt: '2026-03-03T05:00:00.000Z',
}
const settings: Example<'SiteSettings'> = {
  siteName: 'Médiathèque des Tilleuls',
  timeZone: 'Europe/Paris',
  language: 'fr',
  terms: 'J’accepte la charte de l’espace public numérique.',
  termsVersion: '1',
  sessionsPerDay: 3,
  isConsentRequired: true,
  areAnonymousPassesAllowed: true,
  codeLifetimeMinutes: 1_440,
  maxSuspendedMinutes: 30,
  heartbeatIntervalMs: 10_000,
  sessionRetentionDays: 365,
  logRetentionDays: 365,
}

/** One worked example of each body and answer, by the name of its schema; the API's description shows them. */
export const examples = {
  LoginInput: login,
  TokenPair: tokens,
  RefreshInput: { refresh: 'k3V9…' },
  VerifyInput: { token: tokens.access },
  OwnPasswordInput: { currentPassword: login.password, newPassword: 'brouette-girafe-lundi-tango' },
  UserInput: userInput,
  UserReplacement: { ...userInput, phone: '+33 4 78 00 00 00' },
  User: {
    id: userId,
    ...userInput,
    consentGiven: true,
    consentAt: createdAt,
    consentVersion: '1',
    hasPhoto: false,
    createdAt,
    updatedAt: createdAt,
  },
  UserStats: { total: 812, withConsent: 790, createdToday: 4, withSessionToday: 37 },
  CanCreateSession: { allowed: false, reasons: ['quota-reached'], sessionsToday: 3, quota: 3 },
  ErasureProof: {
    erasedAt: nowAt,
    anonymisedSessions: 14,
    isFileClean: true,
    left: { users: 0, sessions: 0, photos: 0, commands: 0, calls: 0, logsNaming: 0, logsWithIdOnly: 52 },
  },
  StationInput: stationInput,
  StationReplacement: { label: 'Poste 6', location: 'Espace jeunesse' },
  Station: {
    ...stationInput,
    lastSeenIp: '192.168.10.26',
    state: 'occupied',
    online: true,
    lastHeartbeatAt: nowAt,
    agentVersion: '1.0.0',
    os: 'Debian 13',
    metrics: { uptimeSeconds: 5_400, cpuPercent: 12.5, memoryPercent: 41, diskPercent: 63 },
    activeSessionId: sessionId,
    createdAt,
    updatedAt: startedAt,
  },
  StationStats: {
    total: 12,
    available: 6,
    occupied: 4,
    maintenance: 1,
    offline: 1,
    online: 10,
  },
  HeartbeatInput: {
    uptimeSeconds: 5_400,
    state: 'active',
    cpuPercent: 12.5,
    memoryPercent: 41,
    diskPercent: 63,
  },
  ReasonInput: { reason: 'Clavier à changer' },
  SessionInput: sessionInput,
  SessionReplacement: { ...sessionInput, minutes: 60 },
  Session: {
    ...pendingSession,
    ...elapsed,
    state: 'active',
    startedAt,
    endsAt,
    updatedAt: startedAt,
  },
  CreatedSession: { ...pendingSession, accessCode: 'K7MP-3XQA' },
  SessionStats: {
    total: 3_120,
    pending: 2,
    active: 4,
    suspended: 1,
    ended: 3_113,
    createdToday: 21,
    grantedSecondsToday: 56_700,
    averageElapsedSeconds: 2_214,
  },
  AddTimeInput: { minutes: 10 },
  GiveCreditInput: {},
  ValidateCodeInput: { code: 'K7MP-3XQA', stationId: 'pc-06' },
  ValidatedCode: { sessionId, displayName: 'Zoé', grantedSeconds: 2_700 },
  StartInput: { stationId: 'pc-06' },
  SessionTime: {
    sessionId,
    stationId: 'pc-06',
    state: 'active',
    grantedSeconds: 2_700,
    ...elapsed,
    endsAt,
    sentAt: nowAt,
  },
  Log: {
    id: 1204,
    at: startedAt,
    action: 'session.started',
    level: 'info',
    actor: { type: 'station', id: 'pc-06', label: 'Poste 6' },
    stationId: 'pc-06',
    sessionId,
    userId,
    details: { grantedSeconds: 2_700 },
    prevHash: '9b74c9897bac770ffc029102a200c5de5f3c8a1d4b1f5c1d8a2f7c3e6b9d0a11',
    hash: '4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce',
  },
  LogSearchInput: { text: 'pc-06', level: 'warning', from: startedAt },
  LogStats: {
    total: 18_440,
    today: 96,
    byLevel: { info: 18_201, warning: 231, error: 8 },
    byAction: { 'session.started': 3_100, 'code.rejected': 208 },
  },
  CommandInput: { op: 'reboot', params: { delaySeconds: 30 } },
  CommandsInput: {
    op: 'message',
    params: { text: 'Fermeture dans dix minutes.', level: 'warning' },
    location: 'Salle multimédia',
  },
  StaffCall: {
    id: '7d1f9c3e-52b8-4a6e-9f0d-8c4b2a6e1f57',
    stationId: 'pc-06',
    sessionId,
    state: 'taken',
    reason: 'L’imprimante ne répond pas.',
    times: 1,
    calledAt: nowAt,
    renewedAt: nowAt,
    takenAt: '2026-03-02T09:13:05.000Z',
    takenBy: 'accueil',
  },
  SentCommands: { commands: [{ id: commandId, stationId: 'pc-06' }] },
  StationCommand: {
    id: commandId,
    stationId: 'pc-06',
    batchId: 'c0a8f6de-5b2e-4d0c-9f7e-6a1b2c3d4e5f',
    op: 'reboot',
    params: { delaySeconds: 30 },
    status: 'applied',
    createdBy: 'accueil',
    sentAt: nowAt,
    expiresAt: '2026-03-02T09:13:30.000Z',
    deliveredAt: '2026-03-02T09:12:30.021Z',
    appliedAt: '2026-03-02T09:12:30.034Z',
  },
  EnrolInput: {
    enrolmentKey: 'clé-du-site',
    macAddress: '02:00:5e:10:00:06',
    hostname: 'pc-06',
    os: 'Debian 13',
    agentVersion: '1.0.0',
  },
  Enrolled: {
    stationId: 'pc-06',
    mqttSecret: 'pT0…',
    mqttUrl: 'mqtt://192.168.10.2:1883',
  },
  PairingPending: { pairingCode: '048215', pairingSecret: 'Zm9…', retryAfterSeconds: 5 },
  PairingRequest: {
    id: 'c0a4e8d2-4d0f-4a55-b2a5-5f6f0f6f7a33',
    state: 'waiting',
    pairingCode: '048215',
    macAddress: '02:00:5e:10:00:06',
    hostname: 'pc-06',
    os: 'Debian 13',
    agentVersion: '1.0.0',
    ip: '192.168.10.26',
    requestedAt: nowAt,
    expiresAt: '2026-03-02T09:27:30.000Z',
  },
  AcceptPairingInput: { stationId: 'pc-06', label: 'Poste 6', location: 'Salle multimédia' },
  Operator: {
    id: 'd2b1c3a4-7e6f-4d5c-8b9a-0a1b2c3d4e44',
    username: 'accueil',
    role: 'operator',
    isActive: true,
    createdAt,
  },
  OperatorInput: { ...login, role: 'operator' },
  OperatorReplacement: { role: 'viewer', isActive: true },
  Account: account,
  AccountInput: accountInput,
  AccountReplacement: { label: 'Automatisations', role: 'viewer', isActive: true },
  AccountWithSecret: {
    ...account,
    secret: 'qJ7…',
    mqttUrl: 'mqtts://escale.example.org:8883',
  },
  EnrolmentKey: { enrolmentKey: 'hR2…', rotatedAt: createdAt },
  BootToken: {
    stationId: 'pc-06',
    macAddress: '02:00:5e:10:00:06',
    bootToken: 'wX4…',
    expiresAt: '2026-03-02T09:22:30.000Z',
  },
  SiteSettings: settings,
  SettingsReplacement: { ...settings, sessionsPerDay: 2 },
  SettingsAnswer: { ...settings, jobs: [job] },
  JobStatus: job,
  Report: {
    id: 'sessions-2026-03-01',
    kind: 'sessions',
    from: '2026-02-28T23:00:00.000Z',
    to: '2026-03-01T23:00:00.000Z',
    createdAt: '2026-03-02T05:00:00.000Z',
    content: { created: 21, startedSessions: 20, usedSeconds: 44_280 },
  },
  Statistics: {
    by: 'station',
    from: '2026-02-28T23:00:00.000Z',
    to: '2026-03-31T22:00:00.000Z',
    rows: [
      {
        key: 'pc-06',
        persons: 31,
        sessions: 48,
        startedSessions: 46,
        usedSeconds: 98_400,
        averageWaitSeconds: 140,
        averageLengthSeconds: 2_139,
      },
    ],
  },
  Throttle: {
    id: 'x2Yk8mJ1v0Q',
    kind: 'station-code',
    stationId: 'pc-06',
    failures: 6,
    blockedUntil: '2026-03-02T09:13:00.000Z',
    retryAfterSeconds: 30,
  },
  ServiceStatus: { status: 'ok' },
} as const satisfies { [K in SchemaName]?: Example<K> }

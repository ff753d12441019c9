import { join } from 'node:path'
import type { Actor, JobName } from '@escale/protocol'
import type { Logger } from 'pino'
import type { NightlyBackup } from './backup/nightly.ts'
import type { Bus } from './bus/port.ts'
import type { Clock } from './clock.ts'
import type { Store } from './db/database.ts'
import type { AppEvents } from './events.ts'
import { createAccountRepository, createAccounts } from './features/accounts/index.ts'
import { createArchives } from './features/archives/index.ts'
import { createJobCalendar } from './features/jobs/index.ts'
import { createReports } from './features/reports/index.ts'
import { createAuth, createCredentialWatch, createRights } from './features/auth/index.ts'
import { createOperators } from './features/operators/index.ts'
import { createThrottles } from './features/throttles/index.ts'
import { createPasswords } from './crypto/passwords.ts'
import { createSealer } from './crypto/sealing.ts'
import { createCommandRepository, createCommands, type Wake } from './features/commands/index.ts'
import { createClockSteps } from './features/clock-steps/index.ts'
import { createDesired } from './features/desired/index.ts'
import { createEnrolment, type BrokerAddress } from './features/enrolment/index.ts'
import { createLive } from './gateways/live/index.ts'
import { createLogs } from './features/logs/index.ts'
import { createPhotos, createPhotoStore } from './features/photos/index.ts'
import { createPrivacy, createTraces } from './features/privacy/index.ts'
import { createPresences, createRoom } from './features/room/index.ts'
import { createRates } from './features/rates/index.ts'
import { createSessionRepository, createSessions } from './features/sessions/index.ts'
import { createAnswers } from './gateways/answers/index.ts'
import { createSettings } from './features/settings/index.ts'
import { createStaffCallRepository, createStaffCalls } from './features/staff-calls/index.ts'
import { createStationRepository, createStations } from './features/stations/index.ts'
import { createUsernames } from './features/usernames/index.ts'
import { createUserRepository, createUsers } from './features/users/index.ts'
import { createBroker, type Broker, type Received } from '@escale/broker'
import type { Feature } from './features/feature.ts'
import { createBrokerBus } from './bus/broker-bus.ts'
import { publishDomainEvents } from './bus/domain-events.ts'
import { openDatabase } from './db/database.ts'
import { storageFaultOf } from './db/storage-fault.ts'
import { putMark } from './db/marks.ts'
import { createStorageProbe } from './db/storage-probe.ts'
import { createMqttLogin } from './features/auth/index.ts'
import { createAutomation } from './gateways/automation/index.ts'
import { createMonitoring } from './features/monitoring/index.ts'
import { createStationGateway } from './gateways/stations/index.ts'
import { createAppEvents } from './events.ts'
import { createHttpServer } from './http/server.ts'
import { createCatchUp } from './peers/catch-up.ts'
import type { Peers } from './peers/port.ts'
import { createSharing } from './peers/sharing.ts'
import { RELEASE } from './release.ts'
import type { DataFolder } from './setup/data-folder.ts'

/** The site key is in force until an admin draws another, which is then kept in the data folder. */
export interface AppOptions extends Pick<DataFolder, 'tokenKey' | 'codeKey' | 'siteKey' | 'keepSiteKey'> {
  databaseUrl: string
  /** The folders of photos and archives. */
  dataDir: string
  /** The broker's address for a machine, depending on how it reached the server. */
  brokerFor: BrokerAddress
  /** Wakes a machine by its MAC address. */
  wake: Wake
  /** Makes the nightly backup. */
  nightlyBackup?: NightlyBackup

  /** Built pages of the admin. */
  adminDir: string
  /** Public address of the site, if it differs from the server's address. */
  publicOrigin?: string
  /** Proxies whose forwarding headers are trusted. */
  trustedProxies?: string
  /** Connects to the other servers, if the site has several. */
  connectPeers?: () => Promise<Peers>
  clock: Clock
  log: Logger
}

/** A part that starts and stops. */
type Part = Partial<Feature>

export type App = Awaited<ReturnType<typeof createApp>>

/** The basic parts that every feature uses. */
interface Base extends AppOptions {
  database: Store
  events: AppEvents
  bus: Bus
  /** The bus of this server only. */
  ownBus: Bus
  hasPeers: boolean
}

/** The features of the server; each uses those before it. */
function createFeatures({ database, events, bus, ownBus, hasPeers, clock, log, ...options }: Base) {
  /** Rows that several features read. */
  const rows = {
    accounts: createAccountRepository(database),
    calls: createStaffCallRepository(database),
    commands: createCommandRepository(database),
    sessions: createSessionRepository(database),
    stations: createStationRepository(database, (station) => room.putStation(station)),
    users: createUserRepository(database),
  }
  const roomPart = createRoom({ ...rows, database, events, clock })
  const { room, machines } = roomPart.service
  const logs = createLogs({ database, timeZone: () => settings.current().timeZone, events, clock })
  const { journal } = logs.service
  /** Parts that nearly all features write with. */
  const base = { database, journal, clock }
  const settingsPart = createSettings({
    ...base,
    calendar: {
      statuses: () => calendar.service.statuses(),
      run: (name, actor) => calendar.service.run(name, actor),
    },
    events,
    bus,
  })
  const settings = settingsPart.service
  const sealer = createSealer(options.codeKey)
  const passwords = createPasswords()
  const hashKey = options.codeKey
  const throttles = createThrottles({ ...base, hashKey, operators: () => operators.service.findAll() })
  const auth = createAuth({
    ...base,
    operators: {
      find: (id) => operators.service.find(id),
      findByTypedName: (typed) => operators.service.findByTypedName(typed),
    },
    ...{ passwords, throttles: throttles.service, tokenKey: options.tokenKey, hashKey },
  })
  const operators = createOperators({ ...base, ...auth.service, passwords })
  const ratesPart = createRates({ ...base, log })
  const rates = ratesPart.service
  const desiredPart = createDesired({
    ...rows,
    logs: logs.service.records,
    database,
    settings,
    bus,
    rates,
    machines,
    room,
    hasPeers,
    events,
    clock,
    log,
  })
  const desired = desiredPart.service

  const callsPart = createStaffCalls({
    ...base,
    repository: rows.calls,
    desired,
    runningSessionAt: room.runningAt,
    events,
  })
  const calls = callsPart.service

  const sessionsPart = createSessions({
    ...base,
    ...rows,
    repository: rows.sessions,
    ...{ desired, calls, machines, room, hasPeers, settings, events, log },
    throttles: throttles.service,
    codeKey: options.codeKey,
  })
  const { sessions, grants, credits, codes, past } = sessionsPart.service

  const photoStore = createPhotoStore(join(options.dataDir, 'photos'))
  const answers = createAnswers({ database, sealer, hashKey, clock })
  const traces = createTraces({ ...rows, sessions: past, logs: logs.service.texts, clock })
  const users = createUsers({
    ...base,
    repository: rows.users,
    sessions,
    grants,
    photos: photoStore,
    traces,
    answers: answers.service,
    settings,
  })
  const photos = createPhotos({ users: users.service, store: photoStore, clock })
  const privacy = createPrivacy({
    ...base,
    ...{ sessions: past, traces, users: users.service },
    logs: logs.service.records,
    photos: photoStore,
  })

  const usernames = createUsernames(rows)
  const accounts = createAccounts({
    ...base,
    repository: rows.accounts,
    usernames,
    brokerFor: options.brokerFor,
  })
  const presencesPart = createPresences({
    ...base,
    ...{ stations: rows.stations, room, hasPeers, bus, settings, rates, events, log },
    unmarkOffline: (id) => stations.unmarkOffline(id),
  })
  const presences = presencesPart.service
  const clockSteps = createClockSteps({ database, sessions, presences, hasPeers, events, clock, log })
  const stationsPart = createStations({
    ...base,
    repository: rows.stations,
    bootTokens: { remove: (stationId) => enrolment.service.bootTokens.remove(stationId) },
    ...{ room, hasPeers, presences, machines, sessions, calls, desired, usernames, bus, events },
  })
  const { stations, credentials } = stationsPart.service
  const commands = createCommands({
    ...base,
    repository: rows.commands,
    ...{ stations: rows.stations, sessions, presences, bus, wake: options.wake, hasPeers, events, log },
  })
  const enrolment = createEnrolment({
    ...base,
    ...{ stations, credentials, throttles: throttles.service, rates, sealer },
    brokerFor: options.brokerFor,
    firstSiteKey: options.siteKey,
    keepSiteKey: options.keepSiteKey,
  })
  const stationGateway = createStationGateway({
    ...base,
    ...{ answers: answers.service, commands: commands.service, calls, codes, credits, desired },
    ...{ machines, presences, rates, room, sessions, stations, hasPeers, bus, ownBus, log },
  })
  const reports = createReports({ database, sessions: past, logs: logs.service.records, settings, clock })
  const archives = createArchives({
    ...{ sessions: past, logs: logs.service.oldRecords },
    messages: [answers.service, stationGateway.service.messages, rows.commands],
    throttles: throttles.service,
    ...{ database, settings, clock, log },
    folder: join(options.dataDir, 'archives'),
  })
  const calendar = createJobCalendar({
    ...base,
    ...{ settings, sessions, room, calls, events, log },
    retention: archives.service,
    reports: reports.service,
    nightlyBackup: options.nightlyBackup,
  })
  const rights = createRights(
    { auth: auth.service.signIns, stations: credentials, accounts: accounts.service },
    clock,
  )
  const live = createLive({ events, room, auth: auth.service.signIns, sessions, codes, clock })
  const credentialWatch = createCredentialWatch({
    bus,
    screens: live.service,
    signIns: auth.service.signIns,
    stations: credentials,
    accounts: accounts.service,
    rights,
    logs: logs.service.records,
    events,
    log,
  })

  const parts = [
    ...[
      ratesPart,
      auth,
      operators,
      throttles,
      accounts,
      users,
      privacy,
      logs,
      reports,
      settingsPart,
      enrolment,
    ],
    ...[
      photos,
      archives,
      desiredPart,
      clockSteps,
      roomPart,
      stationsPart,
      sessionsPart,
      presencesPart,
      commands,
    ],
    ...[callsPart, answers],
  ] satisfies Part[]
  const endpoints = parts.flatMap((part: Part) => part.endpoints ?? [])
  const automation = createAutomation({
    accounts: accounts.service,
    answers: answers.service,
    endpoints,
    bus,
    clock,
  })

  return {
    /** In the order of their start. */
    beforeBroker: [...parts, automation, stationGateway] satisfies Part[],
    afterBroker: [credentialWatch, calendar, live] satisfies Part[],
    endpoints,
    live,
    receive: (message: Received) =>
      message.name === 'automationRequest'
        ? automation.service.receive(message)
        : stationGateway.service.receive(message),
    ...{ calls, desired, presences, rights, room, settings },
    calendar: calendar.service,
    commands: commands.service,
    operators: operators.service,
  }
}

/** The complete server, not yet listening. Its parts start in this order and stop in reverse. */
export async function createApp(options: AppOptions) {
  const { clock, log } = options
  const database = await openDatabase(options.databaseUrl, log)
  const events = createAppEvents()
  const ownBus = createBrokerBus(log)
  const peers = await options.connectPeers?.()
  const sharing = peers && createSharing(peers, events, clock, log)
  const bus = sharing?.busOver(ownBus) ?? ownBus
  const hasPeers = peers !== undefined
  const features = createFeatures({ ...options, database, events, bus, ownBus, hasPeers })
  const { calendar, desired, rights, room } = features

  const broker = await createBroker(
    {
      authenticate: createMqttLogin(rights),
      receive: sharing?.intakeOver(features.receive) ?? features.receive,
      isTemporary: (err) => storageFaultOf(err) !== undefined,
      beforeDesired: desired.refresh,
      listening: features.commands.resend,
      ...(sharing && { connected: sharing.connected }),
      nowMs: () => clock.nowMs(),
      missedSinceMs: clock.missedSinceMs,
    },
    { log },
  )
  ownBus.attach(broker)
  publishDomainEvents(events, bus)
  const monitoring = createMonitoring({
    ...{ storage: createStorageProbe(database), peers: sharing, room, broker, database },
  })
  const http = await createHttpServer({
    ...options,
    endpoints: [...features.endpoints, ...monitoring.endpoints],
    routes: [monitoring.routes, features.live.routes],
    ...{ guard: rights, broker },
  })

  const parts: Part[] = [
    {
      // Also the first write: it fails if the database cannot be written.
      start: () => database.write(() => putMark(database, 'release', RELEASE)),
      stop: () => database.close(),
    },
    ...features.beforeBroker,
    { stop: () => closeBroker(ownBus, broker) },
    {
      start: () => sharing?.start({ ...features, bus: ownBus, broker, catchUp: createCatchUp(features) }),
      stop: () => sharing?.close(),
    },
    { stop: () => http.close() },
    ...features.afterBroker,
  ]
  return {
    http,
    broker,
    /** What is read of stations and sessions. */
    room,
    operators: features.operators,
    async runJob(name: JobName, actor: Actor) {
      await features.settings.load()
      await room.load()
      return calendar.run(name, actor)
    },
    /** Loads memory and bus from the database. Call it before any listener opens. */
    async prepare(): Promise<void> {
      for (const part of parts) await part.start?.()
    },
    async close(): Promise<void> {
      for (const part of parts.toReversed()) await part.stop?.()
    },
  }
}

async function closeBroker(bus: { detach(): void }, broker: Broker): Promise<void> {
  bus.detach()
  await broker.close()
}

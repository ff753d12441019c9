import { join } from 'node:path'
import type { Logger } from 'pino'
import type { NightlyBackup } from './backup/nightly.ts'
import type { Bus } from './bus/port.ts'
import type { Clock } from './clock.ts'
import type { Store } from './db/database.ts'
import type { AppEvents } from './events.ts'
import { createAccounts } from './features/accounts/index.ts'
import { createArchives } from './features/archives/index.ts'
import { createJobCalendar } from './features/jobs/index.ts'
import { createReports } from './features/reports/index.ts'
import { createAuth, createCredentialWatch, createRights } from './features/auth/index.ts'
import { createOperators } from './features/operators/index.ts'
import { createThrottles } from './features/throttles/index.ts'
import { createPasswords } from './crypto/passwords.ts'
import { createSealer } from './crypto/sealing.ts'
import { createCommands, type Wake } from './features/commands/index.ts'
import { createClockSteps } from './features/clock-steps/index.ts'
import { createDesired } from './features/desired/index.ts'
import { createEnrolment, type BrokerAddress } from './features/enrolment/index.ts'
import { createLive } from './gateways/live/index.ts'
import { createLogs } from './features/logs/index.ts'
import { createPhotos, createPhotoStore } from './features/photos/index.ts'
import { createPrivacy, createTraces } from './features/privacy/index.ts'
import { createPresences, createRoom } from './features/room/index.ts'
import { createRates } from './features/rates/index.ts'
import { createSessions } from './features/sessions/index.ts'
import { createAnswers } from './gateways/answers/index.ts'
import { createSettings } from './features/settings/index.ts'
import { createStaffCalls } from './features/staff-calls/index.ts'
import { createStations } from './features/stations/index.ts'
import { createUsernames } from './features/usernames/index.ts'
import { createUsers } from './features/users/index.ts'

export interface ServiceOptions {
  /** Photos and archives. */
  dataDir: string
  tokenKey: Buffer
  codeKey: Buffer
  /** Key of enrolment, in force until an admin draws another. */
  siteKey: string
  /** Keeps the site key in force where whoever looks after the server finds it. */
  keepSiteKey(key: string): void
  /** Where a machine finds the broker, by how it came. */
  brokerFor: BrokerAddress
  /** Wakes a machine by its MAC address. */
  wake: Wake
  /** Makes the backup of each night. */
  nightlyBackup?: NightlyBackup
  /** Whether other servers serve the same site. */
  hasPeers: boolean
  clock: Clock
  log: Logger
}

export type Services = ReturnType<typeof createServices>

/** What the server can do, feature by feature, each on what came before it; nothing runs yet. */
export function createServices(database: Store, events: AppEvents, bus: Bus, options: ServiceOptions) {
  const { clock, hasPeers, log } = options
  const roomFeature = createRoom({ database, events, clock })
  const { room, machines } = roomFeature.service
  const logs = createLogs({ database, timeZone: () => settings.current().timeZone, events, clock })
  const { journal } = logs.service
  /** What nearly all of them write with. */
  const base = { database, journal, clock }
  const siteSettings = createSettings({
    ...base,
    calendar: {
      statuses: () => calendar.service.statuses(),
      run: (name, actor) => calendar.service.run(name, actor),
    },
    events,
    bus,
  })
  const settings = siteSettings.service
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
  const stationRates = createRates({ ...base, log })
  const rates = stationRates.service
  const documents = createDesired({
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
  const desired = documents.service

  const staffCalls = createStaffCalls({
    ...base,
    desired,
    runningSessionAt: room.runningAt,
    events,
  })
  const calls = staffCalls.service

  const sessionFeature = createSessions({
    ...base,
    ...{ desired, calls, machines, room, settings, events, log },
    throttles: throttles.service,
    codeKey: options.codeKey,
  })
  const { sessions, grants, credits, codes } = sessionFeature.service

  const photoStore = createPhotoStore(join(options.dataDir, 'photos'))
  const answers = createAnswers({ database, sealer, hashKey, clock })
  const traces = createTraces(database, clock)
  const users = createUsers({
    ...base,
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
    users: users.service,
    logs: logs.service.records,
    photos: photoStore,
  })

  const usernames = createUsernames(database)
  const accounts = createAccounts({ ...base, usernames, brokerFor: options.brokerFor })
  const presenceFeature = createPresences({
    ...base,
    ...{ room, hasPeers, bus, settings, rates, events, log },
    unmarkOffline: (id) => stations.unmarkOffline(id),
  })
  const presences = presenceFeature.service
  const clockSteps = createClockSteps({ database, sessions, presences, hasPeers, events, clock, log })
  const stationFeature = createStations({
    ...base,
    ...{ room, hasPeers, presences, machines, sessions, calls, desired, usernames, bus, events },
  })
  const { stations, credentials } = stationFeature.service
  const commands = createCommands({
    ...base,
    ...{ sessions, presences, bus, wake: options.wake, hasPeers, events, log },
  })
  const enrolment = createEnrolment({
    ...base,
    ...{ stations, credentials, throttles: throttles.service, rates, sealer },
    brokerFor: options.brokerFor,
    firstSiteKey: options.siteKey,
    keepSiteKey: (key) => options.keepSiteKey(key),
  })
  const reports = createReports({ database, settings, clock })
  const archives = createArchives({
    logs: logs.service.oldRecords,
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

  return {
    accounts: accounts.service,
    answers: answers.service,
    archives,
    auth: auth.service.signIns,
    calendar,
    calls,
    clockSteps,
    codes,
    credits,
    commands,
    credentialWatch,
    credentials,
    desired,
    enrolment,
    journal,
    machines,
    endpoints: [
      auth,
      operators,
      throttles,
      accounts,
      users,
      photos,
      privacy,
      logs,
      reports,
      siteSettings,
      staffCalls,
      stationFeature,
      sessionFeature,
      commands,
      enrolment,
    ].flatMap((feature) => feature.endpoints),
    operators: operators.service,
    photos,
    presences,
    live,
    rates,
    rights,
    stationRates,
    room,
    sessions,
    settings,
    siteSettings,
    documents,
    roomFeature,
    presenceFeature,
    sessionFeature,
  }
}

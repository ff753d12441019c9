import { join } from 'node:path'
import swagger from '@fastify/swagger'
import { createBroker, type Broker } from '@escale/broker'
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { createBrokerBus } from './bus/broker-bus.ts'
import { publishDomainEvents } from './bus/domain-events.ts'
import type { Clock } from './clock.ts'
import { openDatabase } from './db/database.ts'
import {
  authRoutes,
  createAuthRepository,
  createAuthService,
  createMqttLogin,
  createOperatorRepository,
  createOperatorService,
  createPasswords,
  createTokens,
  operatorRoutes,
  registerGuard,
  type OperatorService,
} from './features/auth/index.ts'
import { createArchives, createRetention, createRetentionRepository } from './features/archives/index.ts'
import { createDesiredDocuments, createDesiredRepository } from './features/desired/index.ts'
import {
  createEnrolmentService,
  createPairingRepository,
  enrolmentRoutes,
} from './features/enrolment/index.ts'
import { createCalendar, createJobRunRepository, createJobs } from './features/jobs/index.ts'
import { createAudience, liveRoutes } from './features/live/index.ts'
import { createJournal, createLogRepository, logRoutes } from './features/logs/index.ts'
import {
  createAccessCodes,
  createCodeValidation,
  createDeadlines,
  createRunningSessions,
  createSessionGrants,
  createSessionRepository,
  createSessionService,
  sessionRoutes,
} from './features/sessions/index.ts'
import { createPhotoService, createPhotoStore, photoRoutes } from './features/photos/index.ts'
import { createPrivacy, createPrivacyRepository, privacyRoutes } from './features/privacy/index.ts'
import { createReportRepository, createReportService, reportRoutes } from './features/reports/index.ts'
import {
  createSettings,
  createSettingsRepository,
  settingsRoutes,
  siteConfigOf,
} from './features/settings/index.ts'
import { createStationIntake, createStationMessages } from './features/station-messages/index.ts'
import {
  createPresences,
  createStationRepository,
  createStationService,
  stationRoutes,
} from './features/stations/index.ts'
import { createThrottleRepository, createThrottles } from './features/throttles/index.ts'
import { createUserRepository, createUserService, userRoutes } from './features/users/index.ts'
import { createAppEvents } from './events.ts'
import { healthRoutes } from './http/health.ts'
import { registerNotFound } from './http/not-found.ts'
import { registerPages } from './http/pages.ts'
import { handleFailure, registerProblems } from './http/problem.ts'
import { registerBodies, registerValidation } from './http/validation.ts'
import { registerWebSockets } from './http/websocket.ts'

export interface AppOptions {
  databaseUrl: string
  /** Photos and archives. */
  dataDir: string
  tokenKey: Buffer
  codeKey: Buffer
  siteKey: string
  /** Built pages of the admin. */
  adminDir: string
  /** Address of the site as browsers know it, if it is not the one they connect to. */
  publicOrigin?: string
  /** Proxies whose forwarded addresses count. */
  trustedProxies?: string
  /** Address of the broker for a station that reached the server under `host`. */
  mqttUrlFor(host: string): string
  clock: Clock
  log: Logger
}

export interface App {
  http: FastifyInstance
  broker: Broker
  operators: OperatorService
  /** Brings memory and bus up to the database; to be done before anything listens. */
  prepare(): Promise<void>
  close(): Promise<void>
}

/** The whole server, put together and not yet listening. */
export async function createApp(options: AppOptions): Promise<App> {
  const { clock, log } = options
  const database = await openDatabase(options.databaseUrl, log)
  const events = createAppEvents()
  const bus = createBrokerBus(log)

  const logs = createLogRepository(database)
  const journal = createJournal(database, logs, events, clock)
  const settings = createSettings(database, createSettingsRepository(database), journal, events)
  const throttles = createThrottles(createThrottleRepository(database), clock)
  const passwords = createPasswords()
  const operatorRepository = createOperatorRepository(database)
  const tokenRepository = createAuthRepository(database)
  const operators = createOperatorService({
    database,
    repository: operatorRepository,
    tokens: tokenRepository,
    passwords,
    journal,
    events,
    clock,
  })
  const auth = createAuthService({
    database,
    repository: tokenRepository,
    operators: operatorRepository,
    passwords,
    tokens: createTokens(options.tokenKey, clock),
    throttles,
    journal,
    clock,
  })
  const desired = createDesiredDocuments(database, createDesiredRepository(database), settings, bus, clock)

  const sessionPorts = {
    database,
    repository: createSessionRepository(database),
    desired,
    settings,
    journal,
    events,
    clock,
  }
  const accessCodes = createAccessCodes(options.codeKey)
  const running = createRunningSessions(events)
  const sessions = createSessionService(sessionPorts)
  const grants = createSessionGrants({ ...sessionPorts, codes: accessCodes, sessions })
  const codes = createCodeValidation({ ...sessionPorts, codes: accessCodes, throttles })
  const deadlines = createDeadlines({ sessions, running, events, clock, log })

  const userRepository = createUserRepository(database)
  const photoStore = createPhotoStore(join(options.dataDir, 'photos'))
  const users = createUserService({
    database,
    repository: userRepository,
    sessions,
    photos: photoStore,
    settings,
    journal,
    clock,
  })

  const photos = createPhotoService({ database, users: userRepository, store: photoStore, journal, clock })
  const privacy = createPrivacy({
    database,
    repository: createPrivacyRepository(database),
    users,
    photos: photoStore,
    journal,
    clock,
  })

  const stationPorts = {
    database,
    repository: createStationRepository(database),
    bus,
    journal,
    events,
    clock,
  }
  const presences = createPresences({ ...stationPorts, settings, log })
  const stations = createStationService({ ...stationPorts, presences, sessions, desired })
  const enrolment = createEnrolmentService({
    database,
    repository: createPairingRepository(database),
    stations,
    throttles,
    journal,
    clock,
    siteKey: options.siteKey,
    mqttUrlFor: (host) => options.mqttUrlFor(host),
  })
  const reports = createReportService({
    database,
    repository: createReportRepository(database),
    settings,
    clock,
  })
  const retention = createRetention({
    database,
    repository: createRetentionRepository(database),
    archives: createArchives(join(options.dataDir, 'archives'), database, clock),
    settings,
    clock,
  })
  const calendar = createCalendar(createJobs({ sessions, running, retention, reports }), {
    database,
    runs: createJobRunRepository(database),
    settings,
    journal,
    clock,
    log,
  })
  const audience = createAudience({ events, running, stations, clock, log })

  const guard = { auth, authenticateStation: stations.authenticate }
  const broker = await createBroker(
    {
      authenticate: createMqttLogin(guard),
      receive: createStationIntake({
        database,
        messages: createStationMessages(database),
        sessions,
        codes,
        presences,
        desired,
        journal,
        bus,
        clock,
      }),
      beforeDesired: desired.refresh,
      nowMs: () => clock.nowMs(),
    },
    { log },
  )
  bus.attach(broker)
  publishDomainEvents(events, bus)
  events.subscribe((event) => {
    if (event.type === 'operatorChanged') bus.disconnectOperator(event.operatorId)
    if (event.type === 'settingsChanged')
      void bus.publish('config', undefined, siteConfigOf(settings.current()))
  })

  const loggerInstance: FastifyBaseLogger = log
  const http = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    routerOptions: { ignoreTrailingSlash: true },
    trustProxy: options.trustedProxies || false,
    forceCloseConnections: true,
    frameworkErrors: (err, request, reply) => void handleFailure(err, request, reply),
  })
  registerValidation(http)
  registerBodies(http)
  registerProblems(http)
  registerGuard(http, guard)
  registerNotFound(http)
  await http.register(swagger, {
    openapi: { openapi: '3.1.0', info: { title: 'Escale', version: '1.0.0' } },
  })
  await registerPages(http, options.adminDir)
  await registerWebSockets(http, broker, options.publicOrigin)
  await http.register(healthRoutes(database))
  await http.register(authRoutes(auth), { prefix: '/api' })
  await http.register(operatorRoutes(operators), { prefix: '/api/operateurs' })
  await http.register(userRoutes({ users, repository: userRepository, sessions, grants, settings, clock }), {
    prefix: '/api/utilisateurs',
  })
  await http.register(photoRoutes(photos), { prefix: '/api/utilisateurs' })
  await http.register(privacyRoutes(privacy), { prefix: '/api/utilisateurs' })
  await http.register(stationRoutes({ stations, presences, sessions, clock }), { prefix: '/api/postes' })
  await http.register(enrolmentRoutes(enrolment), { prefix: '/api/postes' })
  await http.register(sessionRoutes({ sessions, grants, codes, clock }), { prefix: '/api/sessions' })
  await http.register(logRoutes(logs, settings, clock), { prefix: '/api/logs' })
  await http.register(reportRoutes(reports), { prefix: '/api/rapports' })
  await http.register(settingsRoutes(settings, calendar), { prefix: '/api/parametres' })
  await http.register(liveRoutes({ audience, auth, sessions, codes, clock }), { prefix: '/ws/sessions' })

  return {
    http,
    broker,
    operators,
    async prepare() {
      await settings.load()
      await photos.sweep()
      running.load(await sessions.findUnended())
      await deadlines.start()
      await presences.start()
      await bus.publish('config', undefined, siteConfigOf(settings.current()))
      await desired.publishAll()
      calendar.start()
    },
    async close() {
      audience.close()
      await calendar.stop()
      await deadlines.stop()
      await http.close()
      bus.detach()
      await broker.close()
      await presences.stop()
      await database.close()
    },
  }
}

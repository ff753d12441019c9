import { createBroker, type Broker, type Received } from '@escale/broker'
import type { FastifyInstance } from 'fastify'
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
import { createServices, type ServiceOptions, type Services } from './services.ts'

export interface AppOptions extends Omit<ServiceOptions, 'hasPeers'> {
  databaseUrl: string
  /** Built pages of the admin. */
  adminDir: string
  /** Address of the site as browsers know it, if it is not the one they connect to. */
  publicOrigin?: string
  /** Proxies whose forwarded addresses count. */
  trustedProxies?: string
  /** Where several servers serve one site: reaches the others. */
  connectPeers?: () => Promise<Peers>
}

export interface App {
  http: FastifyInstance
  broker: Broker
  operators: Services['operators']
  /** What is read of stations and sessions. */
  room: Services['room']
  runJob: Services['calendar']['service']['run']
  /** Brings memory and bus up to the database; to be done before anything listens. */
  prepare(): Promise<void>
  close(): Promise<void>
}

/** The whole server, put together and not yet listening. */
export async function createApp(options: AppOptions): Promise<App> {
  const { clock, log } = options
  const database = await openDatabase(options.databaseUrl, log)
  const events = createAppEvents()
  const ownBus = createBrokerBus(log)
  const peers = await options.connectPeers?.()
  const shared = peers && createSharing(peers, events, clock, log)
  const bus = shared?.busOver(ownBus) ?? ownBus

  const hasPeers = peers !== undefined
  const services = createServices(database, events, bus, { ...options, hasPeers })
  const { accounts, desired, rights, settings } = services

  const automation = createAutomation({
    accounts,
    answers: services.answers,
    endpoints: services.endpoints,
    bus,
    clock,
  })
  const stationGateway = createStationGateway({
    ...services,
    ...{ commands: services.commands.service, database, hasPeers, bus, ownBus, clock, log },
  })
  const receive = (message: Received) =>
    message.name === 'automationRequest'
      ? automation.service.receive(message)
      : stationGateway.service.receive(message)
  const broker = await createBroker(
    {
      authenticate: createMqttLogin(rights),
      receive: shared?.intakeOver(receive) ?? receive,
      isTemporary: (err) => storageFaultOf(err) !== undefined,
      beforeDesired: desired.refresh,
      listening: services.commands.service.resend,
      ...(shared && { connected: shared.connected }),
      nowMs: () => clock.nowMs(),
      missedSinceMs: clock.missedSinceMs,
    },
    { log },
  )
  ownBus.attach(broker)
  publishDomainEvents(events, bus)

  const monitoring = createMonitoring({
    storage: createStorageProbe(database),
    peers: shared,
    ...{ room: services.room, broker, database },
  })
  const http = await createHttpServer({
    ...options,
    endpoints: [...services.endpoints, ...monitoring.endpoints],
    routes: [monitoring.routes, services.live.routes],
    ...{ guard: rights, broker },
  })

  return {
    http,
    broker,
    operators: services.operators,
    room: services.room,
    async runJob(name, actor) {
      await settings.load()
      return services.calendar.service.run(name, actor)
    },
    async prepare() {
      // Also the first thing that a database which cannot be written refuses.
      await database.write(() => putMark(database, 'release', RELEASE))
      await services.siteSettings.start()
      await services.enrolment.start()
      await services.photos.start()
      await services.archives.start()
      await services.documents.start()
      await services.clockSteps.start()
      await services.roomFeature.start()
      await services.sessionFeature.start()
      services.presenceFeature.start()
      await services.commands.start()
      await stationGateway.start()
      await services.credentialWatch.start()
      await shared?.start({ ...services, bus: ownBus, broker, catchUp: createCatchUp(services) })
      services.calendar.start()
    },
    async close() {
      services.live.stop()
      await services.calendar.stop()
      await services.clockSteps.stop()
      await services.credentialWatch.stop()
      await services.sessionFeature.stop()
      await services.commands.stop()
      await http.close()
      await shared?.close()
      ownBus.detach()
      await broker.close()
      stationGateway.stop()
      await services.presenceFeature.stop()
      await services.stationRates.stop()
      await database.close()
    },
  }
}

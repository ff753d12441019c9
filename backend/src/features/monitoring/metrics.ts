import type { Broker } from '@escale/broker'
import type { FastifyPluginAsync } from 'fastify'
import type { Registry } from 'prom-client'
import type { Database } from '../../db/database.ts'
import type { RoomStore } from '../room/index.ts'

export interface MetricsPorts {
  room: Pick<RoomStore, 'stationStats' | 'running'>
  broker: Pick<Broker, 'stats'>
  database: Pick<Database, 'statementCount'>
}

/** Metrics for Prometheus, for this machine or with an operator's token. */
export function metricsRoutes(ports: MetricsPorts): FastifyPluginAsync {
  let registry: Promise<Registry> | undefined
  return async (app) => {
    app.get(
      '/metrics',
      { config: { access: 'viewer', isOpenToLoopback: true }, schema: { hide: true } },
      async (_request, reply) => {
        registry ??= createRegistry(ports)
        const { contentType, metrics } = await registry.then(async (made) => ({
          contentType: made.contentType,
          metrics: await made.metrics(),
        }))
        return reply.type(contentType).send(metrics)
      },
    )
  }
}

async function createRegistry({ room, broker, database }: MetricsPorts): Promise<Registry> {
  // Loaded on demand, because most sites never use it.
  const { Counter, Gauge, Registry, collectDefaultMetrics } = await import('prom-client')
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  new Gauge({
    name: 'escale_stations',
    help: 'Stations by state',
    labelNames: ['state'] as const,
    registers,
    collect() {
      const { available, occupied, maintenance, offline } = room.stationStats()
      for (const [state, count] of Object.entries({ available, occupied, maintenance, offline })) {
        this.set({ state }, count)
      }
    },
  })
  new Gauge({
    name: 'escale_sessions_active',
    help: 'Sessions that count down now',
    registers,
    collect() {
      this.set(room.running().filter(({ state }) => state === 'active').length)
    },
  })
  new Gauge({
    name: 'escale_broker',
    help: 'Metrics of the MQTT broker since it started; clients as of now',
    labelNames: ['figure'] as const,
    registers,
    collect() {
      const stats: Record<string, number> = { ...broker.stats() }
      for (const [figure, value] of Object.entries(stats)) this.set({ figure }, value)
    },
  })
  new Counter({
    name: 'escale_database_statements_total',
    help: 'Statements sent to the database since the server started',
    registers,
    collect() {
      this.reset()
      this.inc(database.statementCount())
    },
  })
  return registry
}

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startAgent, type RunningAgent } from '../support/agent.ts'
import { startBalancer } from '../support/balancer.ts'
import { startPostgres } from '../support/postgres.ts'
import { startRedis, type RunningRedis } from '../support/redis.ts'
import { freePorts } from '../support/spawned.ts'
import { startServer, type RunningServer } from '../support/server.ts'
import { openTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

/** Each server and each balancer gets its own loopback address. */
const HOSTS = { a: '127.0.0.2', b: '127.0.0.3', preferringA: '127.0.0.4', preferringB: '127.0.0.5' }

export interface Site {
  a: RunningServer
  b: RunningServer
  redis: RunningRedis
  /** The proxy through which the servers reach Redis. */
  redisProxy: TcpProxy
  /** The environment that the servers share, for other programs of the site. */
  env: NodeJS.ProcessEnv
  /** A real agent that connects to the named server, or to the other one if the first does not answer. */
  startAgent(prefers: 'a' | 'b', macAddress: string): Promise<RunningAgent>
  close(): Promise<void>
}

/** Two real servers of one site, with a real PostgreSQL, a real Redis and load balancers. */
export async function startSite(): Promise<Site> {
  const closers: (() => Promise<unknown>)[] = []
  const close = async () => {
    for (const end of closers.reverse()) await end()
  }
  try {
    const dataDir = await mkdtemp(join(tmpdir(), 'escale-site-'))
    closers.push(() => rm(dataDir, { recursive: true, force: true }))
    const postgres = await startPostgres()
    closers.push(postgres.stop)
    const redis = await startRedis()
    closers.push(redis.stop)
    const redisProxy = await openTcpProxy({ path: redis.socket })
    closers.push(redisProxy.close)
    const redisUrl = `redis://127.0.0.1:${redisProxy.port}`
    const [http = 0, mqtt = 0] = await freePorts(2)
    const env = { ESCALE_DATA_DIR: dataDir, DATABASE_URL: postgres.url, ESCALE_REDIS_URL: redisUrl }
    const ports = { ESCALE_HTTP_PORT: String(http), ESCALE_MQTT_PORT: String(mqtt) }
    const start = async (host: string) => {
      const server = await startServer({ env: { ...env, ...ports, ESCALE_HOST: host } })
      closers.push(server.dispose)
      return server
    }
    const a = await start(HOSTS.a)
    const b = await start(HOSTS.b)
    const balance = async (host: string, targets: string[]) => {
      const balancer = await startBalancer(host, [http, mqtt], targets)
      closers.push(balancer.close)
      return `http://${host}:${http}`
    }
    const addresses = {
      a: await balance(HOSTS.preferringA, [HOSTS.a, HOSTS.b]),
      b: await balance(HOSTS.preferringB, [HOSTS.b, HOSTS.a]),
    }
    return {
      a,
      b,
      redis,
      redisProxy,
      env,
      async startAgent(prefers, macAddress) {
        const agent = await startAgent({ url: addresses[prefers], enrolmentKey: a.enrolmentKey }, macAddress)
        closers.push(agent.dispose)
        return agent
      },
      close,
    }
  } catch (err) {
    await close()
    throw err
  }
}

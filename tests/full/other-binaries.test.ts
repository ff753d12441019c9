import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CreatedSession, Station } from '@escale/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import manifest from '../../agent/package.json' with { type: 'json' }
import { buildAgent } from '../support/agent-binary.ts'
import { startAgent, type AgentProcess } from '../support/agent.ts'
import { signIn, type Api } from '../support/api.ts'
import { hasQemuArm64, inQemuArm64, QEMU_ARM64_HINT } from '../support/qemu-arm64.ts'
import { screenByHttp } from '../support/screen-by-http.ts'
import { startServer, type RunningServer } from '../support/server.ts'
import { ROOT } from '../support/spawned.ts'
import { hasWine, openInWine, WINE_HINT } from '../support/wine.ts'

/** Programs for another system are slow, and the first start of Wine makes its folder. */
const PATIENTLY = { timeout: 60_000, interval: 200 }
const TEST_MS = 900_000

const closers: (() => Promise<unknown>)[] = []
let server: RunningServer
let api: Api

beforeAll(async () => {
  server = await startServer()
  closers.push(server.dispose)
  api = await signIn(server)
}, TEST_MS)
afterAll(async () => {
  for (const close of closers.reverse()) await close()
}, TEST_MS)

interface OtherSystem {
  target: string
  missing: string | undefined
  start: (binary: string) => Promise<AgentProcess>
}

const systems: OtherSystem[] = [
  {
    target: 'linux-arm64',
    missing: hasQemuArm64() ? undefined : QEMU_ARM64_HINT,
    start: (binary) => Promise.resolve({ command: inQemuArm64(binary), withinMs: TEST_MS }),
  },
  {
    target: 'windows-x64',
    missing: hasWine() ? undefined : WINE_HINT,
    start: async (binary) => {
      const { command, env, dispose } = await openInWine(binary)
      closers.push(dispose)
      return { command, env, withinMs: TEST_MS }
    },
  },
]

describe.each(systems)('the binary for $target', ({ target, missing, start }) => {
  it(
    'enrols, shows its page, opens for the right code and locks at the end',
    async ({ skip }) => {
      if (missing !== undefined) skip(missing)
      const { path } = await buildAgent(target)
      const place = {
        id: target,
        label: target,
        macAddress: target === 'linux-arm64' ? '02:00:5e:00:00:0a' : '02:00:5e:00:00:0b',
      }
      await api.post('/api/postes/', place)
      const agent = await startAgent(server, place.macAddress, await start(path))
      closers.push(agent.dispose)
      const screen = screenByHttp(agent.screenUrl)

      const station = () => api.get<Station>(`/api/postes/${place.id}/`)
      await expect.poll(async () => (await station()).lastHeartbeatAt, PATIENTLY).toBeDefined()
      expect((await station()).agentVersion).toBe(manifest.version)
      expect(await screen.page()).toBe(await readFile(join(ROOT, 'agent/dist/screen/index.html'), 'utf8'))

      const session = await api.post<CreatedSession>('/api/sessions/', { stationId: place.id, minutes: 5 })
      await expect.poll(screen.phase, PATIENTLY).toBe('locked')
      await screen.typeCode(session.accessCode)
      await expect.poll(screen.phase, PATIENTLY).toBe('active')
      await api.post(`/api/sessions/${session.id}/terminate/`)
      await expect.poll(screen.phase, PATIENTLY).toBe('locked')
    },
    TEST_MS,
  )
})

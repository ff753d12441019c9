import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import type { CreatedSession, Station } from '@escale/protocol'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { buildAgent, ownTarget, type Binary } from '../support/agent-binary.ts'
import { startAgent, type RunningAgent } from '../support/agent.ts'
import { signIn, type Api } from '../support/api.ts'
import { screenByHttp } from '../support/screen-by-http.ts'
import { startServer, type RunningServer } from '../support/server.ts'
import { ROOT } from '../support/spawned.ts'
import manifest from '../../agent/package.json' with { type: 'json' }

const run = promisify(execFile)
const STATION = { id: 'poste-01', label: 'Poste 01', macAddress: '02:00:5e:00:00:01' }
const BUILDS_MS = 600_000

const closers: (() => Promise<unknown>)[] = []
let folder: string
let usual: Binary
let binary: Binary

beforeAll(async () => {
  if (ownTarget === undefined) return
  folder = await mkdtemp(join(tmpdir(), 'escale-binary-'))
  closers.push(() => rm(folder, { recursive: true }))
  usual = await buildAgent(ownTarget.name)
  binary = await buildAgent(ownTarget.name, folder)
}, BUILDS_MS)
afterAll(async () => {
  for (const close of closers.reverse()) await close()
})
beforeEach((context) => context.skip(ownTarget === undefined, 'there is no binary for this machine'))

describe('the build of the agent', () => {
  it('gives the same bytes again', () => {
    expect(binary.path).not.toBe(usual.path)
    expect(binary.sha256).toBe(usual.sha256)
  })

  it('names the version and writes the hash beside the binary as sha256sum checks it', async () => {
    expect(basename(binary.path)).toMatch(`escale-agent-${manifest.version}-`)
    const line = await readFile(`${binary.path}.sha256`, 'utf8')
    expect(line).toBe(`${binary.sha256}  ${basename(binary.path)}\n`)
  })
})

describe('the binary with nothing beside it', () => {
  let server: RunningServer
  let agent: RunningAgent
  let api: Api
  let screen: ReturnType<typeof screenByHttp>
  let proof: string

  beforeAll(async () => {
    if (ownTarget === undefined) return
    proof = join(folder, 'loaded')
    const intruder = join(folder, 'intruder.cjs')
    await writeFile(intruder, `require('node:fs').writeFileSync(${JSON.stringify(proof)}, '')`)
    server = await startServer()
    closers.push(server.dispose)
    api = await signIn(server)
    await api.post('/api/postes/', STATION)
    // Whoever opens this pipe to read waits forever.
    const pipe = join(folder, 'pipe')
    await run('mkfifo', [pipe])
    const env = { NODE_OPTIONS: `--require ${intruder}`, OPENSSL_CONF: pipe, PATH: '' }
    agent = await startAgent(server, STATION.macAddress, { command: [binary.path], env })
    closers.push(agent.dispose)
    screen = screenByHttp(agent.screenUrl)
  })

  const station = () => api.get<Station>(`/api/postes/${STATION.id}/`)

  it('enrols and sends heartbeats with its version', async () => {
    await expect.poll(async () => (await station()).lastHeartbeatAt, { timeout: 15_000 }).toBeDefined()
    expect(await station()).toMatchObject({ agentVersion: manifest.version })
  })

  it('shows the same page as the sources', async () => {
    const page = await screen.page()
    expect(page).toBe(await readFile(join(ROOT, 'agent/dist/screen/index.html'), 'utf8'))
    const [, script = ''] = /src="\/(assets\/[^"]+\.js)"/.exec(page) ?? []
    const answer = await screen.file(script)
    expect(answer.headers.get('content-type')).toContain('text/javascript')
    expect(await answer.text()).toBe(await readFile(join(ROOT, 'agent/dist/screen', script), 'utf8'))
  })

  it('opens for the right code and locks when the session ends', async () => {
    const session = await api.post<CreatedSession>('/api/sessions/', { stationId: STATION.id, minutes: 5 })
    await expect.poll(screen.phase).toBe('locked')
    await screen.typeCode(session.accessCode)
    await expect.poll(screen.phase, { timeout: 5_000 }).toBe('active')
    await api.post(`/api/sessions/${session.id}/terminate/`)
    await expect.poll(screen.phase, { timeout: 5_000 }).toBe('locked')
  })

  it('answers status and doctor', async () => {
    const { dataDir, screenPort } = agent
    const where = ['--data-dir', dataDir, '--screen-port', String(screenPort), '--no-kiosk']
    const { stdout: status } = await run(binary.path, ['status', ...where])
    expect(status).toMatch(/station poste-01[^]*server connected/)
    const { stdout: findings } = await run(binary.path, ['doctor', ...where, '--server', server.url])
    expect(findings).not.toContain('BAD')
  })

  it('has loaded no code that NODE_OPTIONS names', async () => {
    await expect(readFile(proof)).rejects.toThrow('ENOENT')
  })

  it('takes no option of Node on its command line', async () => {
    await expect(run(binary.path, ['--inspect', 'version'])).rejects.toMatchObject({ code: 2 })
  })

  it.runIf(process.platform === 'linux')('opens no debugger on SIGUSR1', async () => {
    const { child, output } = agent.process()
    child.kill('SIGUSR1')
    await expect.poll(screen.phase).toBe('locked')
    expect(output()).not.toContain('Debugger')
    await expect(fetch('http://127.0.0.1:9229/json')).rejects.toThrow()
  })

  it.runIf(process.platform === 'linux')('has no memory that is both written and executed', async () => {
    const maps = await readFile(`/proc/${agent.process().child.pid}/maps`, 'utf8')
    expect(maps).toContain('r-xp')
    expect(maps.split('\n').filter((line) => line.includes('rwx'))).toEqual([])
  })
})

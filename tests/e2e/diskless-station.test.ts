import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BootToken, Log, Station } from '@escale/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signIn, type Api } from '../support/api.ts'
import { startServer, type RunningServer } from '../support/server.ts'
import { freePorts, spawned, type Spawned } from '../support/spawned.ts'

const STATION = { id: 'poste-01', label: 'Poste 01', macAddress: '02:00:5e:00:00:01' }

/**
 * Runs a command twice, one after the other, as on a machine without a disk: $0 is the kernel's command line, and /run is
 * memory that is new at each boot. Only root may do so.
 */
const DISKLESS = 'mount --bind "$0" /proc/cmdline && mount -t tmpfs none /run && { "$@"; exec "$@"; }'
const isRoot = process.platform === 'linux' && process.getuid?.() === 0

describe.skipIf(!isRoot)('a station without a disk', () => {
  let server: RunningServer
  let api: Api
  let folder: string
  let running: Spawned | undefined

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'escale-diskless-'))
    server = await startServer()
    api = await signIn(server)
    await api.post('/api/postes/', STATION)
  })
  afterAll(async () => {
    await running?.kill()
    await server.dispose()
    await rm(folder, { recursive: true })
  })

  it('enrols once by its boot token, and keeps its identity when only the agent ends', async () => {
    const { bootToken } = await api.post<BootToken>(`/api/postes/${STATION.id}/boot_token/`)
    const cmdline = join(folder, 'cmdline')
    const { url } = server
    await writeFile(
      cmdline,
      `boot=live escale.server=${url} escale.token=${bootToken} escale.mac=${STATION.macAddress} quiet\n`,
    )
    const [port = 0] = await freePorts(1)
    const agent = ['agent/src/main.ts', 'run', '--screen-port', String(port), '--no-kiosk']
    running = spawned('unshare', ['--mount', 'sh', '-c', DISKLESS, cmdline, process.execPath, ...agent])
    const [, pid = ''] = await running.waitFor(/"pid":(\d+)[^]*^escale-agent ready station=poste-01 /m)
    const isOnline = async () => (await api.get<Station>(`/api/postes/${STATION.id}/`)).online
    await expect.poll(isOnline, { timeout: 15_000 }).toBe(true)
    process.kill(Number(pid), 'SIGKILL')
    await running.waitFor(/(^escale-agent ready station=poste-01 [^]*){2}/m)
    expect(running.output()).not.toContain(bootToken)
    const path = '/api/logs/?action=station.enrolled'
    const { results } = await api.get<{ results: Log[] }>(path)
    expect(results).toHaveLength(1)
  })
})

import { mkdir, mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { defaultConfig, type Snapshot } from './core/index.ts'
import { createFileStore } from './store.ts'

const identity = { stationId: 'pc-01', mqttSecret: 's', mqttUrl: 'mqtt://h:1', server: 'http://h:2' }
const snapshot: Snapshot = {
  stationId: 'pc-01',
  label: 'Poste 1',
  version: 7,
  rest: {
    kind: 'active',
    session: {
      sessionId: 's-1',
      displayName: 'Ada',
      grantedSeconds: 60,
      remainingMs: 30_000,
      armed: [10],
      closesAt: '2027-01-15T18:00:00.000Z',
    },
    endsAtUnixMs: 1_800_000_000_000,
  },
  endedSessionIds: ['s-0'],
  events: [],
  config: defaultConfig,
}

let dataDir: string
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'escale-store-'))
})

describe('the agent’s files', () => {
  it('hold the received commands, and the last of several writes at once', async () => {
    const store = createFileStore(dataDir)
    const taken = { id: 'c-1', op: 'reboot' } as const
    const outcome = { status: 'failed', error: 'no power' } as const
    await Promise.all([store.writeCommands([taken]), store.writeCommands([{ ...taken, outcome }])])
    expect(await createFileStore(dataDir).readCommands()).toEqual([{ ...taken, outcome }])
    await writeFile(join(dataDir, 'commands.json'), '[{"id":"c-1"')
    expect(await store.readCommands()).toEqual([])
  })

  it('are read as they were written, and only their user can read them', async () => {
    const store = createFileStore(dataDir)
    await store.writeIdentity(identity)
    await store.writeState(snapshot)
    expect(await store.readIdentity()).toEqual(identity)
    expect(await store.readState()).toEqual(snapshot)
    for (const name of await readdir(dataDir)) {
      expect([name, (await stat(join(dataDir, name))).mode & 0o777]).toEqual([name, 0o600])
    }
  })

  it('count as absent when they are damaged', async () => {
    const store = createFileStore(dataDir)
    expect(await store.readState()).toBeUndefined()
    await writeFile(join(dataDir, 'state.json'), '{"stationId":"pc-01","vers')
    expect(await store.readState()).toBeUndefined()
    await writeFile(join(dataDir, 'state.json'), '{"stationId":"pc-01"}')
    expect(await store.readState()).toBeUndefined()
  })

  it.each([
    ['garbage', '\0\u0001\ufffd'],
    ['null', 'null'],
    ['a list', '[]'],
    ['infinite time', JSON.stringify(snapshot).replace('30000', '1e999')],
    ['time beyond every instant', JSON.stringify(snapshot).replace('1800000000000', '1e300')],
    ['time as a text', JSON.stringify(snapshot).replace('30000', '"30000"')],
    ['a version beyond counting', JSON.stringify(snapshot).replace('"version":7', '"version":1e300')],
  ])('lose the state that holds %s, not the identity', async (_, content) => {
    const told: unknown[] = []
    const store = createFileStore(dataDir, { warn: (...line: unknown[]) => void told.push(line) })
    await store.writeIdentity(identity)
    await writeFile(join(dataDir, 'state.json'), content)
    expect(await store.readState()).toBeUndefined()
    expect(await store.readIdentity()).toEqual(identity)
    expect(told).toHaveLength(1)
    expect(store.damaged()).toEqual(['state.json'])
    expect(await readFile(join(dataDir, 'state.json.damaged'), 'utf8')).toBe(content)
  })

  it('keep the identity when the state cannot be read', async () => {
    const store = createFileStore(dataDir)
    await store.writeIdentity(identity)
    await mkdir(join(dataDir, 'state.json'))
    expect([await store.readState(), await store.readIdentity()]).toEqual([undefined, identity])
  })

  it('hold the newest state when it is saved faster than the disk writes', async () => {
    const store = createFileStore(dataDir)
    await Promise.all(Array.from({ length: 50 }, (_, version) => store.writeState({ ...snapshot, version })))
    expect((await store.readState())?.version).toBe(49)
  })
})

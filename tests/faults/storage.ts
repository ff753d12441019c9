import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { request, signIn } from '../support/api.ts'
import { startServer } from '../support/server.ts'
import { enrolStation, macOf, openStationClient } from '../support/station-client.ts'

const execute = promisify(execFile)
const RETRY_MS = 20
/** The most requests to `/readyz` until it must report that nothing can be stored. */
const MOST_READY_CHECKS = 100
const DISK_BYTES = 24 * 1024 * 1024

export const storageFaults = ['full', 'locked', 'away'] as const
export type StorageFaultName = (typeof storageFaults)[number]

export interface StorageReport {
  acknowledged: number
  answered: number
  /** Writes that were refused with 503 and `storage-unavailable`. */
  refused: number
  /** Writes that were acknowledged or answered and are not in the database. */
  missing: string[]
  /** Wrong answers to reads. */
  wrong: string[]
}

/** Mounts a small disk; undefined without the right to mount. */
export async function mountSmallDisk(): Promise<{ folder: string; unmount(): Promise<void> } | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'escale-disk-'))
  try {
    await execute('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', folder])
  } catch {
    await rm(folder, { recursive: true })
    return undefined
  }
  return {
    folder,
    async unmount() {
      await execute('umount', [folder])
      await rm(folder, { recursive: true })
    },
  }
}

/** Makes the storage fail in one way; the returned function ends the failure. */
const startFault: Record<StorageFaultName, (place: string, dataDir: string) => Promise<() => Promise<void>>> =
  {
    async full(place) {
      const filler = join(place, 'filler')
      await writeFile(filler, Buffer.alloc(DISK_BYTES)).catch((err: unknown) => {
        if ((err as NodeJS.ErrnoException).code !== 'ENOSPC') throw err
      })
      return () => rm(filler)
    },
    async locked(_place, dataDir) {
      const file = JSON.stringify(join(dataDir, 'escale.sqlite'))
      const script = `const { DatabaseSync } = require('node:sqlite')
      const database = new DatabaseSync(${file}, { timeout: 10000 })
      database.exec('BEGIN IMMEDIATE')
      console.log('held')
      setInterval(() => {}, 1000)`
      const holder = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] })
      await once(holder.stdout, 'data')
      return async () => {
        holder.kill('SIGKILL')
        await once(holder, 'close')
      }
    },
    async away(place, dataDir) {
      const away = join(place, 'away')
      await rename(dataDir, away)
      return () => rename(away, dataDir)
    },
  }

/**
 * Makes the storage of a real server fail again and again while a station sends events and an operator writes. At the
 * end it compares the confirmed writes with the database.
 * @param place a folder to work in, on the disk that is to be filled
 */
export async function failStorage(
  kind: StorageFaultName,
  rounds: number,
  place: string,
): Promise<StorageReport> {
  const dataDir = join(place, 'data')
  const server = await startServer({ env: { ESCALE_DATA_DIR: dataDir, ESCALE_LOG_LEVEL: 'fatal' } })
  const aborter = new AbortController()
  const { signal } = aborter
  const report: StorageReport = { acknowledged: 0, answered: 0, refused: 0, missing: [], wrong: [] }
  const written: string[] = []
  const acknowledged: number[] = []
  try {
    const { token } = await signIn(server)
    const station = await enrolStation(server, await signIn(server), 'pc0', macOf(0))
    const { client, publish } = openStationClient(server.mqttUrl, station)
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }

    const sendEvents = async () => {
      for (let seq = 0; !signal.aborted; seq += 1) {
        await publish('events', {
          bootId: 'boot-1',
          seq,
          at: '2026-01-01T08:00:00.000Z',
          kind: 'warned',
          details: {},
        })
        acknowledged.push(seq)
      }
    }
    const write = async () => {
      for (let turn = 0; !signal.aborted; turn += 1) {
        const lastName = `Essai-${turn}`
        const body = JSON.stringify({ firstName: 'Zoé', lastName, consentGiven: true })
        const answer = await request(`${server.url}/api/utilisateurs/`, { method: 'POST', headers, body })
        if (answer.status === 201) written.push(lastName)
        else if (answer.status === 503 && answer.body['code'] === 'storage-unavailable') report.refused += 1
        else report.wrong.push(`${answer.status} ${JSON.stringify(answer.body)}`)
        await delay(RETRY_MS)
      }
    }
    const load = [sendEvents(), write()]
    const until = async (isReached: () => boolean) => {
      while (!isReached()) await delay(RETRY_MS)
    }
    for (let round = 0; round < rounds; round += 1) {
      const endFault = await startFault[kind](place, dataDir)
      const before = report.refused
      await until(() => report.refused > before)
      // On a full disk a small write can still succeed after a larger one has failed: then `ready` is correct.
      let ready = await request(`${server.url}/readyz`)
      for (let asked = 1; ready.status !== 503 && asked < MOST_READY_CHECKS; asked += 1) {
        await delay(RETRY_MS)
        ready = await request(`${server.url}/readyz`)
      }
      if (ready.status !== 503) report.wrong.push(`/readyz: ${ready.status}`)
      const read = await request(`${server.url}/api/utilisateurs/?pageSize=1`, { headers })
      if (read.status !== 200) report.wrong.push(`a reader: ${read.status} ${JSON.stringify(read.body)}`)
      await endFault()
      const [writtenThen, acknowledgedThen] = [written.length, acknowledged.length]
      await until(() => written.length > writtenThen && acknowledged.length > acknowledgedThen)
      const again = await request(`${server.url}/readyz`)
      if (again.status !== 200) report.wrong.push(`/readyz afterwards: ${again.status}`)
    }
    aborter.abort()
    await Promise.all(load)
    await client.endAsync(true)
    await server.kill()
    report.answered = written.length
    report.acknowledged = acknowledged.length
    report.missing = missingIn(join(dataDir, 'escale.sqlite'), written, acknowledged)
    return report
  } finally {
    aborter.abort()
    await server.dispose()
  }
}

function missingIn(file: string, written: readonly string[], acknowledged: readonly number[]): string[] {
  const database = new DatabaseSync(file)
  const column = (sql: string) =>
    new Set(
      database
        .prepare(sql)
        .all()
        .map((row) => String(Object.values(row)[0])),
    )
  const names = column('SELECT last_name FROM users')
  const events = column('SELECT seq FROM station_events')
  database.close()
  return [
    ...written.filter((name) => !names.has(name)),
    ...acknowledged.filter((seq) => !events.has(String(seq))).map((seq) => `event ${seq}`),
  ]
}

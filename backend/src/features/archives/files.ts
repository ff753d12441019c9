import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import type { ArchiveRow } from '../../db/rows.ts'
import { anonymousRows } from './anonymous.ts'
import type { ArchiveRepository } from './repository.ts'

interface ArchiveInput extends Pick<ArchiveRow, 'kind' | 'fromMs' | 'toMs'> {
  /** Part of the file name: a month or a day. */
  label: string
  /** Read twice. */
  rows: () => AsyncIterable<object>
}

export type ArchiveFiles = ReturnType<typeof createArchiveFiles>

export interface ArchiveFilePorts {
  database: Database
  repository: ArchiveRepository
  clock: Clock
  log: Logger
}

/** Archive files: anonymous rows as compressed NDJSON, with the SHA-256 of each file in the database. */
export function createArchiveFiles(dir: string, { database, repository, clock, log }: ArchiveFilePorts) {
  const pathOf = (file: string) => join(dir, file)

  async function writeArchive(
    file: string,
    span: Pick<ArchiveRow, 'kind' | 'fromMs' | 'toMs'>,
    rows: () => AsyncIterable<object>,
  ) {
    const draft = `${pathOf(file)}.part`
    const { rowCount, sha256 } = await writeVerified(draft, anonymousRows(span.kind, rows))
    await rename(draft, pathOf(file))
    const archive = { file, ...span, rowCount, sha256, verifiedAtMs: clock.nowMs(), isAnonymous: true }
    await database.write(() => repository.save(archive))
    return archive
  }

  return {
    /**
     * Writes rows to a file, reads the whole file again, and stores its hash. Nothing may be deleted before this
     * returns.
     * @throws Error when the file does not hold what was written
     */
    async write({ label, rows, ...span }: ArchiveInput): Promise<ArchiveRow> {
      await mkdir(dir, { recursive: true, mode: 0o700 })
      return writeArchive(`${span.kind}-${label}.ndjson.gz`, span, rows)
    },

    /** Rewrites archives of earlier releases, which hold the ids of users; called before the server listens. */
    async makeAnonymous(): Promise<void> {
      for (const { file, kind, fromMs, toMs } of await repository.identifying()) {
        if (existsSync(pathOf(file)))
          await writeArchive(file, { kind, fromMs, toMs }, () => rowsOf(pathOf(file)))
        else
          log.warn(
            { file },
            'an archive is missing from its folder; it holds the ids of users, if it is found again',
          )
      }
    },

    /** Removes archives of periods that ended before an instant; @returns how many */
    async removeBefore(unixMs: number): Promise<number> {
      const old = await repository.endedBefore(unixMs)
      for (const { file } of old) {
        await rm(pathOf(file), { force: true })
        await database.write(() => repository.remove(file))
      }
      return old.length
    },
  }
}

async function writeVerified(draft: string, rows: AsyncIterable<object>) {
  let rowCount = 0
  const written = createHash('sha256')
  async function* lines() {
    for await (const row of rows) {
      const line = `${JSON.stringify(row)}\n`
      written.update(line)
      rowCount += 1
      yield line
    }
  }
  await pipeline(Readable.from(lines()), createGzip(), createWriteStream(draft, { mode: 0o600, flush: true }))
  return { rowCount, sha256: await verified(draft, rowCount, written.digest('hex')) }
}

async function* rowsOf(path: string): AsyncGenerator<object> {
  const source = createReadStream(path).pipe(createGunzip())
  for await (const line of createInterface({ input: source, crlfDelay: Infinity }))
    yield JSON.parse(line) as object
}

/** Reads an archive and compares its lines with those that were written; @returns the SHA-256 of the file */
async function verified(path: string, rowCount: number, contentHash: string): Promise<string> {
  const fileHash = createHash('sha256')
  const source = createReadStream(path).on('data', (chunk) => fileHash.update(chunk))
  const lines = createInterface({ input: source.pipe(createGunzip()), crlfDelay: Infinity })
  const read = createHash('sha256')
  let count = 0
  for await (const line of lines) {
    JSON.parse(line)
    read.update(`${line}\n`)
    count += 1
  }
  if (count !== rowCount || read.digest('hex') !== contentHash) {
    throw new Error(`the archive ${path} does not read back as it was written`)
  }
  return fileHash.digest('hex')
}

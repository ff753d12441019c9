import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import type { ArchiveRow } from '../../db/rows.ts'

export interface ArchiveInput extends Pick<ArchiveRow, 'kind' | 'fromMs' | 'toMs'> {
  /** Part of the file's name: a month or a day. */
  label: string
  rows: AsyncIterable<object>
}

export type Archives = ReturnType<typeof createArchives>

/** Rows kept for good as compressed NDJSON, each file with its SHA-256. */
export function createArchives(dir: string, { models: { archives }, write, scope }: Database, clock: Clock) {
  return {
    /**
     * Writes rows to a file, reads them back whole, and notes the file's hash. Nothing may be purged before this
     * returns.
     * @throws Error when what was read back is not what was written
     */
    async write({ label, rows, ...span }: ArchiveInput): Promise<ArchiveRow> {
      await mkdir(dir, { recursive: true, mode: 0o700 })
      const file = `${span.kind}-${label}.ndjson.gz`
      const draft = join(dir, `${file}.part`)
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
      await pipeline(
        Readable.from(lines()),
        createGzip(),
        createWriteStream(draft, { mode: 0o600, flush: true }),
      )
      const sha256 = await verified(draft, rowCount, written.digest('hex'))
      await rename(draft, join(dir, file))
      const archive = { file, ...span, rowCount, sha256, verifiedAtMs: clock.nowMs(), isAnonymous: true }
      await write(async () => {
        await archives.upsert(archive, scope())
      })
      return archive
    },
  }
}

/** Reads an archive back: its lines must be those that were written; @returns the SHA-256 of the file */
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

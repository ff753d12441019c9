import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { registerCaching } from './caching.ts'
import { registerNotFound } from './not-found.ts'
import { registerPages } from './pages.ts'
import { registerProblems } from './problem.ts'

const script = `export const text = '${'bonjour '.repeat(500)}'\n`
const page = `<!doctype html><title>Escale</title>${'<p>x</p>'.repeat(300)}`
const SCRIPT_URL = '/assets/index-DAq01ADH.js'

let folder: string
let app: FastifyInstance
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'escale-pages-'))
  mkdirSync(join(folder, 'assets'))
  for (const [name, text] of [
    [SCRIPT_URL, script],
    ['index.html', page],
  ] as const) {
    writeFileSync(join(folder, name), text)
    writeFileSync(join(folder, `${name}.br`), brotliCompressSync(text))
    writeFileSync(join(folder, `${name}.gz`), gzipSync(text))
  }
  writeFileSync(join(folder, 'escale.svg'), '<svg/>')
  app = Fastify()
  registerCaching(app)
  registerProblems(app)
  registerNotFound(app)
  await registerPages(app, folder)
})
afterAll(async () => {
  await app.close()
  rmSync(folder, { recursive: true })
})

const get = (url: string, encoding?: string, headers: Record<string, string> = {}) =>
  app.inject({
    url,
    headers: {
      accept: 'text/html',
      ...headers,
      ...(encoding === undefined ? {} : { 'accept-encoding': encoding }),
    },
  })
const plain = (bytes: Buffer) => bytes
const decode: Record<string, (bytes: Buffer) => Buffer> = { br: brotliDecompressSync, gzip: gunzipSync }

describe('a file', () => {
  it.each([
    ['gzip, deflate, br', 'br'],
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip', 'gzip'],
    ['br;q=0, gzip;q=0.5', 'gzip'],
    ['identity', undefined],
    ['gzip;q=0, br;q=0', undefined],
    ['zstd', undefined],
    [undefined, undefined],
  ])('is sent in an accepted encoding: %s', async (accepted, encoding) => {
    for (const [url, text, type] of [
      [SCRIPT_URL, script, '/javascript'],
      ['/', page, 'text/html'],
      ['/visiteurs/42', page, 'text/html'],
    ] as const) {
      const answer = await get(url, accepted)
      expect(answer.statusCode, url).toBe(200)
      expect(answer.headers['content-encoding'], url).toBe(encoding)
      expect(answer.headers['content-type'], url).toContain(type)
      expect(answer.headers['vary'], url).toMatch(/accept-encoding/i)
      expect((decode[encoding ?? ''] ?? plain)(answer.rawPayload).toString(), url).toBe(text)
    }
  })

  it('is cached for good if its name contains its hash, and revalidated otherwise', async () => {
    for (const encoding of ['br', 'gzip', 'identity']) {
      const cacheOf = async (url: string) => (await get(url, encoding)).headers['cache-control']
      expect(await cacheOf(SCRIPT_URL)).toBe('public, max-age=31536000, immutable')
      for (const url of ['/', '/index.html', '/visiteurs/42', '/escale.svg'])
        expect(await cacheOf(url), url).toBe('no-cache')
      expect(await cacheOf('/assets/gone.js')).toBe('no-store')
    }
  })

  it('is not sent again to a client that has it; each encoding has its own tag', async () => {
    const tags = await Promise.all(
      ['br', 'gzip', 'identity'].map(async (encoding) => {
        const tag = String((await get('/', encoding)).headers['etag'])
        const again = await get('/', encoding, { 'if-none-match': tag })
        expect({ status: again.statusCode, body: again.body }).toEqual({ status: 304, body: '' })
        return tag
      }),
    )
    expect(new Set(tags).size).toBe(3)
  })
})

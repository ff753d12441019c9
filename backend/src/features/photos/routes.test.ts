import { randomFillSync } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp, type TestApp } from '../../testing/app.ts'

let test: TestApp
let photo: Buffer
beforeAll(async () => {
  test = await startTestApp()
  const raw = { width: 1_500, height: 1_500, channels: 3 } as const
  photo = await sharp(randomFillSync(Buffer.alloc(1_500 * 1_500 * 3)), { raw })
    .jpeg({ quality: 98 })
    .toBuffer()
})
afterAll(() => test.stop())

const put = (id: string, body: Buffer, type = 'image/jpeg') =>
  test.call('PUT', `/api/utilisateurs/${id}/photo`, { body, headers: { 'content-type': type } })

describe('photos over HTTP', () => {
  it('that arrive together are processed one after the other, and other requests are answered in this time', async () => {
    expect(photo.length).toBeGreaterThan(2_000_000)
    const users = await Promise.all([1, 2, 3, 4].map(() => test.createUser()))
    const state = { areDone: false }
    const uploads = Promise.all(users.map(({ id }) => put(id, photo))).finally(() => (state.areDone = true))
    let answered = 0
    while (!state.areDone) {
      await test.call('GET', '/healthz', { token: null })
      answered += 1
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect((await uploads).map(({ status }) => status)).toEqual([200, 200, 200, 200])
    // If this process decoded the photos or checked every byte, it could answer only a few requests.
    expect(answered).toBeGreaterThan(20)
  })

  it('are accepted with any media type', async () => {
    const { id } = await test.createUser()
    for (const type of [
      'application/json',
      'application/json; charset=latin1',
      'text/plain',
      'application/x-y',
    ])
      expect((await put(id, photo, type)).status, type).toBe(200)
    const json = Buffer.from(`[${'1,'.repeat(1_000_000)}1]`)
    expect(await put(id, json, 'application/json')).toMatchObject({
      status: 415,
      body: { code: 'photo-format' },
    })
  })

  it('are refused before they are read when sixteen are in progress', async () => {
    const { http } = await test.listen()
    const { id } = await test.createUser()
    const token = await test.tokenOf('admin')
    const head = [
      `PUT /api/utilisateurs/${id}/photo HTTP/1.1`,
      'Host: a',
      `Authorization: Bearer ${token}`,
      'Content-Type: image/jpeg',
      'Content-Length: 1000000',
      'Expect: 100-continue',
    ]
    const open: Socket[] = []
    const arrive = async () => {
      const socket = connect(http, '127.0.0.1')
      open.push(socket)
      socket.write(`${head.join('\r\n')}\r\n\r\n`)
      const first = await new Promise<Buffer>((resolve) => socket.once('data', resolve))
      return first.toString().split('\r\n')[0]
    }
    const lines = await Promise.all(Array.from({ length: 16 }, arrive))
    expect(new Set(lines)).toEqual(new Set(['HTTP/1.1 100 Continue']))
    await expect
      .poll(async () => (await put(id, photo)).body['code'], { timeout: 10_000 })
      .toBe('unavailable')
    const closed = open.map((socket) => new Promise((resolve) => socket.once('close', resolve)))
    for (const socket of open) socket.destroy()
    await Promise.all(closed)
    await expect.poll(async () => (await put(id, photo)).status, { timeout: 10_000 }).toBe(200)
  })
})

import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestApp, type TestApp } from '../../testing/app.ts'

let test: TestApp

beforeAll(async () => {
  test = await startTestApp()
})
afterAll(() => test.stop())

const metrics = (remoteAddress: string, token?: string) =>
  test.app.http.inject({
    url: '/metrics',
    remoteAddress,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  })

it('metrics can be read from this machine, and by an operator from elsewhere', async () => {
  await test.startSession()
  const { body, headers } = await metrics('127.0.0.1')
  expect(headers['content-type']).toContain('text/plain')
  expect(body).toContain('escale_stations{state="occupied"} 1')
  expect(body).toContain('escale_sessions_active 1')
  expect(body).toContain('escale_broker{figure="clients"} 0')
  expect(body).toMatch(/^escale_database_statements_total [1-9]/m)
  expect(body).toContain('process_resident_memory_bytes')
  expect((await metrics('::1')).statusCode).toBe(200)
  expect((await metrics('192.168.1.9')).statusCode).toBe(401)
  expect((await metrics('192.168.1.9', await test.tokenOf('viewer'))).statusCode).toBe(200)
})

import type { CreatedSession, Session } from '@escale/protocol'
import { describe, expect, test } from 'vitest'
import { signIn } from '../support/api.ts'
import { FAKETIME_HINT, findFaketime, openFakeWallClock } from '../support/faketime.ts'
import { startServer } from '../support/server.ts'

const GRANTED_SECONDS = 600
const isFakeable = findFaketime() !== undefined

describe('a server that is killed and restarts with a clock that is slow', () => {
  if (!isFakeable) test('does not add time', (context) => context.skip(true, FAKETIME_HINT))

  test.runIf(isFakeable).each([
    ['20 minutes', -1_200],
    ['two days', -172_800],
  ])('by %s does not add time, not even when the clock is corrected', async (_, aheadSeconds) => {
    const wall = await openFakeWallClock()
    const server = await startServer({ env: wall.env })
    const stationId = 'pc-01'
    let api = await signIn(server)
    await api.post('/api/postes/', { id: stationId, label: 'Poste 1' })
    const minutes = GRANTED_SECONDS / 60
    const { id } = await api.post<CreatedSession>('/api/sessions/', { stationId, minutes })
    const code = await api.post<CreatedSession>('/api/sessions/', { minutes })
    const startedMs = performance.now()
    await api.post(`/api/sessions/${id}/start/`)
    const remaining = async () => (await api.get<Session>(`/api/sessions/${id}/`)).remainingSeconds
    const codeSeconds = async () => {
      const { codeExpiresAt = '' } = await api.get<Session>(`/api/sessions/${code.id}/`)
      const { sentAt } = await api.get<{ sentAt: string }>(`/api/sessions/${id}/time_remaining/`)
      return (Date.parse(codeExpiresAt) - Date.parse(sentAt)) / 1_000
    }
    const codeSecondsBefore = await codeSeconds()
    await new Promise((resolve) => setTimeout(resolve, 6_000))
    const before = await remaining()

    await server.kill()
    await wall.set(aheadSeconds)
    await server.restart()
    api = await signIn(server)
    const behind = await remaining()
    expect(behind).toBeLessThanOrEqual(before)
    expect(behind).toBeGreaterThan(before - 15)
    expect(await codeSeconds()).toBeLessThanOrEqual(codeSecondsBefore)

    await wall.set(0)
    await server.process().waitFor(/wall clock was set/)
    api = await signIn(server)
    const right = await remaining()
    const elapsedSeconds = (performance.now() - startedMs) / 1_000
    expect(right).toBeLessThanOrEqual(behind)
    expect(Math.abs(GRANTED_SECONDS - right - elapsedSeconds)).toBeLessThan(3)
    expect(Math.abs(codeSecondsBefore - (await codeSeconds()) - elapsedSeconds)).toBeLessThan(3)
    process.stdout.write(`${aheadSeconds} s: ${before} s left, ${behind} s behind, ${right} s once right\n`)
    await server.dispose()
    await wall.dispose()
  })
})

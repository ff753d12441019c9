import { describe, expect, it } from 'vitest'
import { anonymousRows } from './anonymous.ts'

async function archived(kind: 'sessions' | 'logs', rows: object[]) {
  async function* source() {
    yield* rows
  }
  const kept: object[] = []
  for await (const row of anonymousRows(kind, source)) kept.push(row)
  return kept
}

describe('an archive', () => {
  const profile = { ageBand: '30-39', sex: 'female', municipality: 'Brest', occupation: 'étudiante' }

  it('contains sessions without their user, and a profile that five persons share', async () => {
    const rows = Array.from({ length: 5 }, (_, i) => ({
      id: `s${i}`,
      userId: `u${i}`,
      consumedMs: i,
      ...profile,
    }))
    expect(await archived('sessions', rows)).toEqual(rows.map(({ userId: _userId, ...row }) => row))
  })

  it('contains only age and sex if municipality and occupation would identify a person', async () => {
    const rows = Array.from({ length: 5 }, (_, i) => ({ id: `s${i}`, userId: `u${i}`, ...profile }))
    const rare = { id: 's9', userId: 'u9', ...profile, occupation: 'dompteuse' }
    expect((await archived('sessions', [...rows, rare])).at(-1)).toEqual({
      id: 's9',
      ageBand: '30-39',
      sex: 'female',
    })
  })

  it('contains no profile of fewer persons, however often they came', async () => {
    const rows = Array.from({ length: 9 }, (_, i) => ({ id: `s${i}`, userId: `u${i % 4}`, ...profile }))
    for (const row of await archived('sessions', rows)) expect(Object.keys(row)).toEqual(['id'])
  })

  it('contains journal records without user, address and free text', async () => {
    const log = { id: 1, userId: 'u1', ip: '10.0.0.5', prevHash: 'a', hash: 'b' }
    const rows = [
      {
        ...log,
        action: 'session.terminated',
        details: JSON.stringify({ endReason: 'terminated', reason: 'Mme X' }),
      },
      {
        ...log,
        action: 'station.fault_reported',
        details: JSON.stringify({ kind: 'Mme X', a: { b: 'Mme X' } }),
      },
      { ...log, action: 'user.created', details: '{}' },
    ]
    const kept = await archived('logs', rows)
    expect(JSON.stringify(kept)).not.toMatch(/Mme X|u1|10\.0\.0\.5/)
    expect(kept[0]).toEqual({
      ...{ id: 1, prevHash: 'a', hash: 'b', action: 'session.terminated' },
      details: '{"endReason":"terminated"}',
    })
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  afterStep,
  elapsedMsAt,
  endsAtMsOf,
  sessionTimeAt,
  shifted,
  transition,
  type SessionClock,
} from './session.ts'

const MINUTE = 60_000
const DAY = 1_440 * MINUTE
/** How far ahead of its clock the server saves its time mark. */
const MARK = 5_000
const rules = { maxSuspendedMs: 30 * MINUTE }
const START = 1_800_000_000_000

const started = (nowMs: number, grantedSeconds = 600): SessionClock => ({
  state: 'active',
  grantedSeconds,
  creditSeconds: 0,
  consumedMs: 0,
  codeExpiresAtMs: nowMs + DAY,
  startedAtMs: nowMs,
  runningSinceMs: nowMs,
})

/** A server over several starts: the true time, the error of its clock, and what it has saved about its clock. */
function createServer(session: SessionClock) {
  let trueMs = START
  let offsetMs = 0
  let reachedMs = START
  let isOfThisStart = true
  const nowMs = () => trueMs + offsetMs
  const state = { session }
  return {
    state,
    nowMs,
    trueMs: () => trueMs,
    remaining: () => sessionTimeAt(state.session, nowMs()).remainingSeconds,
    pass(ms: number) {
      trueMs += ms
      reachedMs = nowMs()
    },
    /** The clock is set while the server runs. */
    set(newOffsetMs: number) {
      const stepMs = newOffsetMs - offsetMs
      offsetMs = newOffsetMs
      state.session = afterStep(state.session, stepMs, isOfThisStart)
      reachedMs = nowMs()
    },
    /** The server is killed, and starts again with another clock. */
    restart(downMs: number, newOffsetMs: number) {
      trueMs += downMs
      offsetMs = newOffsetMs
      isOfThisStart = false
      const stepMs = nowMs() - (reachedMs + MARK)
      if (stepMs > 0 || stepMs < -MARK) state.session = afterStep(state.session, stepMs, false)
      reachedMs = nowMs()
    },
    grant(seconds: number) {
      state.session = transition(state.session, { type: 'addTime', seconds }, nowMs(), rules).session
    },
  }
}

describe('time between two starts', () => {
  it.each([
    ['20 minutes behind', -20 * MINUTE],
    ['two days behind', -2 * DAY],
    ['years behind', -20_000 * DAY],
  ])('with a clock that is %s and then right: the remaining time is correct', (_, offsetMs) => {
    const server = createServer(started(START))
    server.pass(50_000)
    expect(server.remaining()).toBe(550)
    server.restart(10_000, offsetMs)
    expect(server.remaining()).toBeLessThanOrEqual(550)
    expect(server.remaining()).toBeGreaterThan(540)
    server.pass(30_000)
    server.set(0)
    expect(server.remaining()).toBe(510)
  })

  it('with a clock that is behind in two starts, and right in the third', () => {
    const server = createServer(started(START))
    server.pass(50_000)
    server.restart(10_000, -2 * DAY)
    server.pass(20_000)
    server.restart(10_000, -2 * DAY)
    server.pass(10_000)
    server.restart(20_000, 0)
    expect(server.remaining()).toBe(480)
  })

  it('with a clock that was behind by less than the downtime: the remaining time follows the corrected clock', () => {
    const server = createServer(started(START, 7_200))
    server.pass(60_000)
    server.restart(60 * MINUTE, -20 * MINUTE)
    server.set(0)
    expect(server.remaining()).toBe(7_200 - 61 * 60)
  })

  it('does not change how long a code is valid', () => {
    const code: SessionClock = {
      ...started(START),
      state: 'pending',
      runningSinceMs: undefined,
      startedAtMs: undefined,
    }
    const server = createServer({ ...code, codeExpiresAtMs: START + 15 * MINUTE })
    server.pass(MINUTE)
    server.restart(10_000, -2 * DAY)
    const leftMs = server.state.session.codeExpiresAtMs - server.nowMs()
    expect(leftMs).toBeLessThanOrEqual(14 * MINUTE)
    expect(leftMs).toBeGreaterThan(13.8 * MINUTE)
    server.set(0)
    expect(server.state.session.codeExpiresAtMs).toBe(START + 15 * MINUTE)
  })
})

type Move = (server: ReturnType<typeof createServer>) => number
const offset = fc.integer({ min: -3 * DAY, max: 3 * DAY })
const moves: fc.Arbitrary<Move> = fc.oneof(
  fc.nat(120_000).map(
    (ms): Move =>
      (server) => (server.pass(ms), 0),
  ),
  offset.map(
    (ms): Move =>
      (server) => (server.set(ms), 0),
  ),
  fc.tuple(fc.nat(600_000), offset).map(
    ([downMs, ms]): Move =>
      (server) => (server.restart(downMs, ms), 0),
  ),
  fc.integer({ min: 1, max: 900 }).map(
    (seconds): Move =>
      (server) => (server.grant(seconds), seconds),
  ),
)

describe('with any clock steps and any starts', () => {
  it('the remaining time never exceeds the grant, and grows only by a grant', () => {
    fc.assert(
      fc.property(fc.array(moves, { maxLength: 40 }), (list) => {
        const server = createServer(started(START, 3_600))
        let leftMs = 3_600_000
        for (const move of list) {
          const grantedMs = move(server) * 1_000
          const { session } = server.state
          const nowLeftMs = session.grantedSeconds * 1_000 - elapsedMsAt(session, server.nowMs())
          expect(nowLeftMs).toBeLessThanOrEqual(leftMs + grantedMs)
          expect(server.remaining()).toBeLessThanOrEqual(session.grantedSeconds)
          expect((endsAtMsOf(session) ?? 0) - server.nowMs()).toBeLessThanOrEqual(leftMs + grantedMs)
          leftMs = nowLeftMs
        }
      }),
      { numRuns: 1_000 },
    )
  })

  it('a clock step while the server runs does not change the instants of this start', () => {
    fc.assert(
      fc.property(offset, fc.nat(600_000), (stepMs, ranMs) => {
        const session = started(START)
        const moved = afterStep(session, stepMs, true)
        expect(moved).toEqual(shifted(session, stepMs))
        expect(elapsedMsAt(moved, START + ranMs + stepMs)).toBe(elapsedMsAt(session, START + ranMs))
      }),
    )
  })
})

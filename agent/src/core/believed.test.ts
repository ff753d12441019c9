import { instantOf, type Desired } from '@escale/protocol'
import { describe, expect, it } from 'vitest'
import { shownMsOf } from './lease.ts'
import type { SavedRest } from './saved-state.ts'
import { defaultConfig, restOf } from './state.ts'
import {
  activeDocument,
  clockInput,
  createRig,
  kindsOf,
  lockedDocument,
  received,
  SERVER_OFFSET_MS,
  type Rig,
} from './testing.ts'

const DAY_MS = 86_400_000
const ABSURD = 2 ** 52

const activeRest = (
  remainingSeconds: number,
  sessionId = 's-1',
  grantedSeconds = remainingSeconds,
): SavedRest => ({
  kind: 'active',
  session: {
    sessionId,
    displayName: 'Ada',
    grantedSeconds,
    remainingMs: remainingSeconds * 1_000,
    armed: [],
  },
  endsAtUnixMs: SERVER_OFFSET_MS + remainingSeconds * 1_000,
})

/** A station that finds this in its own file and has the server on the line, whose clock it does not know yet. */
function restored(
  version: number,
  rest: SavedRest = { kind: 'locked' },
  endedSessionIds: string[] = [],
): Rig {
  const rig = createRig()
  const snapshot = { stationId: 'pc-01', version, rest, endedSessionIds, events: [], config: defaultConfig }
  rig.input({ kind: 'enrolled', stationId: 'pc-01', snapshot })
  rig.input({ kind: 'linkUp' })
  rig.drain()
  return rig
}

const tellTime = (rig: Rig) => rig.input(clockInput(SERVER_OFFSET_MS, rig.nowMs()))
const sentAgo = (document: Desired, agoMs: number): Desired => ({
  ...document,
  sentAt: instantOf(Date.parse(document.sentAt) - agoMs),
})
const remainingSeconds = (rig: Rig) => {
  const rest = restOf(rig.state().phase)
  return rest?.kind === 'active' ? shownMsOf(rest.lease, rig.nowMs()) / 1_000 : undefined
}
/** A version as the server of these tests gives them. */
const REAL = SERVER_OFFSET_MS - 3_600_000

describe('a version that no server can have given', () => {
  it.each([ABSURD, 2 ** 51, SERVER_OFFSET_MS + DAY_MS + 1])(
    '%d gives way to a document that was sent just now, once the time is known',
    (version) => {
      const rig = restored(version)
      rig.input(received(activeDocument({ version: REAL, seconds: 600, nowMs: 0 })))
      expect(rig.state().version).toBe(version)
      expect(kindsOf(tellTime(rig))).toContain('report')
      expect(rig.state().version).toBe(REAL)
      expect(remainingSeconds(rig)).toBe(600)
    },
  )

  it('gives way on a later connection as well', () => {
    const rig = restored(ABSURD)
    tellTime(rig)
    rig.input(received(lockedDocument(REAL, 0)))
    expect(rig.state().version).toBe(REAL)
  })

  it('does not give way to a document that comes late', () => {
    const rig = restored(ABSURD)
    const late = sentAgo(activeDocument({ version: REAL, seconds: 600, nowMs: 0 }), 60_000)
    rig.input(received(late))
    tellTime(rig)
    rig.input(received(late))
    expect(rig.state()).toMatchObject({ version: ABSURD, phase: { kind: 'locked' } })
  })

  it('lets no document below the one that it gave way to in', () => {
    const rig = restored(ABSURD)
    tellTime(rig)
    rig.input(received(lockedDocument(REAL, 0)))
    rig.input(received(activeDocument({ version: REAL - 1, seconds: 600, nowMs: 0 })))
    expect(rig.state()).toMatchObject({ version: REAL, phase: { kind: 'locked' } })
  })
})

describe('a version that may be the server’s', () => {
  it.each([
    ['a day ahead of its time', SERVER_OFFSET_MS + DAY_MS],
    ['the newest', SERVER_OFFSET_MS],
  ])('%s: holds against every older document', (_, version) => {
    const rig = restored(version)
    tellTime(rig)
    rig.input(received(activeDocument({ version: REAL - 40 * DAY_MS, seconds: 600, nowMs: 0 })))
    expect(rig.state()).toMatchObject({ version, phase: { kind: 'locked' } })
  })

  it('holds where the server’s clock is days behind its own documents', () => {
    const version = SERVER_OFFSET_MS + 3 * DAY_MS
    const rig = restored(version)
    tellTime(rig)
    rig.input(received(activeDocument({ version: version - 1, seconds: 600, nowMs: 0 })))
    expect(rig.state()).toMatchObject({ version, phase: { kind: 'locked' } })
  })
})

describe('what somebody wrote into the agent’s own file', () => {
  it('gives no time: the document of the same version says what is left', () => {
    const rig = restored(REAL, activeRest(36_000))
    rig.input(received(activeDocument({ version: REAL, seconds: 550, nowMs: 0, granted: 600 })))
    expect(remainingSeconds(rig)).toBe(550)
    tellTime(rig)
    expect(remainingSeconds(rig)).toBe(550)
  })

  it('is not raised by the document: the few seconds that are left stay as they are', () => {
    const rig = restored(REAL, activeRest(540, 's-1', 600))
    rig.input(received(activeDocument({ version: REAL, seconds: 550, nowMs: 0, granted: 600 })))
    expect(remainingSeconds(rig)).toBe(540)
    tellTime(rig)
    expect(remainingSeconds(rig)).toBe(540)
  })

  it('opens nothing: a session that the document does not speak of is over', () => {
    const rig = restored(REAL, activeRest(36_000, 'forged'))
    rig.input(received(lockedDocument(REAL, 0)))
    expect(rig.state().phase).toMatchObject({ kind: 'cleaning', next: { kind: 'locked' } })
  })

  it('does not give more than its own grant before the server is heard', () => {
    const rig = restored(REAL, activeRest(36_000, 's-1', 600))
    expect(remainingSeconds(rig)).toBe(600)
  })

  it('brings no session back that ended here', () => {
    const rig = restored(REAL, { kind: 'locked' }, ['s-1'])
    rig.input(received(activeDocument({ version: REAL, seconds: 550, nowMs: 0 })))
    expect(rig.state().phase.kind).toBe('locked')
  })

  it('once confirmed, the same document changes nothing any more', () => {
    const rig = restored(REAL, activeRest(36_000))
    rig.input(received(activeDocument({ version: REAL, seconds: 550, nowMs: 0, granted: 600 })))
    rig.input(received(activeDocument({ version: REAL, seconds: 600, nowMs: 0 })))
    expect(remainingSeconds(rig)).toBe(550)
  })
})

describe('a document that says more than it may', () => {
  it.each([
    ['by what is left', { remainingSeconds: 9_000 }],
    ['by its end', { endsAt: instantOf(SERVER_OFFSET_MS + 9_000_000) }],
  ])('%s gives no more than the grant, whether the clock is known or not', (_, said) => {
    for (const isClockKnown of [false, true]) {
      const rig = restored(0)
      if (isClockKnown) tellTime(rig)
      const document = activeDocument({ version: REAL, seconds: 600, nowMs: 0 })
      rig.input(received({ ...document, session: { ...document.session!, ...said } }))
      tellTime(rig)
      expect(remainingSeconds(rig)).toBeLessThanOrEqual(600)
    }
  })
})

describe('a session that another start of the agent has', () => {
  const bound = (version: number, bootId: string, conflict?: boolean): Desired => {
    const document = activeDocument({ version, seconds: 600, nowMs: 0 })
    return { ...document, conflict, session: { ...document.session!, bootId } }
  }

  it('does not open here', () => {
    const rig = restored(0)
    rig.input(received(bound(REAL, 'boot-2')))
    expect(rig.state()).toMatchObject({ version: REAL, phase: { kind: 'locked' } })
    rig.input(received(bound(REAL + 1, 'boot-1')))
    expect(rig.state().phase.kind).toBe('active')
  })

  it('goes on where this agent came back with it, unless two machines are at odds', () => {
    const rig = restored(REAL, activeRest(600))
    rig.input(received(bound(REAL + 1, 'boot-0')))
    expect(rig.state().phase.kind).toBe('active')
    rig.input(received(bound(REAL + 2, 'boot-0', true)))
    expect(rig.state().phase).toMatchObject({ kind: 'cleaning', next: { kind: 'locked' } })
  })
})

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

/** A station that restored this from its own file. It is connected, and does not know the server's clock yet. */
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
/** A version that the server of these tests can issue. */
const REAL = SERVER_OFFSET_MS - 3_600_000

describe('a version that no server can have issued', () => {
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

  it('is also replaced on a later connection', () => {
    const rig = restored(ABSURD)
    tellTime(rig)
    rig.input(received(lockedDocument(REAL, 0)))
    expect(rig.state().version).toBe(REAL)
  })

  it('is not replaced by a document that comes late', () => {
    const rig = restored(ABSURD)
    const late = sentAgo(activeDocument({ version: REAL, seconds: 600, nowMs: 0 }), 60_000)
    rig.input(received(late))
    tellTime(rig)
    rig.input(received(late))
    expect(rig.state()).toMatchObject({ version: ABSURD, phase: { kind: 'locked' } })
  })

  it('is not replaced by a document below the one that replaced it', () => {
    const rig = restored(ABSURD)
    tellTime(rig)
    rig.input(received(lockedDocument(REAL, 0)))
    rig.input(received(activeDocument({ version: REAL - 1, seconds: 600, nowMs: 0 })))
    expect(rig.state()).toMatchObject({ version: REAL, phase: { kind: 'locked' } })
  })
})

describe('a version that the server may have issued', () => {
  it.each([
    ['a day ahead of its time', SERVER_OFFSET_MS + DAY_MS],
    ['the newest', SERVER_OFFSET_MS],
  ])('%s: holds against every older document', (_, version) => {
    const rig = restored(version)
    tellTime(rig)
    rig.input(received(activeDocument({ version: REAL - 40 * DAY_MS, seconds: 600, nowMs: 0 })))
    expect(rig.state()).toMatchObject({ version, phase: { kind: 'locked' } })
  })

  it('stays when the server’s clock is days behind its own documents', () => {
    const version = SERVER_OFFSET_MS + 3 * DAY_MS
    const rig = restored(version)
    tellTime(rig)
    rig.input(received(activeDocument({ version: version - 1, seconds: 600, nowMs: 0 })))
    expect(rig.state()).toMatchObject({ version, phase: { kind: 'locked' } })
  })
})

describe('a change that somebody made in the agent’s own file', () => {
  it('adds no time: the document of the same version sets the remaining time', () => {
    const rig = restored(REAL, activeRest(36_000))
    rig.input(received(activeDocument({ version: REAL, seconds: 550, nowMs: 0, granted: 600 })))
    expect(remainingSeconds(rig)).toBe(550)
    tellTime(rig)
    expect(remainingSeconds(rig)).toBe(550)
  })

  it('is not raised by the document: a shorter remaining time stays', () => {
    const rig = restored(REAL, activeRest(540, 's-1', 600))
    rig.input(received(activeDocument({ version: REAL, seconds: 550, nowMs: 0, granted: 600 })))
    expect(remainingSeconds(rig)).toBe(540)
    tellTime(rig)
    expect(remainingSeconds(rig)).toBe(540)
  })

  it('opens nothing: a session that is not in the document ends', () => {
    const rig = restored(REAL, activeRest(36_000, 'forged'))
    rig.input(received(lockedDocument(REAL, 0)))
    expect(rig.state().phase).toMatchObject({ kind: 'cleaning', next: { kind: 'locked' } })
  })

  it('never gives more than the granted time before a document arrives', () => {
    const rig = restored(REAL, activeRest(36_000, 's-1', 600))
    expect(remainingSeconds(rig)).toBe(600)
  })

  it('does not bring back a session that ended here', () => {
    const rig = restored(REAL, { kind: 'locked' }, ['s-1'])
    rig.input(received(activeDocument({ version: REAL, seconds: 550, nowMs: 0 })))
    expect(rig.state().phase.kind).toBe('locked')
  })

  it('has no effect after confirmation: the same document then changes nothing', () => {
    const rig = restored(REAL, activeRest(36_000))
    rig.input(received(activeDocument({ version: REAL, seconds: 550, nowMs: 0, granted: 600 })))
    rig.input(received(activeDocument({ version: REAL, seconds: 600, nowMs: 0 })))
    expect(remainingSeconds(rig)).toBe(550)
  })
})

describe('a document with impossible values', () => {
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

describe('a session that belongs to another start of the agent', () => {
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

  it('goes on if this agent had saved it, unless two machines are in conflict', () => {
    const rig = restored(REAL, activeRest(600))
    rig.input(received(bound(REAL + 1, 'boot-0')))
    expect(rig.state().phase.kind).toBe('active')
    rig.input(received(bound(REAL + 2, 'boot-0', true)))
    expect(rig.state().phase).toMatchObject({ kind: 'cleaning', next: { kind: 'locked' } })
  })
})

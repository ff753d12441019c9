import { describe, expect, it } from 'vitest'
import { stationEventOf } from './outbox.ts'
import { snapshotOf } from './snapshot.ts'
import { initialState } from './state.ts'
import { viewOf } from './view.ts'
import {
  activeDocument,
  clockInput,
  createReadyRig,
  createRig,
  kindsOf,
  lockedDocument,
  received,
  SERVER_OFFSET_MS,
  suspendedDocument,
  type Rig,
} from './testing.ts'

const remainingMs = (rig: Rig) => viewOf(rig.state(), rig.nowMs()).countdown?.remainingMs
const shownSeconds = (rig: Rig) => {
  const countdown = viewOf(rig.state(), rig.nowMs()).countdown
  return Math.ceil(Math.min(countdown?.remainingMs ?? 0, countdown?.capMs ?? Infinity) / 1_000)
}
const phase = (rig: Rig) => rig.state().phase.kind
const open = (seconds: number) => {
  const rig = createReadyRig()
  rig.input(received(activeDocument({ version: 10, seconds, nowMs: 0 })))
  rig.drain()
  return rig
}

describe('a session at a station', () => {
  it('opens the screen and is reported when its document comes', () => {
    const rig = createReadyRig()
    const effects = rig.input(received(activeDocument({ version: 10, seconds: 600, nowMs: 0 })))
    expect(kindsOf(effects)).toEqual(['save', 'unlockScreen', 'report'])
    expect(remainingMs(rig)).toBe(600_000)
  })

  it('ends by itself on its millisecond: locks, reports, cleans, and keeps the event', () => {
    const rig = open(600)
    rig.pass(599_999)
    expect(phase(rig)).toBe('active')
    const effects = rig.pass(1)
    expect(kindsOf(effects)).toEqual(['lockScreen', 'report', 'sendEvents', 'save', 'cleanUp'])
    expect(rig.state().events.map(stationEventOf)).toEqual([
      {
        bootId: 'boot-1',
        seq: 0,
        at: new Date(SERVER_OFFSET_MS + 600_000).toISOString(),
        kind: 'session_ended',
        details: { sessionId: 's-1', reason: 'expired', version: 10 },
      },
    ])
    rig.input({ kind: 'cleaned' })
    expect(phase(rig)).toBe('locked')
    rig.input({ kind: 'eventTaken', bootId: 'boot-1', seq: 0 })
    expect(rig.state().events).toEqual([])
  })

  it('is cleaned up after again when the agent was killed while it did so', () => {
    const rig = open(60)
    rig.pass(60_000)
    const snapshot = snapshotOf(rig.state(), rig.nowMs())
    const again = createRig()
    const effects = again.input({ kind: 'enrolled', stationId: 'pc-01', snapshot })
    expect(kindsOf(effects)).toContain('cleanUp')
    expect(phase(again)).toBe('cleaning')
    again.input({ kind: 'cleaned' })
    expect(phase(again)).toBe('locked')
    expect(snapshotOf(again.state(), 0)).not.toHaveProperty('isCleaning')
  })

  it('tells the end at its instant even when the tick comes late', () => {
    const rig = open(600)
    rig.pass(3_600_000)
    expect(rig.state().events.at(-1)?.atUnixMs).toBe(SERVER_OFFSET_MS + 600_000)
  })

  it('is not opened again by a later document once it has ended here', () => {
    const rig = open(60)
    rig.pass(60_000)
    rig.input({ kind: 'cleaned' })
    const effects = rig.input(
      received(activeDocument({ version: 11, seconds: 600, nowMs: 60_000, granted: 660 })),
    )
    expect(effects).toContainEqual({ kind: 'rejected', code: 'session-over', input: 'desiredReceived' })
    expect(phase(rig)).toBe('locked')
    expect(rig.state().version).toBe(11)
  })

  it('comes back when the server had suspended it before it ended here, and goes on once resumed', () => {
    const rig = open(60)
    rig.pass(60_000)
    rig.input({ kind: 'cleaned' })
    rig.input(received(suspendedDocument({ version: 11, seconds: 40, nowMs: 20_000, granted: 60 })))
    expect(phase(rig)).toBe('suspended')
    rig.input(received(activeDocument({ version: 12, seconds: 40, nowMs: 60_000, granted: 60 })))
    expect(phase(rig)).toBe('active')
  })

  it.each([
    ['the same document again', 10],
    ['an older document', 9],
  ])('is not changed by %s', (_, version) => {
    const rig = open(600)
    const before = rig.state()
    const effects = rig.input(received(activeDocument({ version, seconds: 900, nowMs: 0 })))
    expect(effects).toEqual([{ kind: 'rejected', code: 'stale-desired', input: 'desiredReceived' }])
    expect(rig.state()).toEqual(before)
  })

  it('takes a grant and a reduction by a newer document', () => {
    const rig = open(600)
    rig.input(received(activeDocument({ version: 11, seconds: 1_200, nowMs: 0 })))
    expect(remainingMs(rig)).toBe(1_200_000)
    rig.input(received(activeDocument({ version: 12, seconds: 30, nowMs: 0, granted: 1_200 })))
    expect(remainingMs(rig)).toBe(30_000)
  })

  it('is cleaned away before the next visitor’s session shows, whose time runs meanwhile', () => {
    const rig = open(600)
    rig.input(received(activeDocument({ version: 11, seconds: 300, nowMs: 0, sessionId: 's-2' })))
    expect(phase(rig)).toBe('cleaning')
    rig.pass(2_000)
    rig.input({ kind: 'cleaned' })
    expect(phase(rig)).toBe('active')
    expect(remainingMs(rig)).toBe(298_000)
  })

  it('leaves the station usable when cleaning hangs, and tells the fault', () => {
    const rig = open(600)
    rig.input(received(lockedDocument(11, 0)))
    rig.pass(60_000)
    expect(phase(rig)).toBe('locked')
    expect(rig.state().events.at(-1)).toMatchObject({ kind: 'fault', details: { kind: 'cleaning-failed' } })
  })
})

describe('warnings', () => {
  const warned = (rig: Rig, ms: number) => {
    const seen: number[] = []
    for (let passed = 0; passed < ms; passed += 500) {
      for (const effect of rig.pass(500)) if (effect.kind === 'warn') seen.push(effect.remainingSeconds)
    }
    return seen
  }

  it('come once at each threshold', () => {
    expect(warned(open(301), 301_000)).toEqual([300, 120, 60, 30, 10])
  })

  it('are armed again by a grant, and only then', () => {
    const rig = open(130)
    expect(warned(rig, 20_000)).toEqual([120])
    rig.input(received(activeDocument({ version: 11, seconds: 125, nowMs: rig.nowMs(), granted: 145 })))
    expect(warned(rig, 10_000)).toEqual([120])
    rig.input(received(activeDocument({ version: 12, seconds: 125, nowMs: rig.nowMs(), granted: 145 })))
    expect(warned(rig, 10_000)).toEqual([])
  })

  it('say the lowest threshold alone when a reduction passes several', () => {
    const rig = open(600)
    const effects = rig.input(received(activeDocument({ version: 11, seconds: 45, nowMs: 0, granted: 600 })))
    expect(effects.filter(({ kind }) => kind === 'warn')).toEqual([
      { kind: 'warn', sessionId: 's-1', remainingSeconds: 60 },
    ])
  })

  it('are remembered as events only while cut off', () => {
    const rig = open(121)
    rig.input({ kind: 'linkDown' })
    rig.pass(2_000)
    expect(rig.state().events.map(({ kind }) => kind)).toEqual(['warned'])
  })
})

describe('a suspended session', () => {
  it('stands still, resumes with the time it had, and ends when suspended too long', () => {
    const rig = open(600)
    rig.pass(100_000)
    rig.input(received(suspendedDocument({ version: 11, seconds: 500, nowMs: rig.nowMs(), granted: 600 })))
    rig.pass(1_000_000)
    expect(viewOf(rig.state(), rig.nowMs()).suspended?.remainingSeconds).toBe(500)
    rig.input(received(activeDocument({ version: 12, seconds: 500, nowMs: rig.nowMs(), granted: 600 })))
    expect(remainingMs(rig)).toBe(500_000)
    rig.input(received(suspendedDocument({ version: 13, seconds: 500, nowMs: rig.nowMs(), granted: 600 })))
    rig.pass(30 * 60_000)
    expect(rig.state().events.at(-1)?.details).toMatchObject({ reason: 'suspended_too_long', version: 13 })
    expect(phase(rig)).toBe('cleaning')
  })
})

describe('the clock', () => {
  it('is not needed to count: remainingSeconds holds from the arrival on', () => {
    const rig = createRig()
    rig.input({ kind: 'enrolled', stationId: 'pc-01' })
    rig.input(received(activeDocument({ version: 1, seconds: 60, nowMs: 0 })))
    rig.pass(60_000)
    expect(phase(rig)).toBe('cleaning')
  })

  it('lowers the shown time at once, and raises it never though the end follows the truth', () => {
    const rig = createRig()
    rig.input({ kind: 'enrolled', stationId: 'pc-01' })
    rig.input(received(activeDocument({ version: 1, seconds: 60, nowMs: 0 })))
    rig.pass(10_000)
    // The document had been under way for 5 s: the truth ends earlier.
    const taken = rig.input(clockInput(SERVER_OFFSET_MS + 1_500, 10_000))
    expect(kindsOf(taken), 'a restart must not give it back').toContain('save')
    expect(remainingMs(rig)).toBe(48_500)
    rig.input(clockInput(SERVER_OFFSET_MS, 400_000))
    expect(shownSeconds(rig)).toBe(49)
    expect(remainingMs(rig)).toBe(50_000)
    rig.pass(49_999)
    expect(phase(rig)).toBe('active')
    rig.pass(1)
    expect(phase(rig)).toBe('cleaning')
  })

  it('set forward or back at the server in mid-session ends nothing early or late', () => {
    for (const stepMs of [3_600_000, -3_600_000]) {
      const rig = open(600)
      rig.pass(60_000)
      rig.input(clockInput(SERVER_OFFSET_MS + stepMs, 60_000))
      expect(remainingMs(rig)).toBe(540_000)
      rig.input(clockInput(SERVER_OFFSET_MS + stepMs + 20, 60_000))
      expect(remainingMs(rig)).toBe(540_000)
    }
  })

  it('is asked again when a document contradicts it, and remainingSeconds holds meanwhile', () => {
    const rig = open(600)
    const stepMs = 3_600_000
    const document = activeDocument({ version: 11, seconds: 600, nowMs: stepMs })
    expect(kindsOf(rig.input(received(document)))).toContain('askTime')
    expect(remainingMs(rig)).toBe(600_000)
    rig.input(clockInput(SERVER_OFFSET_MS + stepMs))
    expect(remainingMs(rig)).toBe(600_000)
  })

  it('of the machine wrong by ten years shifts nothing, and events are restamped once the truth is known', () => {
    const rig = createRig(
      initialState({ bootId: 'boot-1', wallOffsetMs: SERVER_OFFSET_MS - 10 * 365 * 86_400_000 }),
    )
    rig.input({ kind: 'enrolled', stationId: 'pc-01' })
    rig.input(received(activeDocument({ version: 1, seconds: 60, nowMs: 0 })))
    rig.pass(60_000)
    rig.input(clockInput(SERVER_OFFSET_MS, 60_000))
    expect(rig.state().events[0]?.atUnixMs).toBe(SERVER_OFFSET_MS + 60_000)
  })
})

describe('after a restart of the agent', () => {
  const restarted = (rig: Rig) => {
    const snapshot = snapshotOf(rig.state(), rig.nowMs())!
    const next = createRig(initialState({ bootId: 'boot-2', wallOffsetMs: 0 }))
    const effects = next.input({
      kind: 'enrolled',
      stationId: 'pc-01',
      snapshot: JSON.parse(JSON.stringify(snapshot)) as typeof snapshot,
    })
    return { next, effects }
  }

  it('the session goes on from what was left, and the time switched off is charged by the server’s clock', () => {
    const rig = open(600)
    rig.pass(100_000)
    const { next, effects } = restarted(rig)
    expect(kindsOf(effects)).toContain('unlockScreen')
    expect(remainingMs(next)).toBe(500_000)
    next.pass(1_000)
    // Switched off for 50 s: when the new clock shows 1 s, the server's shows 151 s after the start.
    next.input(clockInput(SERVER_OFFSET_MS + 150_000, 1_000))
    expect(remainingMs(next)).toBe(449_000)
  })

  it('an end that passed while it was off is told at its instant', () => {
    const rig = open(600)
    const { next } = restarted(rig)
    next.input(clockInput(SERVER_OFFSET_MS + 3_600_000))
    expect(next.state().events[0]).toMatchObject({ bootId: 'boot-2', atUnixMs: SERVER_OFFSET_MS + 600_000 })
  })

  it('a stored event is still there, under the boot that it happened in', () => {
    const rig = open(60)
    rig.pass(60_000)
    const { next } = restarted(rig)
    expect(next.state().events).toEqual(rig.state().events)
    expect(next.state().version).toBe(10)
  })

  it('the snapshot of another station is left alone', () => {
    const rig = open(600)
    const snapshot = snapshotOf(rig.state(), 0)
    const other = createRig()
    other.input({ kind: 'enrolled', stationId: 'pc-02', snapshot })
    expect(phase(other)).toBe('locked')
    expect(other.state().version).toBe(0)
  })
})

describe('a site that closes before the session could run out', () => {
  const closesAt = new Date(SERVER_OFFSET_MS + 600_000).toISOString()
  const cutShort = () => {
    const rig = createReadyRig()
    rig.input(received(activeDocument({ version: 10, seconds: 600, nowMs: 0, closesAt })))
    return rig
  }
  const shown = (rig: Rig) => viewOf(rig.state(), rig.nowMs()).countdown?.closesAt

  it('is told from the start, and still after a restart of the agent', () => {
    const rig = cutShort()
    expect(shown(rig)).toBe(closesAt)
    const next = createRig()
    next.input({ kind: 'enrolled', stationId: 'pc-01', snapshot: snapshotOf(rig.state(), rig.nowMs()) })
    expect(shown(next)).toBe(closesAt)
  })

  it('is no longer told once the session may outlive it', () => {
    const rig = cutShort()
    rig.input(received(activeDocument({ version: 11, seconds: 900, nowMs: 0 })))
    expect(shown(rig)).toBeUndefined()
  })
})

describe('the station’s label', () => {
  const label = (rig: Rig) => viewOf(rig.state(), rig.nowMs()).label

  it('is shown as the newest document tells it, and still after a restart of the agent', () => {
    const rig = open(600)
    expect(label(rig)).toBe('Poste 1')
    rig.input(received({ ...lockedDocument(11, 0), label: 'Fenêtre 3' }))
    const next = createRig()
    next.input({ kind: 'enrolled', stationId: 'pc-01', snapshot: snapshotOf(rig.state(), rig.nowMs()) })
    expect(label(next)).toBe('Fenêtre 3')
    next.input(received(lockedDocument(10, 0)))
    expect(label(next)).toBe('Fenêtre 3')
  })
})

describe('typing a code', () => {
  const entry = (rig: Rig) => viewOf(rig.state(), rig.nowMs()).entry
  const type = (rig: Rig, code = 'abcd 2345') => rig.input({ kind: 'codeTyped', code })

  it('is validated, started, and opens with the document', () => {
    const rig = createReadyRig()
    expect(type(rig)).toEqual([
      { kind: 'request', tag: 1, op: 'validate_code', params: { code: 'ABCD2345' } },
    ])
    expect(entry(rig).kind).toBe('checking')
    const data = { sessionId: 's-1', displayName: 'Ada', grantedSeconds: 600 }
    expect(rig.input({ kind: 'answered', tag: 1, answer: { ok: true, data } })).toEqual([
      { kind: 'request', tag: 2, op: 'start_session', params: { sessionId: 's-1' } },
    ])
    rig.input({ kind: 'answered', tag: 2, answer: { ok: true, data: {} } })
    expect(entry(rig).kind).toBe('checking')
    rig.input(received(activeDocument({ version: 1, seconds: 600, nowMs: 0 })))
    expect(phase(rig)).toBe('active')
  })

  it('says that no document came when the server started a session and went', () => {
    const rig = createReadyRig()
    type(rig)
    rig.input({ kind: 'answered', tag: 1, answer: { ok: true, data: { sessionId: 's-1' } } })
    rig.input({ kind: 'answered', tag: 2, answer: { ok: true, data: {} } })
    rig.pass(10_000)
    expect(entry(rig)).toEqual({ kind: 'refused', code: 'unavailable' })
  })

  it('carries the server’s refusal', () => {
    const rig = createReadyRig()
    type(rig)
    rig.input({ kind: 'answered', tag: 1, answer: { ok: false, code: 'code-refused', message: 'Non.' } })
    expect(entry(rig)).toEqual({ kind: 'refused', code: 'code-refused' })
  })

  it('waits out a throttling without asking the server again', () => {
    const rig = createReadyRig()
    type(rig)
    const answer = { ok: false, code: 'code-throttled', message: '', retryAfterSeconds: 30 } as const
    rig.input({ kind: 'answered', tag: 1, answer })
    rig.pass(10_000)
    expect(kindsOf(type(rig))).not.toContain('request')
    expect(entry(rig)).toEqual({ kind: 'refused', code: 'code-throttled', retryAfterSeconds: 20 })
    rig.pass(20_000)
    expect(kindsOf(type(rig))).toContain('request')
  })

  it('says so when cut off, incomplete, or unanswered', () => {
    const rig = createReadyRig()
    type(rig, 'ABC')
    expect(entry(rig)).toEqual({ kind: 'refused', code: 'code-incomplete' })
    type(rig)
    rig.input({ kind: 'unanswered', tag: 1 })
    expect(entry(rig)).toEqual({ kind: 'refused', code: 'offline' })
    rig.input({ kind: 'linkDown' })
    expect(kindsOf(type(rig))).not.toContain('request')
    expect(entry(rig)).toEqual({ kind: 'refused', code: 'offline' })
  })

  it('is refused while another is being checked, and where no code is asked for', () => {
    const rig = createReadyRig()
    type(rig)
    expect(type(rig)).toEqual([{ kind: 'rejected', code: 'busy', input: 'codeTyped' }])
    expect(type(open(60))).toEqual([{ kind: 'rejected', code: 'not-locked', input: 'codeTyped' }])
  })
})

describe('a visitor who ends the session', () => {
  it('is out at once when cut off, and the server hears it later', () => {
    const rig = open(600)
    rig.input({ kind: 'linkDown' })
    rig.input({ kind: 'endAsked' })
    expect(phase(rig)).toBe('cleaning')
    expect(rig.state().events.at(-1)?.details).toMatchObject({ reason: 'logged_out' })
  })

  it('is out by the server’s answer, or without it when none comes', () => {
    const asked = open(600)
    expect(kindsOf(asked.input({ kind: 'endAsked' }))).toEqual(['request'])
    asked.input({ kind: 'answered', tag: 1, answer: { ok: true, data: {} } })
    expect(phase(asked)).toBe('cleaning')
    expect(asked.state().events).toEqual([])

    const unheard = open(600)
    unheard.input({ kind: 'endAsked' })
    unheard.input({ kind: 'unanswered', tag: 1 })
    expect(unheard.state().events.at(-1)?.details).toMatchObject({ reason: 'logged_out' })
  })
})

describe('a visitor who calls for help', () => {
  const shown = (rig: Rig) => viewOf(rig.state(), rig.nowMs()).staffCall
  const lockedWith = (version: number, call?: 'waiting' | 'taken') =>
    received({ ...lockedDocument(version, 0), ...(call && { staffCall: { state: call } }) })
  /** Presses the button; the server has it. */
  const called = (rig: Rig) => {
    const [request] = rig.input({ kind: 'staffCalled' })
    if (request?.kind !== 'request') throw new Error('no request')
    return () => rig.input({ kind: 'answered', tag: request.tag, answer: { ok: true, data: {} } })
  }

  it('is told so once the server has it, for as long as the call is open, and that somebody comes', () => {
    const rig = createReadyRig()
    const answer = called(rig)
    expect(shown(rig)).toBe('calling')
    rig.input(lockedWith(10, 'waiting'))
    expect(shown(rig)).toBe('calling')
    answer()
    expect(shown(rig)).toBe('called')
    rig.pass(60_000)
    expect(shown(rig)).toBe('waiting')
    rig.input(lockedWith(11, 'taken'))
    expect(shown(rig)).toBe('taken')
    rig.input(lockedWith(12))
    expect(shown(rig)).toBeUndefined()
  })

  it('is no longer told that staff know once the call is closed, even at once', () => {
    const rig = createReadyRig()
    const answer = called(rig)
    rig.input(lockedWith(10, 'waiting'))
    answer()
    rig.input(lockedWith(11))
    expect(shown(rig)).toBeUndefined()
  })

  it('is told the truth when the call fails, whatever was open before', () => {
    const rig = createReadyRig()
    rig.input(lockedWith(10, 'waiting'))
    rig.input({ kind: 'linkDown' })
    rig.input({ kind: 'staffCalled' })
    expect(shown(rig)).toBe('failed')
    rig.pass(60_000)
    expect(shown(rig)).toBe('waiting')
  })

  it('is told again after a restart of the agent, from the same document', () => {
    const before = createReadyRig()
    before.input(lockedWith(10, 'taken'))
    const rig = createRig()
    rig.input({
      kind: 'enrolled',
      stationId: 'pc-01',
      snapshot: snapshotOf(before.state(), before.nowMs()),
    })
    rig.input(lockedWith(10, 'taken'))
    expect(shown(rig)).toBe('taken')
  })
})

describe('events of a station that is cut off', () => {
  it('are told in the new reckoning when the server’s clock was set meanwhile', () => {
    const rig = open(60)
    rig.input({ kind: 'linkDown' })
    rig.pass(60_000)
    const stepMs = 3 * 3_600_000
    rig.input({ kind: 'linkUp' })
    rig.input(clockInput(SERVER_OFFSET_MS + stepMs, rig.nowMs()))
    const ended = rig.state().events.find(({ kind }) => kind === 'session_ended')
    expect(ended?.atUnixMs).toBe(SERVER_OFFSET_MS + stepMs + 60_000)
  })
})

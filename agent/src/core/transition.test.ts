import { describe, expect, it } from 'vitest'
import { stationEventOf } from './outbox.ts'
import { snapshotOf } from './snapshot.ts'
import { initialState } from './state.ts'
import { viewOf } from './view.ts'
import {
  activeDocument,
  clockInput,
  createEnrolledRig,
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
    expect(kindsOf(effects)).toEqual(['save', 'open', 'report'])
    expect(remainingMs(rig)).toBe(600_000)
  })

  it('ends without the server at its exact millisecond: locks, reports, cleans and stores the event', () => {
    const rig = open(600)
    rig.pass(599_999)
    expect(phase(rig)).toBe('active')
    const effects = rig.pass(1)
    expect(kindsOf(effects)).toEqual(['lock', 'report', 'sendEvents', 'save', 'clean'])
    expect(rig.state().events.map(stationEventOf)).toEqual([
      {
        bootId: 'boot-1',
        seq: 0,
        at: new Date(SERVER_OFFSET_MS + 600_000).toISOString(),
        kind: 'session_ended',
        details: { sessionId: 's-1', reason: 'expired', version: 10 },
      },
    ])
    rig.finish('cleaned')
    expect(phase(rig)).toBe('locked')
    rig.input({ kind: 'eventAcknowledged', bootId: 'boot-1', seq: 0 })
    expect(rig.state().events).toEqual([])
  })

  it('is cleaned up again if the agent was killed during the cleaning', () => {
    const rig = open(60)
    rig.pass(60_000)
    const snapshot = snapshotOf(rig.state(), rig.nowMs())
    const again = createRig()
    const effects = again.input({ kind: 'enrolled', stationId: 'pc-01', snapshot })
    expect(kindsOf(effects)).toContain('clean')
    expect(phase(again)).toBe('cleaning')
    again.finish('cleaned')
    expect(phase(again)).toBe('locked')
    expect(snapshotOf(again.state(), 0)).not.toHaveProperty('isCleaning')
  })

  it('reports the exact end even when the tick comes late', () => {
    const rig = open(600)
    rig.pass(3_600_000)
    expect(rig.state().events.at(-1)?.atUnixMs).toBe(SERVER_OFFSET_MS + 600_000)
  })

  it('is not opened again by a later document after it has ended here', () => {
    const rig = open(60)
    rig.pass(60_000)
    rig.finish('cleaned')
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
    rig.finish('cleaned')
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

  it('gains or loses time by a newer document', () => {
    const rig = open(600)
    rig.input(received(activeDocument({ version: 11, seconds: 1_200, nowMs: 0 })))
    expect(remainingMs(rig)).toBe(1_200_000)
    rig.input(received(activeDocument({ version: 12, seconds: 30, nowMs: 0, granted: 1_200 })))
    expect(remainingMs(rig)).toBe(30_000)
  })

  it('is cleaned up before the next visitor’s session is shown, whose time already runs', () => {
    const rig = open(600)
    rig.input(received(activeDocument({ version: 11, seconds: 300, nowMs: 0, sessionId: 's-2' })))
    expect(phase(rig)).toBe('cleaning')
    rig.pass(2_000)
    rig.finish('cleaned')
    expect(phase(rig)).toBe('active')
    expect(remainingMs(rig)).toBe(298_000)
  })

  it('keeps the station shut until a cleaning is proven, tries again, and reports the fault once', () => {
    const rig = open(600)
    rig.input(received(lockedDocument(11, 0)))
    rig.finish({ error: 'disk full' })
    expect(kindsOf(rig.pass(999))).not.toContain('clean')
    expect(kindsOf(rig.pass(1))).toContain('clean')
    // The second attempt does not answer.
    rig.pass(60_000)
    rig.pass(2_000)
    expect(phase(rig)).toBe('cleaning')
    expect(viewOf(rig.state(), rig.nowMs()).failedAct).toBe('clean')
    expect(rig.state().events.map(stationEventOf)).toMatchObject([
      { kind: 'fault', details: { kind: 'cleaning-failed', error: 'disk full' } },
    ])
    rig.finish('cleaned')
    expect(phase(rig)).toBe('locked')
    expect(viewOf(rig.state(), rig.nowMs()).failedAct).toBeUndefined()
  })

  it('reports a cleaning that fails again when the station is wanted, not while it is in maintenance', () => {
    const rig = open(600)
    const faults = () => rig.state().events.filter(({ kind }) => kind === 'fault').length
    const fail = () => {
      rig.finish({ error: 'disk full' })
      rig.pass(60_000)
      return faults()
    }
    rig.input(received(lockedDocument(11, 0)))
    expect([fail(), fail()]).toEqual([1, 1])
    rig.input(received({ ...lockedDocument(12, 0), state: 'maintenance' }))
    expect([fail(), fail()]).toEqual([1, 1])
    rig.input(received(lockedDocument(13, 0)))
    expect([fail(), fail()]).toEqual([2, 2])
    rig.finish('cleaned')
    expect(phase(rig)).toBe('locked')
  })

  it('tells a connected server what a cleaning found', () => {
    const rig = open(600)
    rig.input(received(lockedDocument(11, 0)))
    const { id } = rig.state().seat.underWay ?? { id: 0 }
    const details = { removed: { processes: 3, mounts: 0 } }
    expect(kindsOf(rig.input({ kind: 'cleaned', id, details }))).toContain('sendEvents')
    expect(rig.state().events.map(stationEventOf)).toMatchObject([{ kind: 'cleaned', details }])
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

  it('are shown once at each threshold', () => {
    expect(warned(open(301), 301_000)).toEqual([300, 120, 60, 30, 10])
  })

  it('are shown again only after time was added', () => {
    const rig = open(130)
    expect(warned(rig, 20_000)).toEqual([120])
    rig.input(received(activeDocument({ version: 11, seconds: 125, nowMs: rig.nowMs(), granted: 145 })))
    expect(warned(rig, 10_000)).toEqual([120])
    rig.input(received(activeDocument({ version: 12, seconds: 125, nowMs: rig.nowMs(), granted: 145 })))
    expect(warned(rig, 10_000)).toEqual([])
  })

  it('show only the lowest threshold when a reduction passes several', () => {
    const rig = open(600)
    const effects = rig.input(received(activeDocument({ version: 11, seconds: 45, nowMs: 0, granted: 600 })))
    expect(effects.filter(({ kind }) => kind === 'warn')).toEqual([
      { kind: 'warn', sessionId: 's-1', remainingSeconds: 60 },
    ])
  })

  it('are stored as events only while offline', () => {
    const rig = open(121)
    rig.input({ kind: 'linkDown' })
    rig.pass(2_000)
    expect(rig.state().events.map(({ kind }) => kind)).toEqual(['warned'])
  })
})

describe('a suspended session', () => {
  it('does not count down, resumes with the time that it had, and ends when suspended too long', () => {
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
  it('is not needed to count down: remainingSeconds is counted from the arrival', () => {
    const rig = createEnrolledRig()
    rig.input(received(activeDocument({ version: 1, seconds: 60, nowMs: 0 })))
    rig.pass(60_000)
    expect(phase(rig)).toBe('cleaning')
  })

  it('lowers the shown time at once and never raises it, while the real end is corrected', () => {
    const rig = createEnrolledRig()
    rig.input(received(activeDocument({ version: 1, seconds: 60, nowMs: 0 })))
    rig.pass(10_000)
    // The document took 5 s to arrive, so the real end is earlier.
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

  it('of the server may be set during a session, and the session ends neither early nor late', () => {
    for (const stepMs of [3_600_000, -3_600_000]) {
      const rig = open(600)
      rig.pass(60_000)
      rig.input(clockInput(SERVER_OFFSET_MS + stepMs, 60_000))
      expect(remainingMs(rig)).toBe(540_000)
      rig.input(clockInput(SERVER_OFFSET_MS + stepMs + 20, 60_000))
      expect(remainingMs(rig)).toBe(540_000)
    }
  })

  it('is requested again when a document contradicts it, and remainingSeconds is used until then', () => {
    const rig = open(600)
    const stepMs = 3_600_000
    const document = activeDocument({ version: 11, seconds: 600, nowMs: stepMs })
    expect(kindsOf(rig.input(received(document)))).toContain('askTime')
    expect(remainingMs(rig)).toBe(600_000)
    rig.input(clockInput(SERVER_OFFSET_MS + stepMs))
    expect(remainingMs(rig)).toBe(600_000)
  })

  it('of the machine may be wrong by ten years, and events get the right time once the server’s is known', () => {
    const rig = createEnrolledRig(
      initialState({ bootId: 'boot-1', wallOffsetMs: SERVER_OFFSET_MS - 10 * 365 * 86_400_000 }),
    )
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

  it('the session goes on with what was left, and the server’s clock charges the time that it was off', () => {
    const rig = open(600)
    rig.pass(100_000)
    const { next, effects } = restarted(rig)
    expect(kindsOf(effects)).toContain('open')
    expect(remainingMs(next)).toBe(500_000)
    next.pass(1_000)
    // Switched off for 50 s: when the new clock shows 1 s, the server's shows 151 s after the start.
    next.input(clockInput(SERVER_OFFSET_MS + 150_000, 1_000))
    expect(remainingMs(next)).toBe(449_000)
  })

  it('an end that passed while it was off is reported with its real time', () => {
    const rig = open(600)
    const { next } = restarted(rig)
    next.input(clockInput(SERVER_OFFSET_MS + 3_600_000))
    expect(next.state().events[0]).toMatchObject({ bootId: 'boot-2', atUnixMs: SERVER_OFFSET_MS + 600_000 })
  })

  it('a stored event is still there, with the boot id of its start', () => {
    const rig = open(60)
    rig.pass(60_000)
    const { next } = restarted(rig)
    expect(next.state().events).toEqual(rig.state().events)
    expect(next.state().version).toBe(10)
  })

  it('the snapshot of another station is ignored', () => {
    const rig = open(600)
    const snapshot = snapshotOf(rig.state(), 0)
    const other = createRig()
    other.input({ kind: 'enrolled', stationId: 'pc-02', snapshot })
    expect(phase(other)).toBe('cleaning')
    other.finish('cleaned')
    expect(phase(other)).toBe('locked')
    expect(other.state().version).toBe(0)
  })
})

describe('a site that closes before the session would end', () => {
  const closesAt = new Date(SERVER_OFFSET_MS + 600_000).toISOString()
  const cutShort = () => {
    const rig = createReadyRig()
    rig.input(received(activeDocument({ version: 10, seconds: 600, nowMs: 0, closesAt })))
    return rig
  }
  const shown = (rig: Rig) => viewOf(rig.state(), rig.nowMs()).countdown?.closesAt

  it('is announced from the start, and still after a restart of the agent', () => {
    const rig = cutShort()
    expect(shown(rig)).toBe(closesAt)
    const next = createRig()
    next.input({ kind: 'enrolled', stationId: 'pc-01', snapshot: snapshotOf(rig.state(), rig.nowMs()) })
    expect(shown(next)).toBe(closesAt)
  })

  it('is no longer announced when the session may go on after it', () => {
    const rig = cutShort()
    rig.input(received(activeDocument({ version: 11, seconds: 900, nowMs: 0 })))
    expect(shown(rig)).toBeUndefined()
  })
})

describe('the station’s label', () => {
  const label = (rig: Rig) => viewOf(rig.state(), rig.nowMs()).label

  it('is taken from the newest document, and still shown after a restart of the agent', () => {
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

  it('is validated and starts a session, which opens with the document', () => {
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

  it('is refused when the server started a session and its document never came', () => {
    const rig = createReadyRig()
    type(rig)
    rig.input({ kind: 'answered', tag: 1, answer: { ok: true, data: { sessionId: 's-1' } } })
    rig.input({ kind: 'answered', tag: 2, answer: { ok: true, data: {} } })
    rig.pass(10_000)
    expect(entry(rig)).toEqual({ kind: 'refused', code: 'unavailable' })
  })

  it('shows the server’s refusal', () => {
    const rig = createReadyRig()
    type(rig)
    rig.input({ kind: 'answered', tag: 1, answer: { ok: false, code: 'code-refused', message: 'Non.' } })
    expect(entry(rig)).toEqual({ kind: 'refused', code: 'code-refused' })
  })

  it('waits for the end of a block without asking the server again', () => {
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

  it('is refused with its reason when offline, incomplete or unanswered', () => {
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

  it('is refused while another is being checked, and in a phase that takes no code', () => {
    const rig = createReadyRig()
    type(rig)
    expect(type(rig)).toEqual([{ kind: 'rejected', code: 'busy', input: 'codeTyped' }])
    expect(type(open(60))).toEqual([{ kind: 'rejected', code: 'not-locked', input: 'codeTyped' }])
  })
})

describe('a visitor who ends the session', () => {
  it('leaves at once when offline, and the server learns it later', () => {
    const rig = open(600)
    rig.input({ kind: 'linkDown' })
    rig.input({ kind: 'endAsked' })
    expect(phase(rig)).toBe('cleaning')
    expect(rig.state().events.at(-1)?.details).toMatchObject({ reason: 'logged_out' })
  })

  it('leaves with the server’s answer, or without one when none comes', () => {
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
  /** Presses the button; the server accepts the call. */
  const called = (rig: Rig) => {
    const [request] = rig.input({ kind: 'staffCalled' })
    if (request?.kind !== 'request') throw new Error('no request')
    return () => rig.input({ kind: 'answered', tag: request.tag, answer: { ok: true, data: {} } })
  }

  it('sees the call as long as it is open, and sees when an operator takes it', () => {
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

  it('no longer sees the call after it is closed, even if that happens at once', () => {
    const rig = createReadyRig()
    const answer = called(rig)
    rig.input(lockedWith(10, 'waiting'))
    answer()
    rig.input(lockedWith(11))
    expect(shown(rig)).toBeUndefined()
  })

  it('sees that the call failed, whatever was open before', () => {
    const rig = createReadyRig()
    rig.input(lockedWith(10, 'waiting'))
    rig.input({ kind: 'linkDown' })
    rig.input({ kind: 'staffCalled' })
    expect(shown(rig)).toBe('failed')
    rig.pass(60_000)
    expect(shown(rig)).toBe('waiting')
  })

  it('sees the call again after a restart of the agent, from the same document', () => {
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

describe('events of a station that is offline', () => {
  it('follow the server’s clock when it was set in the meantime', () => {
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

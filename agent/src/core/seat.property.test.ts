import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hasTermsToAccept } from './admission.ts'
import { isLocked } from './seat.ts'
import { snapshotOf } from './snapshot.ts'
import { initialState, outcomeOf, type Act, type Effect, type Input, type StationState } from './state.ts'
import { activeDocument, lockedDocument, suspendedDocument } from './testing.ts'
import { transition } from './transition.ts'
import { reportedOf } from './view.ts'

/** How the platform performs an act: what really happens at the seat, and what the agent hears of it. */
const outcomes = fc.constantFrom('done', 'failed', 'failed-after-all', 'unheard', 'late', 'slow')
const moves = fc.oneof(
  { arbitrary: fc.record({ kind: fc.constant('outcome' as const), how: outcomes }), weight: 4 },
  { arbitrary: fc.record({ kind: fc.constant('late' as const) }), weight: 2 },
  fc.record({ kind: fc.constant('kill' as const) }),
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('document' as const),
      state: fc.constantFrom('active', 'active', 'active', 'suspended', 'locked', 'maintenance'),
      sessionId: fc.constantFrom('s-1', 's-2', 's-3'),
      seconds: fc.integer({ min: 1, max: 60 }),
    }),
  },
  fc.record({ kind: fc.constant('end' as const) }),
  fc.record({ kind: fc.constant('accept' as const) }),
  fc.record({ kind: fc.constant('terms' as const), terms: fc.constantFrom('', 'Be kind.') }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(40_000) }),
)
type Move = typeof moves extends fc.Arbitrary<infer M> ? M : never

interface Asked {
  act: Act
  id: number
}

/** A station whose platform obeys, fails, is silent or answers late, and whose agent may be killed at any moment. */
function createStation() {
  let [nowMs, bootMs, boots] = [0, 0, 0]
  let state: StationState
  /** Whether a visitor can really use the machine. */
  let isOpen = false
  let asked: Asked | undefined
  /** Acts whose outcome the agent has not heard yet. The slow ones are not even done. */
  const unheard: (Asked & { isSlow: boolean })[] = []

  function take(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'open') {
        expect(state.phase.kind).toBe('active')
        expect(hasTermsToAccept(state), 'opened before the terms were accepted').toBe(false)
      }
      if (effect.kind === 'lock' || effect.kind === 'open' || effect.kind === 'clean')
        asked = { act: effect.kind, id: effect.id }
      if (effect.kind === 'clean') expect(isOpen, 'cleaned while open').toBe(false)
    }
  }
  function input(one: Input): void {
    const step = transition(state, one, nowMs - bootMs)
    state = step.state
    take(step.effects)
  }
  function boot(): void {
    const snapshot = boots === 0 ? undefined : snapshotOf(state, nowMs - bootMs)
    boots += 1
    bootMs = nowMs
    asked = undefined
    unheard.length = 0
    state = initialState({ bootId: `boot-${boots}`, wallOffsetMs: 0 })
    input({ kind: 'tick' })
    input({ kind: 'enrolled', stationId: 'pc-01', ...(snapshot && { snapshot }) })
  }
  function really({ act }: Asked): void {
    if (act !== 'clean') isOpen = act === 'open'
  }
  const hear = ({ act, id }: Asked) => input({ kind: outcomeOf[act], id })
  function perform(how: typeof outcomes extends fc.Arbitrary<infer O> ? O : never): void {
    const current = asked
    if (!current) return
    asked = undefined
    if (how !== 'failed' && how !== 'slow') really(current)
    if (how === 'late' || how === 'slow') unheard.push({ ...current, isSlow: how === 'slow' })
    if (how === 'done') hear(current)
    if (how === 'failed' || how === 'failed-after-all')
      input({ kind: 'actFailed', id: current.id, error: 'no display' })
  }

  function finishLate(): void {
    const late = unheard.shift()
    if (!late) return
    if (late.isSlow) really(late)
    hear(late)
  }
  function pass(ms: number): void {
    nowMs += ms
    input({ kind: 'tick' })
  }
  function documentOf({ state: wanted, seconds, sessionId }: Extract<Move, { kind: 'document' }>) {
    const grant = { version: state.version + 1, seconds, nowMs: nowMs - bootMs, sessionId }
    if (wanted === 'active') return activeDocument(grant)
    if (wanted === 'suspended') return suspendedDocument(grant)
    return { ...lockedDocument(grant.version, grant.nowMs), state: wanted }
  }

  boot()
  return {
    state: () => state!,
    isOpen: () => isOpen,
    nowMs: () => nowMs - bootMs,
    /** An act is on its way to the platform, or will be asked for again. */
    isLockDue: () =>
      asked?.act === 'lock' || state.seat.underWay !== undefined || state.seat.failure !== undefined,
    obey: () => perform('done'),
    pass,
    move(move: Move): void {
      if (move.kind === 'outcome') perform(move.how)
      else if (move.kind === 'kill') boot()
      else if (move.kind === 'accept') input({ kind: 'termsAccepted' })
      else if (move.kind === 'terms')
        input({ kind: 'configReceived', config: { ...state.config, terms: move.terms } })
      else if (move.kind === 'end') input({ kind: 'endAsked' })
      else if (move.kind === 'pass') pass(move.ms)
      else if (move.kind === 'late') finishLate()
      else input({ kind: 'desiredReceived', desired: documentOf(move) })
    },
  }
}

const check = (look: (station: ReturnType<typeof createStation>) => void) =>
  fc.assert(
    fc.property(fc.array(moves, { maxLength: 80, size: 'max' }), (list) => {
      const station = createStation()
      for (const move of list) {
        station.move(move)
        look(station)
      }
    }),
    { numRuns: 500 },
  )

describe('in no order of outcomes, kills and messages', () => {
  it('is a station open without a running session, unless its lock is under way', () => {
    check((station) => {
      if (station.isOpen() && station.state().phase.kind !== 'active') expect(station.isLockDue()).toBe(true)
    })
  })

  it('does a station report that it is locked while it is open', () => {
    check((station) => {
      if (!isLocked(station.state())) return
      expect(station.isOpen()).toBe(false)
    })
  })

  it('does a station report a state that it has not proven', () => {
    check((station) => {
      const { state } = reportedOf(station.state(), station.nowMs())
      if (state !== 'active' && state !== 'cleaning' && state !== 'pairing')
        expect(station.isOpen()).toBe(false)
    })
  })

  it('does a station stay open once its platform obeys again', () => {
    fc.assert(
      fc.property(fc.array(moves, { maxLength: 80, size: 'max' }), (list) => {
        const station = createStation()
        for (const move of list) station.move(move)
        station.move({ kind: 'document', state: 'locked', sessionId: 's-1', seconds: 1 })
        for (let times = 0; times < 40; times += 1) {
          station.obey()
          station.pass(5_000)
        }
        expect(station.isOpen()).toBe(false)
        expect(station.state().phase.kind).toBe('locked')
        expect(reportedOf(station.state(), station.nowMs()).state).toBe('locked')
      }),
      { numRuns: 500 },
    )
  })
})

import { describe, expect, it } from 'vitest'
import { snapshotOf } from './snapshot.ts'
import { activeDocument, createReadyRig, createRig, lockedDocument, suspendedDocument } from './testing.ts'
import type { StationState } from './state.ts'
import { reportedOf, viewOf } from './view.ts'

const withTerms = (state: StationState, terms: string) =>
  ({ kind: 'configReceived', config: { ...state.config, terms } }) as const

function start(terms: string) {
  const rig = createReadyRig()
  rig.input(withTerms(rig.state(), terms))
  rig.input({ kind: 'desiredReceived', desired: activeDocument({ version: 1, seconds: 600, nowMs: 0 }) })
  const view = () => viewOf(rig.state(), rig.nowMs())
  return { rig, view, proven: () => rig.state().seat.proven }
}

describe('the site’s terms', () => {
  it('keep the station locked until they are accepted, while the session’s time runs', () => {
    const { rig, view, proven } = start('Be kind.')
    expect(view()).toMatchObject({ phase: 'active', hasTermsToAccept: true })
    expect(proven()).toBe('locked')
    expect(reportedOf(rig.state(), rig.nowMs()).state).toBe('active')
    rig.pass(60_000)
    expect(view().countdown?.remainingMs).toBe(540_000)
    rig.input({ kind: 'termsAccepted' })
    expect(view().hasTermsToAccept).toBe(false)
    expect(proven()).toBe('open')
  })

  it('are not asked where a site has none, and do not lock out a visitor if they come later', () => {
    const { rig, view, proven } = start('  ')
    expect(proven()).toBe('open')
    rig.input(withTerms(rig.state(), 'Be kind.'))
    expect(view().hasTermsToAccept).toBe(false)
    expect(proven()).toBe('open')
  })

  it('are asked once in a session, also over a suspension and a restart, and again in the next session', () => {
    const { rig, view } = start('Be kind.')
    rig.input({ kind: 'termsAccepted' })
    rig.input({ kind: 'desiredReceived', desired: suspendedDocument({ version: 2, seconds: 600, nowMs: 0 }) })
    rig.input({ kind: 'desiredReceived', desired: activeDocument({ version: 3, seconds: 600, nowMs: 0 }) })
    expect(view().hasTermsToAccept).toBe(false)

    const snapshot = snapshotOf(rig.state(), rig.nowMs())!
    const next = createRig()
    next.input({ kind: 'enrolled', stationId: 'pc-01', snapshot })
    expect(viewOf(next.state(), 0)).toMatchObject({ phase: 'active', hasTermsToAccept: false })

    rig.input({ kind: 'desiredReceived', desired: lockedDocument(4, 0) })
    rig.finish('cleaned')
    const other = activeDocument({ version: 5, seconds: 600, nowMs: 0, sessionId: 's-2' })
    rig.input({ kind: 'desiredReceived', desired: other })
    expect(view().hasTermsToAccept).toBe(true)
  })

  it('are accepted only while they are asked, and a visitor who refuses may end the session', () => {
    const { rig, view, proven } = start('Be kind.')
    rig.input({ kind: 'linkDown' })
    rig.input({ kind: 'endAsked' })
    rig.finish('cleaned')
    expect(view().phase).toBe('locked')
    expect(proven()).toBe('locked')
    expect(rig.input({ kind: 'termsAccepted' })).toContainEqual({
      kind: 'rejected',
      code: 'not-asked',
      input: 'termsAccepted',
    })
  })
})

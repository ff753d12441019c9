import { pino } from 'pino'
import { initialState, viewOf, type ScreenView } from '../../agent/src/core/index.ts'
import { createScreenServer } from '../../agent/src/screen/screen-server.ts'

/** The station's screen as the agent serves it. The test sets what it shows, and reads what the visitor did. */
export async function startScreen(port = 0) {
  const base = viewOf(initialState({ bootId: 'b', wallOffsetMs: 0 }), 0)
  let view: ScreenView = { ...base, phase: 'locked', stationId: 'pc-01', label: 'Poste 1', isOnline: true }
  const codes: string[] = []
  const acts: string[] = []
  const screen = await createScreenServer({
    port,
    view: () => view,
    onCode: (code) => codes.push(code),
    onAccept: () => acts.push('accept'),
    onEnd: () => acts.push('end'),
    onCallStaff: (reason) => acts.push(reason === undefined ? 'call-staff' : `call-staff ${reason}`),
    onDismiss: (id) => acts.push(`dismiss ${id}`),
    onPagesChanged: () => undefined,
    log: pino({ level: 'silent' }),
  })
  return {
    url: screen.url,
    codes,
    acts,
    hasPage: screen.hasPage,
    show: (change: Partial<ScreenView>) => {
      view = { ...view, ...change }
      screen.refresh()
    },
    stop: screen.stop,
  }
}

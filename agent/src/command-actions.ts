import { createConditions } from './conditions.ts'
import { isLocked, sessionOf, type Input, type StationState } from './core/index.ts'
import { CommandFailure } from './link/command-failure.ts'
import type { CommandActions } from './link/commands.ts'
import { createPowerActions, type PowerPorts } from './power-actions.ts'

/** How long a command waits for its condition: a document may arrive after the command, and a page may be reloading. */
const CONDITION_LIMIT_MS = 3_000

export interface StationActions {
  actions: CommandActions
  /** To be called after every change of the state, or of the pages that show the screen. */
  changed: () => void
  stop: () => void
}

export interface ActionPorts extends PowerPorts {
  state: () => StationState
  /** Whether a page shows the station's screen. */
  isScreenOpen: () => boolean
  dispatch: (input: Input) => void
}

/** What commands do at this station: on its screen, and to the machine. */
export function createStationActions(ports: ActionPorts): StationActions {
  const { state, isScreenOpen, dispatch } = ports
  const conditions = createConditions()
  const power = createPowerActions(ports)

  const awaitThat = async (isTrue: () => boolean, failure: CommandFailure): Promise<void> => {
    if (!(await conditions.becomes(isTrue, CONDITION_LIMIT_MS))) throw failure
  }
  /** Without a page that shows it, a message is not delivered. */
  const awaitScreen = () => awaitThat(isScreenOpen, new CommandFailure('screen-not-open'))
  const stillOpen = () => new CommandFailure('session-still-open')

  return {
    actions: {
      message: async (id, text, level) => {
        await awaitScreen()
        dispatch({ kind: 'noticeReceived', notice: { id, text, level } })
      },
      identify: async () => {
        await awaitScreen()
        dispatch({ kind: 'identifyAsked' })
      },
      awaitLocked: () => awaitThat(() => isLocked(state()), stillOpen()),
      awaitNoSession: () => awaitThat(() => sessionOf(state().phase) === undefined, stillOpen()),
      goDown: power.goDown,
      cancel: power.cancel,
    },
    changed: conditions.check,
    stop: power.stop,
  }
}

import { Compile } from 'typebox/compile'
import {
  commandParams,
  instantOf,
  unixMsOf,
  type Ack,
  type Command,
  type CommandFailureCode,
} from '@escale/protocol'
import { CommandFailure } from './command-failure.ts'

export const REMEMBERED_COMMANDS = 256

/** What each command does; a rejection with a `CommandFailure` is told to the server as `failed` with its code. */
export interface CommandActions {
  /** Reject when no page shows the screen. */
  message: (id: string, text: string, level: 'info' | 'warning') => Promise<void>
  identify: () => Promise<void>
  /** Rejects when the station does not become locked, respectively still holds a session, within seconds. */
  awaitLocked: () => Promise<void>
  awaitNoSession: () => Promise<void>
  /** Resolves once the machine is going down and nothing stops it any more. */
  goDown: (order: GoDownOrder) => Promise<void>
  /** Calls off what waits for its time; whether there was such a thing. */
  cancel: (commandId: string) => boolean
}

export interface GoDownOrder {
  id: string
  op: 'reboot' | 'shutdown'
  delaySeconds: number
  /** Called just before the machine is told, and waited for. */
  onUnderWay: () => Promise<void>
}

export type Outcome = Pick<Ack, 'error'> & { status: Exclude<Ack['status'], 'delivered'> }

/** A command taken before; without an outcome while it is being carried out. */
export interface RememberedCommand {
  id: string
  op: Command['op']
  outcome?: Outcome
  /** How long the machine had run when it was told to go down, seconds. */
  toldAtUptimeSeconds?: number
}

export interface CommandsOptions {
  bootId: string
  actions: CommandActions
  /** What the agent's last run remembers, oldest first. */
  remembered: readonly RememberedCommand[]
  /** Keeps what is remembered beyond the agent's end, where there is a disk; never rejects. */
  remember: (commands: readonly RememberedCommand[]) => Promise<void>
  /** How long the machine has run. */
  uptimeSeconds: () => number
  /** The server's Unix ms; undefined before it is known. */
  serverNowMs: () => number | undefined
  /** Unix ms for stamping, the machine's own where the server's are not known. */
  stampMs: () => number
  acknowledge: (ack: Ack) => void
}

const messageParams = Compile(commandParams.message)
const delayParams = Compile(commandParams.reboot)
const cancelParams = Compile(commandParams.cancel)

/**
 * What became of a command that the agent's end cut short. A machine that was told to go down and has run for less
 * time since has gone down; nothing else can be said to have been done.
 */
function outcomeAfterEnd(
  { outcome, toldAtUptimeSeconds = 0 }: RememberedCommand,
  uptimeSeconds: number,
): Outcome {
  if (outcome !== undefined) return outcome
  if (uptimeSeconds < toldAtUptimeSeconds) return { status: 'applied' }
  return failed('interrupted')
}

const failed = (error: CommandFailureCode): Outcome => ({ status: 'failed', error })

/** Takes commands: each id acts once, over restarts too, and every copy of it gets the same answers. */
export function createCommands(options: CommandsOptions): { take: (command: Command) => Promise<void> } {
  const { bootId, actions, serverNowMs, stampMs, acknowledge } = options
  const outcomes = new Map<string, Promise<Outcome>>()
  const known = new Map<string, RememberedCommand>()
  for (const command of options.remembered) {
    const outcome = outcomeAfterEnd(command, options.uptimeSeconds())
    known.set(command.id, { ...command, outcome })
    outcomes.set(command.id, Promise.resolve(outcome))
  }

  const ack = (id: string, outcome: Pick<Ack, 'status' | 'error'>) =>
    acknowledge({ id, ...outcome, at: instantOf(stampMs()) })

  const remember = (command: RememberedCommand) => {
    known.set(command.id, command)
    for (const id of known.keys()) {
      if (known.size <= REMEMBERED_COMMANDS) break
      known.delete(id)
      outcomes.delete(id)
    }
    return options.remember([...known.values()])
  }

  const refusalOf = ({ bootId: wanted, expiresAt }: Command): Outcome | undefined => {
    if (wanted !== undefined && wanted !== bootId)
      return { status: 'expired', error: 'meant for an earlier start of this agent' }
    const nowMs = serverNowMs()
    return nowMs !== undefined && nowMs > unixMsOf(expiresAt) ? { status: 'expired' } : undefined
  }

  const carryOut = async (command: Command): Promise<Outcome> => {
    const { id, op } = command
    const refusal = refusalOf(command)
    if (refusal === undefined) {
      ack(id, { status: 'delivered' })
      // Written down first: a machine that goes down for it must know it when it is back.
      await remember({ id, op })
    }
    const outcome = refusal ?? (await perform(command))
    await remember({ id, op, outcome })
    return outcome
  }

  const perform = async (command: Command): Promise<Outcome> => {
    try {
      await act(command)
      return { status: 'applied' }
    } catch (err) {
      if (err instanceof CommandFailure) return failed(err.code)
      throw err
    }
  }

  const act = async ({ id, op, params }: Command): Promise<void> => {
    switch (op) {
      case 'message': {
        if (!messageParams.Check(params)) throw new CommandFailure('invalid-params')
        return actions.message(id, params.text, params.level ?? 'info')
      }
      case 'identify':
        return actions.identify()
      // `desired` is published before these two: they only say why, and ask whether it has been done.
      case 'lock':
        return actions.awaitLocked()
      case 'logout':
        return actions.awaitNoSession()
      case 'reboot':
      case 'shutdown': {
        if (!delayParams.Check(params)) throw new CommandFailure('invalid-params')
        const onUnderWay = () => remember({ id, op, toldAtUptimeSeconds: options.uptimeSeconds() })
        return actions.goDown({ id, op, delaySeconds: params.delaySeconds ?? 0, onUnderWay })
      }
      case 'cancel': {
        if (!cancelParams.Check(params)) throw new CommandFailure('invalid-params')
        return cancel(params.commandId)
      }
      case 'update':
        throw new CommandFailure('update-unavailable')
    }
  }

  /** A command that has not arrived yet is refused when it arrives: it may be overtaken by its cancellation. */
  const cancel = async (id: string): Promise<void> => {
    if (actions.cancel(id)) return
    if (outcomes.has(id)) throw new CommandFailure('not-pending')
    const outcome = failed('cancelled')
    outcomes.set(id, Promise.resolve(outcome))
    await remember({ id, op: 'cancel', outcome })
    ack(id, outcome)
  }

  const repeat = async (id: string, earlier: Promise<Outcome>): Promise<Outcome> => {
    const outcome = await earlier
    if (outcome.status !== 'expired') ack(id, { status: 'delivered' })
    return outcome
  }

  return {
    take: async (command) => {
      const { id } = command
      const earlier = outcomes.get(id)
      const outcome = earlier === undefined ? carryOut(command) : repeat(id, earlier)
      if (earlier === undefined) outcomes.set(id, outcome)
      ack(id, await outcome)
    },
  }
}

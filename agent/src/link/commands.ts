import { Compile } from 'typebox/compile'
import { commandParams, instantOf, unixMsOf, type Ack, type Command } from '@escale/protocol'

export const REMEMBERED_COMMANDS = 256
const MAX_ERROR_LENGTH = 500

/** What each command does; a rejection is told to the server as `failed` with its message. */
export interface CommandActions {
  message: (id: string, text: string, level: 'info' | 'warning') => void
  identify: () => void
  /** Rejects when the station does not become locked, respectively still holds a session, within seconds. */
  awaitLocked: () => Promise<void>
  awaitNoSession: () => Promise<void>
  reboot: (delaySeconds: number) => Promise<void>
  shutdown: (delaySeconds: number) => Promise<void>
}

export type Outcome = Pick<Ack, 'error'> & { status: Exclude<Ack['status'], 'delivered'> }

/** A command taken before; without an outcome while it is being carried out. */
export interface RememberedCommand {
  id: string
  op: Command['op']
  outcome?: Outcome
}

export interface CommandsOptions {
  bootId: string
  actions: CommandActions
  /** What the agent's last run remembers, oldest first. */
  remembered: readonly RememberedCommand[]
  /** Keeps what is remembered beyond the agent's end, where there is a disk; never rejects. */
  remember: (commands: readonly RememberedCommand[]) => Promise<void>
  /** The server's Unix ms; undefined before it is known. */
  serverNowMs: () => number | undefined
  /** Unix ms for stamping, the machine's own where the server's are not known. */
  stampMs: () => number
  acknowledge: (ack: Ack) => void
}

const messageParams = Compile(commandParams.message)
const delayParams = Compile(commandParams.reboot)

/**
 * What became of a command that the agent's end cut short. A machine that was to go down has gone down; nothing
 * else can be said to have been done.
 */
function outcomeAfterEnd({ op, outcome }: RememberedCommand): Outcome {
  if (outcome !== undefined) return outcome
  if (op === 'reboot' || op === 'shutdown') return { status: 'applied' }
  return { status: 'failed', error: 'the agent ended while carrying it out' }
}

/** Takes commands: each id acts once, over restarts too, and every copy of it gets the same answers. */
export function createCommands(options: CommandsOptions): { take: (command: Command) => Promise<void> } {
  const { bootId, serverNowMs, stampMs, acknowledge } = options
  const outcomes = new Map<string, Promise<Outcome>>()
  const known = new Map<string, RememberedCommand>()
  for (const command of options.remembered) {
    const outcome = outcomeAfterEnd(command)
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
    const outcome = refusal ?? (await perform(command, options.actions))
    await remember({ id, op, outcome })
    return outcome
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

async function perform(command: Command, actions: CommandActions): Promise<Outcome> {
  try {
    await act(command, actions)
    return { status: 'applied' }
  } catch (err) {
    const error = err instanceof Error ? err.message : String(err)
    return { status: 'failed', error: error.slice(0, MAX_ERROR_LENGTH) }
  }
}

async function act({ id, op, params }: Command, actions: CommandActions): Promise<void> {
  switch (op) {
    case 'message': {
      if (!messageParams.Check(params)) throw new Error('message wants {text, level?}')
      actions.message(id, params.text, params.level ?? 'info')
      return
    }
    case 'identify':
      actions.identify()
      return
    // `desired` is published before these two: they only say why, and ask whether it has been done.
    case 'lock':
      return actions.awaitLocked()
    case 'logout':
      return actions.awaitNoSession()
    case 'reboot':
    case 'shutdown': {
      if (!delayParams.Check(params)) throw new Error(`${op} wants {delaySeconds?}, 0 to 3600`)
      return actions[op](params.delaySeconds ?? 0)
    }
    case 'update':
      throw new Error('this agent cannot update itself yet: install the new version by its package')
  }
}

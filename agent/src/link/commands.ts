import { Compile } from 'typebox/compile'
import { Type } from 'typebox'
import { instantOf, unixMsOf, type Ack, type Command } from '@escale/protocol'

const REMEMBERED_COMMANDS = 256
const MAX_ERROR_LENGTH = 500

/** What each command does; a rejection is told to the server as `failed` with its message. */
export interface CommandActions {
  message: (id: string, text: string, level: 'info' | 'warning') => void
  identify: () => void
  /** Throws when the station is not locked, respectively when it still holds a session. */
  requireLocked: () => void
  requireNoSession: () => void
  reboot: (delaySeconds: number) => Promise<void>
  shutdown: (delaySeconds: number) => Promise<void>
}

export interface CommandsOptions {
  bootId: string
  actions: CommandActions
  /** The server's Unix ms; undefined before it is known. */
  serverNowMs: () => number | undefined
  /** Unix ms for stamping, the machine's own where the server's are not known. */
  stampMs: () => number
  acknowledge: (ack: Ack) => void
}

const messageParams = Compile(
  Type.Object({
    text: Type.String({ minLength: 1, maxLength: 2_000 }),
    level: Type.Optional(Type.Union([Type.Literal('info'), Type.Literal('warning')])),
  }),
)
const delayParams = Compile(
  Type.Object({ delaySeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 3_600 })) }),
)

type Outcome = Pick<Ack, 'status' | 'error'>

/** Takes commands: each id acts once, and every copy of it gets the same two answers. */
export function createCommands(options: CommandsOptions): { take: (command: Command) => Promise<void> } {
  const { bootId, serverNowMs, stampMs, acknowledge } = options
  const outcomes = new Map<string, Promise<Outcome>>()

  const ack = (id: string, outcome: Outcome) => acknowledge({ id, ...outcome, at: instantOf(stampMs()) })
  const isExpired = (command: Command) => {
    const nowMs = serverNowMs()
    return nowMs !== undefined && nowMs > unixMsOf(command.expiresAt)
  }
  const decide = (command: Command): Promise<Outcome> => {
    if (command.bootId !== undefined && command.bootId !== bootId) {
      return Promise.resolve({ status: 'expired', error: 'meant for an earlier start of this agent' })
    }
    if (isExpired(command)) return Promise.resolve({ status: 'expired' })
    ack(command.id, { status: 'delivered' })
    return perform(command, options.actions)
  }

  return {
    take: async (command) => {
      const known = outcomes.get(command.id)
      if (known !== undefined) ack(command.id, { status: 'delivered' })
      const outcome = known ?? decide(command)
      outcomes.set(command.id, outcome)
      const oldest = outcomes.keys().next()
      if (outcomes.size > REMEMBERED_COMMANDS && oldest.done !== true) outcomes.delete(oldest.value)
      ack(command.id, await outcome)
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
      actions.requireLocked()
      return
    case 'logout':
      actions.requireNoSession()
      return
    case 'reboot':
    case 'shutdown': {
      if (!delayParams.Check(params)) throw new Error(`${op} wants {delaySeconds?}, 0 to 3600`)
      await actions[op](params.delaySeconds ?? 0)
      return
    }
    case 'update':
      throw new Error('this agent cannot update itself yet: install the new version by its package')
  }
}

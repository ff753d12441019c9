import { execFile } from 'node:child_process'
import type { Logger } from 'pino'

/** How often the watchdog is told within the time that it allows: one message may be lost. */
const MESSAGES_PER_WATCHDOG = 3
const NOTIFY_LIMIT_MS = 5_000

/** What systemd tells a service of itself. Source: https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html */
export interface ServiceSettings {
  /** Where systemd listens. Without it nobody does. */
  socket?: string
  /** systemd ends the agent after this time without a message. */
  watchdogMs?: number
}

/** Takes these settings out of the environment, so that no child process speaks in the agent's name. */
export function takeServiceSettings(env: NodeJS.ProcessEnv): ServiceSettings {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: microseconds } = env
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) Reflect.deleteProperty(env, name)
  const watchdogMs = Number(microseconds) / 1_000
  return { socket, watchdogMs: watchdogMs > 0 ? watchdogMs : undefined }
}

export interface ServiceManager {
  /** The agent works. From now on it says so again and again, as long as its event loop runs. */
  ready: () => void
  stopping: () => void
}

/**
 * Tells systemd how the agent is, by its program systemd-notify: Node has no datagram sockets of UNIX.
 * @param searchPath the `PATH` in which that program is looked for
 */
export function createServiceManager(
  { socket, watchdogMs }: ServiceSettings,
  searchPath: string,
  log: Pick<Logger, 'error'>,
): ServiceManager {
  if (socket === undefined) return { ready: () => undefined, stopping: () => undefined }
  let watchdog: NodeJS.Timeout | undefined

  const tell = (state: string) => {
    const env = { PATH: searchPath, NOTIFY_SOCKET: socket }
    execFile('systemd-notify', [state], { env, timeout: NOTIFY_LIMIT_MS }, (err) => {
      if (err) log.error({ err, state }, 'systemd cannot be told the state of the agent')
    })
  }

  return {
    ready: () => {
      tell('READY=1')
      if (watchdogMs === undefined) return
      watchdog = setInterval(() => tell('WATCHDOG=1'), watchdogMs / MESSAGES_PER_WATCHDOG)
      watchdog.unref()
    },
    stopping: () => {
      clearInterval(watchdog)
      tell('STOPPING=1')
    },
  }
}

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'

/** The repository's root. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

export interface Spawned {
  readonly child: ChildProcess
  /** Everything written so far, both streams. */
  output: () => string
  /** Resolves with the match as soon as it is in the output; rejects if the process ends before. */
  waitFor: (pattern: RegExp, withinMs?: number) => Promise<RegExpMatchArray>
  /** Resolves with the exit code (or the signal's name) once the process has ended. */
  ended: Promise<number | string>
  /** SIGTERM, then waits for the end. */
  stop: () => Promise<number | string>
  /** `kill -9`, then waits for the end. */
  kill: () => Promise<number | string>
}

const WAIT_MS = 30_000

export interface SpawnOptions {
  env?: NodeJS.ProcessEnv
  /** Starts the process in a new process group, as from another terminal. */
  isGroupLeader?: boolean
}

/** Starts a program of the project. It ends with the test process, because its channel closes then. */
export function spawned(command: string, args: readonly string[], options: SpawnOptions = {}): Spawned {
  const { env = {}, isGroupLeader = false } = options
  const child = spawn(command, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    detached: isGroupLeader,
    stdio: isGroupLeader ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      child.emit('output')
    })
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string)

  const waitFor = (pattern: RegExp, withinMs = WAIT_MS) =>
    new Promise<RegExpMatchArray>((resolve, reject) => {
      const settle = (problem?: string) => {
        const match = pattern.exec(text)
        if (!match && problem === undefined) return
        clearTimeout(limit)
        child.off('output', check)
        if (match) resolve(match)
        else reject(new Error(`${args.join(' ')}: ${problem ?? ''} before ${String(pattern)}\n${text}`))
      }
      const check = () => settle()
      const limit = setTimeout(() => settle(`silent for ${withinMs} ms`), withinMs)
      child.on('output', check)
      void ended.then((code) => settle(`ended (${code})`))
      check()
    })

  const end = (signal: NodeJS.Signals) => {
    child.kill(signal)
    return ended
  }
  return {
    child,
    output: () => text,
    waitFor,
    ended,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  }
}

/** Different ports that are free now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}

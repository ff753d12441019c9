import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installPackage } from './debian.ts'

const READY_WITHIN_MS = 30_000

/** Advice if Redis is not installed. */
export const REDIS_HINT = 'needs Redis: run `sudo apt-get install redis-server`'

/** As in postgres.ts: standard input is a pipe from this process, so Redis ends when this process ends. */
const RUN_SCRIPT = `
trap '' INT TERM HUP
cd "$REDIS_FOLDER"
setpriv --pdeathsig=KILL "$REDIS_PROGRAM" "$@" >&2 </dev/null &
cat >/dev/null
kill -KILL $!
wait $!
`

export interface RunningRedis {
  /** Path of its socket. */
  socket: string
  /** `kill -9`; all data are lost. */
  kill(): Promise<void>
  /** Starts it again at the same address, after `kill`. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** The Redis program; undefined if there is none. */
export function findRedis(): string | undefined {
  return (process.env.PATH ?? '')
    .split(':')
    .flatMap((folder) => ['redis-server', 'valkey-server'].map((name) => join(folder, name)))
    .find((program) => existsSync(program))
}

/** Installs the Debian package if it is missing and we are root; @returns whether it was installed. */
export async function installRedis(): Promise<boolean> {
  if (findRedis() !== undefined) return false
  await installPackage('redis-server')
  return findRedis() !== undefined
}

/** Starts a real Redis without persistence, reached through a socket in a temporary folder. */
export async function startRedis(): Promise<RunningRedis> {
  const program = findRedis()
  if (program === undefined) throw new Error(REDIS_HINT)
  const folder = await mkdtemp(join(tmpdir(), 'escale-redis-'))
  const socket = join(folder, 'redis.sock')
  const settings = ['--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'no']
  let life = await launch(program, folder, settings)
  return {
    socket,
    kill: () => life.end(),
    async restart() {
      life = await launch(program, folder, settings)
    },
    async stop() {
      await life.end()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function launch(program: string, folder: string, settings: string[]) {
  const life = spawn('sh', ['-c', RUN_SCRIPT, 'sh', ...settings], {
    // Ctrl-C must reach only this process, which then stops Redis.
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { ...process.env, REDIS_PROGRAM: program, REDIS_FOLDER: folder },
  })
  const ended = once(life, 'close')
  const end = async () => {
    life.stdin.end()
    await ended
  }
  await new Promise<void>((resolve, reject) => {
    let output = ''
    const fail = () => {
      life.stdin.end()
      reject(new Error(`Redis does not start\n${output}`))
    }
    const limit = setTimeout(fail, READY_WITHIN_MS)
    life.once('close', fail)
    life.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (!/ready to accept connections/i.test(output)) return
      clearTimeout(limit)
      life.off('close', fail)
      resolve()
    })
  })
  return { end }
}

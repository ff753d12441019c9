import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { installPackage } from './debian.ts'

const execute = promisify(execFile)

const DEBIAN_FOLDER = '/usr/lib/postgresql'
const DEBIAN_USER = 'postgres'
const READY_WITHIN_MS = 60_000
const MAX_OUTPUT = 10_000

/** Advice if PostgreSQL is not installed. */
export const POSTGRES_HINT = 'needs PostgreSQL: run `sudo apt-get install postgresql`'

/** A test's data need not survive a power failure, and nobody reads its statistics. */
const FAST = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'autovacuum=off', 'jit=off']
const SMALL = ['listen_addresses=', 'max_connections=200', 'shared_buffers=32MB', 'max_wal_senders=0']
const SETTINGS = [...FAST, ...SMALL, 'wal_level=minimal', 'log_min_messages=log']

/**
 * Starts the server and removes its folder afterwards. Standard input is a pipe from this process: when this process
 * ends, even by kill -9, `cat` ends, then the server stops. If the shell itself is killed, `--pdeathsig` ends the server.
 */
const RUN_SCRIPT = `
trap '' INT TERM HUP
as="setpriv --pdeathsig=QUIT"
if [ -n "$PG_USER" ]; then as="$as --reuid=$PG_USER --regid=$PG_USER --init-groups"; fi
cd "$PG_FOLDER"
if $as "$PG_BIN/initdb" -D data -U escale -A trust -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null </dev/null
then
  $as "$PG_BIN/postgres" -D data -k "$PG_FOLDER" "$@" >&2 &
  cat >/dev/null
  kill -QUIT $!
  wait $!
fi
cd /
rm -rf "$PG_FOLDER"
`

export interface RunningPostgres {
  /** The empty database that new databases are copied from by default. */
  url: string
  stop(): Promise<void>
}

/** The folder of PostgreSQL's programs, of the newest installed version; undefined if there is none. */
export function findPostgres(): string | undefined {
  const versions = existsSync(DEBIAN_FOLDER) ? readdirSync(DEBIAN_FOLDER) : []
  const folders = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(DEBIAN_FOLDER, version, 'bin'))
  return [...folders, ...(process.env.PATH ?? '').split(':')].find(
    (folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')),
  )
}

/** Installs the Debian package if it is missing and we are root; @returns whether it was installed. */
export async function installPostgres(): Promise<boolean> {
  if (findPostgres() !== undefined) return false
  // Do not create the default cluster of the package.
  await installPackage('postgresql', { PG_CREATE_MAIN_CLUSTER: 'no' })
  return findPostgres() !== undefined
}

/** Starts a real server in a temporary folder, reached through its socket there. */
export async function startPostgres(): Promise<RunningPostgres> {
  const programs = findPostgres()
  if (programs === undefined) throw new Error(POSTGRES_HINT)
  const folder = await mkdtemp(join(tmpdir(), 'escale-postgres-'))
  const isRoot = process.getuid?.() === 0
  if (isRoot) await execute('chown', [DEBIAN_USER, folder])
  const settings = SETTINGS.flatMap((setting) => ['-c', setting])
  const life = spawn('sh', ['-c', RUN_SCRIPT, 'sh', ...settings], {
    // Ctrl-C must reach only this process, which then stops the server.
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { ...process.env, PG_BIN: programs, PG_FOLDER: folder, PG_USER: isRoot ? DEBIAN_USER : '' },
  })
  const ended = once(life, 'close')
  const stop = async () => {
    life.stdin.end()
    await ended
  }
  await new Promise<void>((resolve, reject) => {
    let output = ''
    const fail = () => {
      life.stdin.end()
      reject(new Error(`PostgreSQL does not start\n${output}`))
    }
    const limit = setTimeout(fail, READY_WITHIN_MS)
    life.once('close', fail)
    life.stderr.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-MAX_OUTPUT)
      if (!output.includes('ready to accept connections')) return
      clearTimeout(limit)
      life.off('close', fail)
      resolve()
    })
  })
  return { url: `postgres://escale@localhost/template1?host=${encodeURIComponent(folder)}`, stop }
}

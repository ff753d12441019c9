import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { spawned, type Spawned } from '../support/spawned.ts'

const has = (program: string) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)))
const missing = ['systemd-notify', 'python3'].filter((program) => !has(program))

/** Listens as systemd does, and prints each message: Node has no datagram sockets of UNIX. */
const LISTENER = `
import socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
print('listening', flush=True)
while True:
    # A descriptor comes with BARRIER=1; the sender waits until it is closed, as here.
    print(listener.recv(4096).decode(), flush=True)
`

const running: Spawned[] = []
let folder: string

beforeEach(async (context) => {
  context.skip(missing.length > 0, `not on this machine: ${missing.join(', ')}`)
  folder = await mkdtemp(join(tmpdir(), 'escale-service-'))
})
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.kill()
  await rm(folder, { recursive: true, force: true })
})

it('the agent tells systemd that it is ready, again and again that it works, and that it stops', async () => {
  const socket = join(folder, 'notify')
  const systemd = spawned('python3', ['-c', LISTENER, socket])
  running.push(systemd)
  await systemd.waitFor(/^listening$/m)
  const args = ['run', '--server', 'http://127.0.0.1:9', '--enrolment-key', 'k', '--data-dir', folder]
  const agent = spawned(
    process.execPath,
    ['agent/src/main.ts', ...args, '--screen-port', '0', '--no-kiosk'],
    {
      env: { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '900000' },
    },
  )
  running.push(agent)
  await systemd.waitFor(/^READY=1$[^]*(^WATCHDOG=1$[^]*){3}/m)
  expect(systemd.output().indexOf('READY=1')).toBeLessThan(systemd.output().indexOf('WATCHDOG=1'))
  expect(await agent.stop()).toBe(0)
  await systemd.waitFor(/^STOPPING=1$/m)
})

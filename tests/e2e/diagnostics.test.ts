import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signIn } from '../support/api.ts'
import { MOSQUITTO_HINT, hasMosquitto } from '../support/mosquitto.ts'
import { startServer, type RunningServer } from '../support/server.ts'
import { ROOT, spawned } from '../support/spawned.ts'

const page = readFileSync(join(ROOT, 'docs', 'diagnostics.md'), 'utf8')
const recipes = [...page.matchAll(/^```sh\n(.*)\n```$/gm)].map(([, line]) => line ?? '')

/** The output of each recipe on a server with one station, pc-01. */
const outputs: Record<string, RegExp> = {
  '$SYS/broker/#': /\$SYS\/broker\/clients\/connected \d+/,
  'escale/v1/stations/pc-01/#': /escale\/v1\/stations\/pc-01\/desired .*"state":"locked"/,
  'escale/v1/#': /escale\/v1\/config .*"heartbeatIntervalMs":10000/,
}

let server: RunningServer
let ports: { mqtt: string; mqtts: string }
let secret: string

beforeAll(async () => {
  server = await startServer()
  const portOf = (scheme: string) =>
    new RegExp(`\\b${scheme}://[^:\\s]+:(\\d+)`).exec(server.process().output())?.[1] ?? ''
  ports = { mqtt: portOf('mqtt'), mqtts: portOf('mqtts') }
  const api = await signIn(server)
  await api.post('/api/postes/', { id: 'pc-01', label: 'PC 1' })
  const [, command = ''] = /`npm run account ([^`]+)`/.exec(page) ?? []
  const env = { ...process.env, ESCALE_DATA_DIR: server.dataDir }
  const account = ['backend/src/cli/account.ts', ...command.split(' ')]
  const { stdout } = await promisify(execFile)(process.execPath, account, { cwd: ROOT, env })
  secret = /^ {2}(\S+)$/m.exec(stdout)?.[1] ?? ''
})
afterAll(() => server.dispose())

describe('the recipes of docs/diagnostics.md', () => {
  it('are six, with both programs', () => {
    expect(recipes.filter((line) => line.startsWith('mosquitto_sub '))).toHaveLength(3)
    expect(recipes.filter((line) => line.startsWith('npx mqtt sub '))).toHaveLength(3)
  })

  it.for(recipes)('work as written: %s', async (line, { skip }) => {
    if (line.startsWith('mosquitto_sub') && !hasMosquitto()) skip(MOSQUITTO_HINT)
    const topic = /-t '([^']+)'/.exec(line)?.[1] ?? ''
    const expected = outputs[topic]
    expect(expected).toBeDefined()
    const here = line
      .replace('npx mqtt', `"${process.execPath}" node_modules/mqtt/build/bin/mqtt.js`)
      .replace('-p 8883', `-p ${ports.mqtts}`)
      .replace('-p 1883', `-p ${ports.mqtt}`)
      .replace('data/certificates', join(server.dataDir, 'certificates'))
    // `exec` replaces the shell by the program, so that the signal to stop reaches it.
    const listening = spawned('sh', ['-c', `exec ${here}`], { env: { SECRET: secret } })
    await listening.waitFor(expected ?? /./)
    await listening.stop()
  })
})

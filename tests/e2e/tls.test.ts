import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttpsServer, request } from 'node:https'
import { hostname, networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTcp, type AddressInfo } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { promisify } from 'node:util'
import { connectAsync } from 'mqtt'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { issueAuthority, issueServerCertificate } from '../../backend/src/certificates/issue.ts'
import { keyIn } from '../../backend/src/certificates/pem.ts'
import { startServer, type RunningServer } from '../support/server.ts'
import { freePorts, spawned, ROOT, type Spawned } from '../support/spawned.ts'

const AGENT = ['agent/src/main.ts']
const execute = promisify(execFile)
const folders: string[] = []
const newFolder = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'escale-tls-'))
  folders.push(folder)
  return folder
}

let server: RunningServer
let https: string
let mqtts: string
let ca: string
let fingerprint: string

beforeAll(async () => {
  server = await startServer()
  const ready = server.process().output()
  https = /https:\/\/127\.0\.0\.1:\d+/.exec(ready)?.[0] ?? ''
  mqtts = /mqtts:\/\/127\.0\.0\.1:\d+/.exec(ready)?.[0] ?? ''
  ca = await readFile(join(server.dataDir, 'certificates', 'ca.pem'), 'utf8')
  fingerprint = (await cert('--show')).match(/^ {2}([0-9A-F:]{95})$/gm)?.[1]?.trim() ?? ''
})
afterAll(async () => {
  await server.dispose()
  for (const folder of folders) await rm(folder, { recursive: true, force: true })
})

/** `npm run cert` on the server's data. */
async function cert(...args: string[]): Promise<string> {
  const env = { ...process.env, ESCALE_DATA_DIR: server.dataDir }
  return (await execute(process.execPath, ['backend/src/cli/cert.ts', ...args], { cwd: ROOT, env })).stdout
}

const shown = async () => {
  const { hostname: host, port } = new URL(mqtts)
  const socket = connectTls({ host, port: Number(port), ca })
  await once(socket, 'secureConnect')
  const { fingerprint256 } = socket.getPeerCertificate()
  socket.destroy()
  return fingerprint256
}

function ask(url: string, options: object = {}): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    request(url, { ca, agent: false, ...options }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => (body += text))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
      .on('error', reject)
      .end()
  })
}

describe('a server on its own machine', () => {
  it('serves the API, the admin and MQTT over https, wss and mqtts', async () => {
    expect(await ask(`${https}/healthz`)).toEqual({ status: 200, body: '{"status":"ok"}' })
    expect((await ask(https)).body).toContain('<html')

    const offered = ['escale.v1', `bearer.${await signIn()}`]
    const socket = new WebSocket(`${https.replace('https', 'wss')}/ws/sessions/`, offered, {
      ca,
      origin: https,
    })
    const [frame] = (await once(socket, 'message')) as [Buffer]
    expect(JSON.parse(String(frame))).toMatchObject({ type: 'connection_established' })
    socket.terminate()

    const foreign = new WebSocket(`${https.replace('https', 'wss')}/ws/sessions/`, ['escale.v1'], {
      ca,
      origin: 'https://ailleurs.example',
    })
    const [refused] = (await once(foreign, 'error')) as [Error]
    expect(refused.message).toContain('403')

    for (const url of [mqtts, `${https.replace('https', 'wss')}/mqtt`]) {
      await expect(
        connectAsync(url, { ca, username: 'pc-x', clientId: 'pc-x', password: 'wrong', reconnectPeriod: 0 }),
      ).rejects.toThrow(/bad user ?name|not authorized/i)
    }
  })

  it('is trusted by its authority alone, and uses a renewed certificate without closing connections', async () => {
    const before = await shown()
    const { hostname: host, port } = new URL(https)
    const openConnection = connectTls({ host, port: Number(port), ca })
    await once(openConnection, 'secureConnect')
    openConnection.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await once(openConnection, 'data')

    const certificates = server.process().output().split('"msg":"certificate"').length
    await cert()
    await server.process().waitFor(new RegExp(`(?:"msg":"certificate"[^]*){${certificates}}`))
    expect(await shown()).not.toBe(before)

    openConnection.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
    const [again] = (await once(openConnection, 'data')) as [Buffer]
    expect(String(again)).toContain('200 OK')
    openConnection.destroy()
  })

  it('keeps its certificate when a new one in its folder is invalid', async () => {
    const before = await shown()
    const draft = join(server.dataDir, 'draft')
    await writeFile(draft, 'not a certificate')
    await rename(draft, join(server.dataDir, 'certificates', 'site.pem'))
    await server.process().waitFor(/cannot be used/)
    expect(await shown()).toBe(before)
    await rm(join(server.dataDir, 'certificates', 'site.pem'))
  })
})

describe('a server on the network', () => {
  const address = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address
  const reaches = async (host: string, port: string | undefined) => {
    const socket = connectTcp({ host, port: Number(port) })
    try {
      await once(socket, 'connect')
      return true
    } catch {
      return false
    } finally {
      socket.destroy()
    }
  }

  it.skipIf(address === undefined)(
    'accepts encrypted connections from it, and plain ones only with ESCALE_PLAIN_LAN',
    async ({ annotate }) => {
      const host = address ?? ''
      await annotate(`as ${host}, ${hostname()}`)
      const lan = await startServer({ env: { ESCALE_HOST: '0.0.0.0' } })
      const portsOf = (running: RunningServer) =>
        Object.fromEntries(
          [
            ...running
              .process()
              .output()
              .matchAll(/\b(https?|mqtts?):\/\/[^:\s]+:(\d+)/g),
          ].map(([, scheme, port]) => [scheme, port]),
        ) as Record<string, string | undefined>
      try {
        const ports = portsOf(lan)
        expect(await reaches(host, ports['http'])).toBe(false)
        expect(await reaches(host, ports['mqtt'])).toBe(false)
        expect(await reaches('127.0.0.1', ports['http'])).toBe(true)
        const own = await readFile(join(lan.dataDir, 'certificates', 'ca.pem'), 'utf8')
        expect((await ask(`https://${host}:${ports['https']}/healthz`, { ca: own })).status).toBe(200)
        expect(await reaches(host, ports['mqtts'])).toBe(true)
      } finally {
        await lan.dispose()
      }

      const plain = await startServer({ env: { ESCALE_HOST: '0.0.0.0', ESCALE_PLAIN_LAN: 'true' } })
      try {
        expect(await reaches(host, portsOf(plain)['http'])).toBe(true)
        expect(await reaches(host, portsOf(plain)['mqtt'])).toBe(true)
        expect(plain.process().output()).toContain('travel unencrypted')
      } finally {
        await plain.dispose()
      }
    },
  )
})

describe('an agent over https', () => {
  const start = async (url: string, dataDir: string, ...more: string[]): Promise<Spawned> => {
    const [port = 0] = await freePorts(1)
    const key = ['--enrolment-key', server.enrolmentKey, '--mac', 'aa:bb:cc:00:00:77']
    const place = ['--data-dir', dataDir, '--screen-port', String(port), '--no-kiosk']
    return spawned(process.execPath, [...AGENT, 'run', '--server', url, ...key, ...place, ...more])
  }
  const runCommand = async (name: string, url: string, dataDir: string) => {
    const running = spawned(process.execPath, [...AGENT, name, '--server', url, '--data-dir', dataDir])
    await running.ended
    return running.output()
  }

  it('recognises its server by the given fingerprint, and sends nothing to another server', async () => {
    const right = await start(
      https,
      await newFolder(),
      '--ca-fingerprint',
      `sha256:${fingerprint.toLowerCase()}`,
    )
    await right.waitFor(/"origin":"given".*the server is trusted/)
    await right.waitFor(/waiting for an operator/)
    await right.stop()

    const dataDir = await newFolder()
    const wrong = await start(https, dataDir, '--ca-fingerprint', 'ab'.repeat(32))
    await wrong.waitFor(/not the one given with --ca-fingerprint/)
    await wrong.stop()
    expect(wrong.output()).not.toContain('waiting for an operator')
    await expect(readFile(join(dataDir, 'trust.json'))).rejects.toThrow('ENOENT')
  })

  it('trusts on first use, logs that, and then connects to the broker with TLS', async () => {
    const token = await signIn()
    const station = { id: 'pc-tls', label: 'PC TLS', macAddress: 'aa:bb:cc:00:00:77' }
    const made = await fetch(`${server.url}/api/postes/`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(station),
    })
    expect(made.status).toBe(201)

    const dataDir = await newFolder()
    const agent = await start(https, dataDir)
    await agent.waitFor(/trusted on first use/)
    await agent.waitFor(/connected to the broker/)
    const identity = JSON.parse(await readFile(join(dataDir, 'identity.json'), 'utf8')) as Record<
      string,
      string
    >
    expect(identity['mqttUrl']).toBe(mqtts)
    expect(identity['caCertificate']).toBe(ca)
    const doctor = await runCommand('doctor', https, dataDir)
    expect(doctor).toContain(`authority ${fingerprint}, trusted on first use`)
    expect(doctor).toContain(`ok  broker ${mqtts}`)
    await agent.stop()

    // The same server under another of its names: the station sends its secret there and keeps its identity.
    const byName = https.replace('127.0.0.1', 'localhost')
    const moved = await start(byName, dataDir)
    await moved.waitFor(/connected to the broker/)
    const after = JSON.parse(await readFile(join(dataDir, 'identity.json'), 'utf8')) as Record<string, string>
    expect(after).toMatchObject({ stationId: 'pc-tls', server: byName })
    expect(moved.output()).not.toContain('waiting for an operator')
    await moved.stop()

    // Another server at the same address: the station sends nothing to it, and the log says what to do.
    const otherAuthority = await issueAuthority('etranger', Date.now())
    const other = await startOtherServer(
      await issueServerCertificate(otherAuthority, ['127.0.0.1'], Date.now()),
    )
    const trust = JSON.parse(await readFile(join(dataDir, 'trust.json'), 'utf8')) as object
    await writeFile(join(dataDir, 'trust.json'), JSON.stringify({ ...trust, server: other.url }))
    await rm(join(dataDir, 'identity.json'))
    const misled = await start(other.url, dataDir)
    await misled.waitFor(/authority that this station does not trust.*--ca-fingerprint/)
    await misled.stop()
    expect(other.requests()).toBe(0)
    expect(await runCommand('doctor', other.url, dataDir)).toContain('BAD server')
    await other.close()
  })

  it.each([
    ['has expired', ['127.0.0.1'], -500, /certificate has ended by this machine’s clock/],
    ['is for another address', ['ailleurs.example'], 0, /not for this address/],
  ])('refuses a certificate that %s', async (_what, names, days, reason) => {
    const atMs = Date.now() + days * 86_400_000
    const other = await startOtherServer(
      await issueServerCertificate(await issueAuthority('accueil', Date.now()), names, atMs),
    )
    const dataDir = await newFolder()
    const agent = await start(other.url, dataDir)
    await agent.waitFor(reason)
    await agent.stop()
    expect(other.requests()).toBe(0)
    await expect(readFile(join(dataDir, 'trust.json'))).rejects.toThrow('ENOENT')
    await other.close()
  })
})

async function signIn(): Promise<string> {
  const answer = await fetch(`${server.url}/api/token/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: server.username, password: server.password }),
  })
  return ((await answer.json()) as { access: string }).access
}

/** A server with another authority, which counts the requests that it gets. */
async function startOtherServer(pem: string) {
  let requests = 0
  const certificate = pem.slice(pem.indexOf('-----BEGIN CERTIFICATE-----'))
  const listener = createHttpsServer({ key: keyIn(pem), cert: certificate }, (_request, response) => {
    requests += 1
    response.end('{}')
  })
  await once(listener.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `https://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    requests: () => requests,
    close: async () => {
      listener.closeAllConnections()
      await once(listener.close(), 'close')
    },
  }
}

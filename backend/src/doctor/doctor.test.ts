import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { createCertificateFolder } from '../certificates/folder.ts'
import { issueAuthority, issueServerCertificate } from '../certificates/issue.ts'
import { findBackup } from './backups.ts'
import { findData } from './data.ts'
import { findCertificate, findClock, findDisk, findFolder, findMemory, findNode } from './machine.ts'
import { findPort } from './ports.ts'

const nowMs = Date.now()
const folder = mkdtempSync(join(tmpdir(), 'escale-doctor-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const script = (name: string) => fileURLToPath(new URL(`../cli/${name}`, import.meta.url))
const run = (name: string, env: NodeJS.ProcessEnv, ...args: string[]) =>
  promisify(execFile)(process.execPath, [script(name), ...args], {
    env: { ...process.env, DATABASE_URL: '', ...env },
  }).catch((err: unknown) => err as { code: number; stdout: string; stderr: string })

describe('the doctor', () => {
  it('reports which program uses a port, and accepts a free port', async () => {
    const holder = createServer()
    await once(holder.listen(0, '127.0.0.1'), 'listening')
    const { port } = holder.address() as AddressInfo
    const fault = await findPort('ESCALE_MQTT_PORT', '127.0.0.1', port)
    expect(fault.isGood).toBe(false)
    expect(fault.english).toContain(`taken by node`)
    expect(fault.english).toContain(`(${process.pid})`)
    await once(holder.close(), 'close')
    expect((await findPort('ESCALE_MQTT_PORT', '127.0.0.1', port)).isGood).toBe(true)
  })

  it('reports an address that this machine does not have', async () => {
    expect((await findPort('ESCALE_HTTP_PORT', '192.0.2.77', 3000)).french).toContain('corrigez ESCALE_HOST')
  })

  it('reports keys that others can read, but not in a folder that is closed to others', () => {
    const keys = join(folder, 'keys')
    mkdirSync(keys, { mode: 0o700 })
    writeFileSync(join(keys, 'token'), '', { mode: 0o644 })
    expect(findFolder(folder).isGood).toBe(true)
    chmodSync(keys, 0o755)
    expect(findFolder(folder).english).toContain(`chmod go= ${join(keys, 'token')}`)
    chmodSync(join(keys, 'token'), 0o600)
    expect(findFolder(folder).isGood).toBe(true)
  })

  it('reports a folder that the first start could not create', () => {
    const file = join(folder, 'a-file')
    writeFileSync(file, '')
    expect(findFolder(join(folder, 'new', 'data')).isGood).toBe(true)
    expect(findFolder(join(file, 'data'))).toMatchObject({
      isGood: false,
      french: expect.stringContaining('ne peut être créé') as string,
    })
  })

  it('reports a clock without a battery, and a clock behind the journal', async () => {
    expect((await findClock(Date.parse('2000-01-01'), undefined)).isGood).toBe(false)
    expect((await findClock(nowMs, nowMs + 3_600_000)).french).toContain('en retard sur la dernière ligne')
  })

  it('reports too little memory and disk, and an old Node', () => {
    expect(findMemory(1024).isGood).toBe(false)
    expect(findDisk(folder, Number.MAX_SAFE_INTEGER).english).toContain('make room')
    expect(findNode('20.11.0').isGood).toBe(false)
    expect(findNode().isGood).toBe(true)
  })

  it('reports a certificate that expires soon, has expired, lacks a name or cannot be read', async () => {
    const names = { machine: 'accueil', given: ['escale.ville.fr'], required: ['localhost'], more: [] }
    const certificates = createCertificateFolder(folder, names, { nowMs: () => nowMs })
    const days = (count: number) => nowMs + count * 86_400_000
    expect(findCertificate(certificates, nowMs).isGood).toBe(true)
    const authority = await issueAuthority('mairie', nowMs)
    certificates.useSiteOwn(await issueServerCertificate(authority, ['localhost'], nowMs))
    expect(findCertificate(certificates, nowMs).english).toContain('not good for escale.ville.fr')
    expect(findCertificate(certificates, days(380)).english).toContain('ends in 1')
    expect(findCertificate(certificates, days(400)).english).toContain('has ended')
    writeFileSync(join(certificates.path, 'site.pem'), 'nothing')
    expect(findCertificate(certificates, nowMs).english).toContain('cannot be read')
  })

  it('reports a database that is damaged or cannot be reached', async () => {
    const file = join(folder, 'damaged.sqlite')
    writeFileSync(file, 'this is no database, and long enough to be told apart from an empty one'.repeat(20))
    const { findings } = await findData(`sqlite:${file}`)
    expect(findings.map(({ isGood }) => isGood)).toEqual([false])
    const away = await findData('postgres://nobody@127.0.0.1:1/none')
    expect(away.findings[0]?.english).toContain('check DATABASE_URL')
  })

  it('reports migrations that wait, and checks the newest records of the journal', async () => {
    const dataDir = join(folder, 'data')
    mkdirSync(dataDir)
    const file = join(dataDir, 'escale.sqlite')
    writeFileSync(file, '')
    const waiting = await findData(`sqlite:${file}`)
    expect(waiting.findings[0]?.english).toContain('0001-main-job')
    await run('run-job.ts', { ESCALE_DATA_DIR: dataDir }, 'old_sessions')
    const { findings, lastRecordMs } = await findData(`sqlite:${file}`)
    expect(findings.map(({ isGood }) => isGood)).toEqual([true, true])
    expect(lastRecordMs).toBeGreaterThan(nowMs - 60_000)
  })

  it('reports a database of a later release, and one that cannot be read', async () => {
    const dataDir = join(folder, 'later')
    mkdirSync(dataDir)
    const file = join(dataDir, 'escale.sqlite')
    await run('run-job.ts', { ESCALE_DATA_DIR: dataDir }, 'old_sessions')
    const database = new DatabaseSync(file)
    database.exec("INSERT INTO schema_migrations (name) VALUES ('9999-later')")
    database.close()
    expect((await findData(`sqlite:${file}`)).findings[0]?.french).toMatch(/plus récente.*9999-later/)
    const nowhere = join(folder, 'directory.sqlite')
    mkdirSync(nowhere)
    expect((await findData(`sqlite:${nowhere}`)).findings[0]?.french).toContain('ne s’ouvre pas')
  })

  it('reports the age of the last backup, or that there is none', () => {
    const dataDir = join(folder, 'backed-up')
    mkdirSync(join(dataDir, 'keys'), { recursive: true })
    writeFileSync(join(dataDir, 'keys', 'code'), 'key')
    const file = join(folder, 'backup.tar.gz')
    writeFileSync(file, '')
    const found = (days: number, ESCALE_BACKUP_DIR = '') =>
      findBackup(dataDir, { ESCALE_BACKUP_DIR }, nowMs + days * 86_400_000)
    expect(found(1)).toMatchObject({ isGood: true, english: 'No backup yet' })
    expect(found(40)).toMatchObject({ isGood: false })
    writeFileSync(
      join(dataDir, 'last-backup.json'),
      JSON.stringify({ at: new Date(nowMs).toISOString(), file }),
    )
    expect(found(1, folder).french).toContain('il y a 1\u00a0jour (')
    expect(found(3, folder)).toMatchObject({ isGood: false })
    expect(found(3).isGood).toBe(true)
    expect(found(40).english).toContain('40 days old')
    expect(found(0, join(folder, 'unplugged')).english).toContain('connect its disk')
    rmSync(file)
    expect(found(0, folder).english).toContain('is gone')
  })

  it('reports a data folder that is not a folder', async () => {
    const file = join(folder, 'file')
    writeFileSync(file, '')
    const wrong = await run('doctor.ts', { ESCALE_DATA_DIR: file })
    expect(wrong).toMatchObject({ code: 1 })
    expect(wrong.stdout).toContain('is not a folder')
  })

  it('prints everything in French and English, and exits with 1 when something is wrong', async () => {
    const holder = createServer()
    await once(holder.listen(0, '127.0.0.1'), 'listening')
    const { port } = holder.address() as AddressInfo
    const free = {
      ESCALE_HTTP_PORT: '0',
      ESCALE_HTTPS_PORT: '0',
      ESCALE_MQTT_PORT: '0',
      ESCALE_MQTTS_PORT: '0',
    }
    const env = { ...free, ESCALE_DATA_DIR: join(folder, 'new'), ESCALE_MQTTS_PORT: String(port) }
    const wrong = await run('doctor.ts', env)
    expect(wrong).toMatchObject({ code: 1 })
    expect(wrong.stdout).toContain(`✗ Le port ${port} est pris par`)
    expect(wrong.stdout).toContain(`  Port ${port} is taken by`)
    expect(wrong.stdout).toContain('The server is not running')
    await once(holder.close(), 'close')
  })
})

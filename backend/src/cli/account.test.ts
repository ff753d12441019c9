import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startTestApp, type TestApp } from '../testing/app.ts'

const script = fileURLToPath(new URL('account.ts', import.meta.url))
vi.setConfig({ testTimeout: 180_000, hookTimeout: 30_000 })

let test: TestApp
beforeAll(async () => {
  test = await startTestApp()
})
afterAll(() => test.stop())

interface Said {
  stdout: string
  stderr: string
  code?: number
}
const account = (...args: string[]): Promise<Said> =>
  promisify(execFile)(process.execPath, [script, ...args], {
    env: { ...process.env, ESCALE_DATA_DIR: test.folder, DATABASE_URL: test.databaseUrl },
  }).catch((err: unknown) => err as Said)
/** The secret, which is on its own line. */
const secretIn = ({ stdout }: Said) => /^ {2}(\S{43})$/m.exec(stdout)?.[1] ?? ''

describe('npm run account', () => {
  it('creates, lists, renews, disables and deletes accounts; a running server disconnects them', async () => {
    const created = await account('create', 'node-red', 'operator', 'Automatisations', 'du', 'lieu')
    expect(created.stdout).toContain('mosquitto_sub')
    const { client } = await test.mqtt('node-red', secretIn(created))
    expect((await account('list')).stdout).toMatch(/^node-red +operator +actif.*Automatisations du lieu$/m)

    const cut = new Promise<void>((resolve) => client.once('close', resolve))
    const renewed = await account('renew', 'node-red')
    await cut
    await expect(test.mqtt('node-red', secretIn(created))).rejects.toMatchObject({ code: 4 })

    const { client: again } = await test.mqtt('node-red', secretIn(renewed))
    const cutAgain = new Promise<void>((resolve) => again.once('close', resolve))
    expect((await account('disable', 'node-red')).stdout).toContain('coupé')
    await cutAgain
    await account('enable', 'node-red')
    await account('delete', 'node-red')
    expect((await account('list')).stdout).toContain('Aucun compte')
    expect((await test.journal('actor=system')).map(({ action }) => action)).toEqual(
      expect.arrayContaining(['account.created', 'account.secret_renewed', 'account.deleted']),
    )
  })

  it('creates an account for boot tokens that cannot connect to the bus', async () => {
    const created = await account('create', 'amorcage', 'netboot')
    expect(created.stdout).not.toContain('mosquitto_sub')
    expect((await account('list')).stdout).toMatch(/^amorcage +netboot /m)
    await expect(test.mqtt('amorcage', secretIn(created))).rejects.toMatchObject({ code: 4 })
    await account('delete', 'amorcage')
  })

  it('prints no control characters of a label', async () => {
    const orders = '\u001b]0;x\u0007\u001b[2J\u009b31m\nroot \u202egnp.exe\u2066\u200b'
    expect(await account('create', 'laid', 'operator', orders)).toMatchObject({ code: 2 })
    await account('create', 'laid', 'operator', 'Beau')
    // As it was stored before such labels were refused.
    await test.db.models.accounts.update({ label: orders }, { where: { id: 'laid' } })
    const { stdout } = await account('list')
    expect(stdout).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u)
    expect(stdout).toContain('\\u{1b}[2J')
    await account('delete', 'laid')
  })

  it('prints its usage and its errors in both languages', async () => {
    expect((await account()).stdout).toContain('npm run account create')
    for (const words of [['make'], ['delete'], ['create', 'X Y', 'operator'], ['create', 'x', 'boss']])
      expect(await account(...words), words.join(' ')).toMatchObject({ code: 2 })
    const missing = await account('renew', 'nobody')
    expect(missing).toMatchObject({ code: 1, stdout: '' })
    expect(missing.stderr).toMatch(/Aucun compte «.nobody.».*npm run account list.*\nNo account “nobody”/)
    expect((await account('create', 'operator', 'viewer')).stderr).toContain('This name is reserved.')
  })
})

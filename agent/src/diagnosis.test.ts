import { mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { examine } from './diagnosis.ts'
import { readSettings } from './settings.ts'

it('an unreadable identity is reported as an error, not as a station that is not enrolled yet', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'escale-diagnosis-'))
  await mkdir(join(dataDir, 'identity.json'))
  const args = ['doctor', '--data-dir', dataDir, '--server', 'http://127.0.0.1:9']
  const { settings } = readSettings(args, { env: {}, platform: 'linux', isRoot: true })
  const findings = await examine({ ...settings, searchPath: '', isRoot: true })
  const data = findings.find(({ what }) => what.includes(dataDir))
  expect(data).toMatchObject({ isGood: false, what: expect.stringContaining('EISDIR') as string })
  expect(findings.map(({ what }) => what).join()).not.toContain('not enrolled')
})

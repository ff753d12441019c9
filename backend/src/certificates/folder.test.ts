import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createCertificateFolder, daysLeft } from './folder.ts'
import { issueAuthority, issueServerCertificate } from './issue.ts'
import type { Names } from './names.ts'
import { isValidFor } from './names.ts'
import { certificatesIn, fingerprintOf, keyIn } from './pem.ts'
import { checkSiteOwn } from './site-own.ts'

const DAY_MS = 86_400_000
const nowMs = Date.parse('2026-03-01T09:00:00Z')
const names: Names = {
  machine: 'accueil',
  given: [],
  required: ['localhost', '127.0.0.1', 'accueil'],
  more: ['::1'],
}
const dataDir = mkdtempSync(join(tmpdir(), 'escale-certificates-'))
afterEach(() => rmSync(join(dataDir, 'certificates'), { recursive: true, force: true }))

const folderAt = (atMs = nowMs, wanted: Names = names) =>
  createCertificateFolder(dataDir, wanted, { nowMs: () => atMs })
const file = (name: string) => join(dataDir, 'certificates', name)

describe('the certificate folder', () => {
  it('creates an authority and a certificate for all names once, with keys that only the server’s user can read', async () => {
    const made = await folderAt().ensure()
    for (const name of ['localhost', '127.0.0.1', 'accueil', '::1'])
      expect(isValidFor(made.leaf, name)).toBe(true)
    expect(isValidFor(made.leaf, 'ailleurs')).toBe(false)
    expect(statSync(file('authority.pem')).mode & 0o777).toBe(0o600)
    expect(statSync(file('server.pem')).mode & 0o777).toBe(0o600)
    expect(readFileSync(file('ca.pem'), 'utf8')).toBe(made.authority)
    expect(keyIn(readFileSync(file('ca.pem'), 'utf8'))).toBeUndefined()

    expect((await folderAt().ensure()).leaf.fingerprint256).toBe(made.leaf.fingerprint256)
  })

  it('renews with the same authority a certificate that expires soon, lacks a name or is damaged', async () => {
    const made = await folderAt().ensure()
    const late = nowMs + (daysLeft(made.leaf, nowMs) - 29) * DAY_MS
    const renewed = await folderAt(late).ensure()
    expect(daysLeft(renewed.leaf, late)).toBeGreaterThan(300)

    const moved = { ...names, required: [...names.required, 'escale.ville.fr'] }
    expect(isValidFor((await folderAt(nowMs, moved).ensure()).leaf, 'escale.ville.fr')).toBe(true)

    writeFileSync(file('server.pem'), 'half a fi')
    const mended = await folderAt().ensure()
    expect(mended.authority).toBe(made.authority)
  })

  it('gives two servers that start at the same time the same authority', async () => {
    const [one, other] = await Promise.all([folderAt().ensure(), folderAt().ensure()])
    expect(one.authority).toBe(other.authority)
  })

  it('uses the site’s own certificate without changing it, and its own one again when that is removed', async () => {
    const ours = await folderAt().ensure()
    const authority = await issueAuthority('mairie', nowMs)
    const own = await issueServerCertificate(authority, ['escale.ville.fr'], nowMs)
    const folder = folderAt(nowMs + 390 * DAY_MS)
    folder.useSiteOwn(own)
    const taken = await folder.ensure()
    expect(isValidFor(taken.leaf, 'escale.ville.fr')).toBe(true)
    expect(fingerprintOf(readFileSync(file('ca.pem'), 'utf8'))).toBe(fingerprintOf(taken.authority ?? ''))

    folder.dropSiteOwn()
    expect((await folderAt().ensure()).leaf.fingerprint256).toBe(ours.leaf.fingerprint256)
    expect(readFileSync(file('ca.pem'), 'utf8')).toBe(ours.authority)
  })
})

describe('a site’s own certificate', async () => {
  const authority = await issueAuthority('mairie', nowMs)
  const own = await issueServerCertificate(authority, ['escale.ville.fr'], nowMs)
  const other = await issueServerCertificate(await issueAuthority('autre', nowMs), ['escale.ville.fr'], nowMs)
  const [leaf = '', root = ''] = certificatesIn(own).map(String)
  const key = keyIn(own) ?? ''

  it('is used with its chain and its authority', () => {
    expect(certificatesIn(checkSiteOwn(leaf, key, root, nowMs))).toHaveLength(2)
    expect(certificatesIn(checkSiteOwn(leaf + root, key, root, nowMs))).toHaveLength(2)
    expect(certificatesIn(checkSiteOwn(leaf, key, undefined, nowMs))).toHaveLength(1)
  })

  it.each([
    ['a file without a certificate', key, key, undefined, 'PEM certificate'],
    ['a key of another certificate', leaf, keyIn(other), undefined, 'do not belong together'],
    ['a key that cannot be read', leaf, leaf, undefined, 'private key'],
    ['an authority in the place of a server', root, keyIn(authority), undefined, 'names no address'],
    ['an authority that does not sign itself', leaf, key, leaf, 'root authority'],
    ['an authority of somebody else', leaf, key, String(certificatesIn(other)[1]), 'chain is broken'],
  ])('is refused with %s', (_what, cert, ownKey, ca, reason) => {
    expect(() => checkSiteOwn(cert, ownKey ?? '', ca, nowMs)).toThrow(reason)
  })

  it('is refused when it has expired', () => {
    expect(() => checkSiteOwn(leaf, key, root, nowMs + 400 * DAY_MS)).toThrow('ended')
  })
})

import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { existsSync, globSync, lstatSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ownTarget } from '../support/agent-binary.ts'
import { spawned } from '../support/spawned.ts'
import manifest from '../../agent/package.json' with { type: 'json' }

const run = promisify(execFile)
const BUILD_LIMIT_MS = 300_000
const UNIT = 'escale-agent.service'
const CONFIG = 'etc/escale/agent.json'
const IDENTITY = 'var/lib/escale-agent/identity.json'

const has = (program: string) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)))
const missing = ['dpkg', 'dpkg-deb', 'systemd-analyze'].filter((program) => !has(program))

let folder: string
/** The package with the real binary. */
let path: string

async function buildPackage(outDir: string, binary?: string): Promise<{ path: string; sha256: string }> {
  const program = binary === undefined ? [] : ['--binary', binary]
  const build = spawned(process.execPath, ['agent/build/deb.ts', '--out-dir', outDir, ...program])
  const [, built = '', sha256 = ''] = await build.waitFor(/^(\S+\.deb) {2}([0-9a-f]{64})$/m, BUILD_LIMIT_MS)
  await build.ended
  return { path: built, sha256 }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'escale-package-'))
  if (missing.length === 0 && ownTarget?.platform === 'linux') path = (await buildPackage(folder)).path
}, BUILD_LIMIT_MS)
afterAll(() => rm(folder, { recursive: true }))
beforeEach((context) => {
  context.skip(missing.length > 0, `not on this machine: ${missing.join(', ')}`)
  context.skip(ownTarget?.platform !== 'linux', 'there is no Linux binary for this machine')
})

const modeOf = async (file: string) => ((await stat(file)).mode & 0o777).toString(8)

describe('the Debian package of the agent', () => {
  it('has the same bytes when it is built again', async () => {
    const standIn = join(folder, 'stand-in')
    await writeFile(standIn, '#!/bin/sh\necho "this stands in for the agent"\n')
    const first = await buildPackage(join(folder, 'first'), standIn)
    const second = await buildPackage(join(folder, 'second'), standIn)
    expect(second.sha256).toBe(first.sha256)
  })

  it('holds the binary, the unit and the settings, and only root reads settings and identity', async () => {
    const tree = join(folder, 'tree')
    await run('dpkg-deb', ['--extract', path, tree])
    const { stdout } = await run(join(tree, 'usr/bin/escale-agent'), ['version'])
    expect(stdout.trim()).toBe(manifest.version)
    const modes = [CONFIG, 'etc/escale', 'var/lib/escale-agent', 'usr/bin/escale-agent', 'usr/lib']
    expect(await Promise.all(modes.map((place) => modeOf(join(tree, place))))).toEqual([
      ...['600', '700', '700', '755', '755'],
    ])
    const { stdout: conffiles } = await run('dpkg-deb', ['--info', path, 'conffiles'])
    expect(conffiles).toBe(`/${CONFIG}\n/etc/pam.d/escale-seat\n`)
    const { stdout: listing } = await run('dpkg-deb', ['--contents', path])
    expect(
      listing
        .trim()
        .split('\n')
        .filter((line) => !line.includes(' root/root ')),
    ).toEqual([])
  })

  it('holds each program that its units start', async () => {
    const tree = join(folder, 'units')
    await run('dpkg-deb', ['--extract', path, tree])
    const units = globSync('usr/lib/systemd/system/*.service', { cwd: tree })
    const texts = await Promise.all(units.map((unit) => readFile(join(tree, unit), 'utf8')))
    const programs = texts.flatMap((text) => /^ExecStart=(\S*escale-agent\S*)/m.exec(text)?.[1] ?? [])
    expect(programs).toHaveLength(3)
    for (const program of programs) expect(await modeOf(join(tree, program)), program).toBe('755')
  })

  it('has a unit that systemd accepts, with an exposure under 3.0', async () => {
    const tree = join(folder, 'verified')
    await run('dpkg-deb', ['--extract', path, tree])
    const unit = join(tree, 'usr/lib/systemd/system', UNIT)
    // Checked among this machine's units, so with the path that its program has here.
    const here = join(folder, UNIT)
    const text = await readFile(unit, 'utf8')
    await writeFile(here, text.replace('/usr/bin/escale-agent', join(tree, 'usr/bin/escale-agent')))
    const { stderr } = await run('systemd-analyze', ['verify', '--man=no', here])
    expect(stderr.split('\n').filter((line) => line.includes(UNIT))).toEqual([])
    // It exits with an error above the threshold, which is in tenths.
    await run('systemd-analyze', ['security', '--offline=yes', '--threshold=30', unit])
  })
})

describe('dpkg with the package of the agent', () => {
  let root: string
  const at = (place: string) => join(root, place)
  const dpkg = (...args: string[]) =>
    run('dpkg', [
      `--root=${root}`,
      `--log=${at('dpkg.log')}`,
      '--force-not-root,depends,script-chrootless,bad-path,confold',
      ...args,
    ])
  /** The link leads to the unit's place on the station, which is elsewhere here. */
  const isEnabled = () => {
    const link = at(`etc/systemd/system/multi-user.target.wants/${UNIT}`)
    return lstatSync(link, { throwIfNoEntry: false }) !== undefined
  }

  beforeAll(async () => {
    root = await mkdtemp(join(folder, 'root-'))
    for (const place of ['var/lib/dpkg/info', 'var/lib/dpkg/updates'])
      await mkdir(at(place), { recursive: true })
    await writeFile(at('var/lib/dpkg/status'), '')
  })

  const isRoot = process.getuid?.() === 0
  it.runIf(isRoot)('installs, upgrades, removes and purges it as it should', async () => {
    const { stdout } = await dpkg('--install', path)
    expect(stdout).toMatch(/Réglez .*agent\.json[^]*Fill in .*agent\.json/)
    expect(JSON.parse(await readFile(at(CONFIG), 'utf8'))).toMatchObject({ server: '' })
    expect([await modeOf(at(CONFIG)), await modeOf(at('var/lib/escale-agent'))]).toEqual(['600', '700'])
    expect(isEnabled()).toBe(true)

    await writeFile(at(CONFIG), '{"server": "https://serveur:3443"}')
    await writeFile(at(IDENTITY), 'identity', { mode: 0o600 })
    await dpkg('--install', path)
    expect(await readFile(at(CONFIG), 'utf8')).toContain('https://serveur:3443')
    expect(await readFile(at(IDENTITY), 'utf8')).toBe('identity')

    await dpkg('--remove', 'escale-agent')
    expect(existsSync(at('usr/bin/escale-agent'))).toBe(false)
    expect(await readFile(at(IDENTITY), 'utf8')).toBe('identity')

    await dpkg('--purge', 'escale-agent')
    for (const place of ['etc/escale', 'var/lib/escale-agent'])
      expect(existsSync(at(place)), place).toBe(false)
    expect(isEnabled()).toBe(false)
  })
})

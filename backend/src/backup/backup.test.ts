import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  watch,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openDataFolder } from '../setup/data-folder.ts'
import { lockFolder } from '../setup/site-lock.ts'
import { startTestApp, type TestApp } from '../testing/app.ts'
import { readArchive, writeArchive } from './archive.ts'
import { BEFORE_RESTORE, RESTORING } from './folder-contents.ts'
import { FORMAT } from './manifest.ts'
import { createNightlyBackup } from './nightly.ts'
import { finishRestore, restoreBackup } from './restore.ts'
import { writeBackup } from './write.ts'

let test: TestApp
let place: string
/** A backup of the site that the tests share. */
let good: string

beforeAll(async () => {
  test = await startTestApp()
  openDataFolder(test.folder, { hasSite: false }).settle()
  mkdirSync(join(test.folder, 'photos'), { recursive: true })
  writeFileSync(join(test.folder, 'photos', 'a.jpg'), 'a photo')
  writeFileSync(join(test.folder, 'photos', 'b.jpg.part'), 'half a photo')
  await test.createUser({ lastName: 'Avant' })
  good = join(mkdtempSync(join(tmpdir(), 'escale-good-')), 'good.tar.gz')
  await backUp(good)
})
afterAll(async () => {
  await test.stop()
  rmSync(join(good, '..'), { recursive: true })
})
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'escale-backup-'))
})
afterEach(() => rmSync(place, { recursive: true, force: true }))

const backUp = (file: string) => writeBackup({ dataDir: test.folder, databaseUrl: test.databaseUrl, file })
const namesIn = (database: string) => {
  const opened = new DatabaseSync(database)
  const names = opened.prepare('SELECT last_name FROM users').all()
  opened.close()
  return names.map((row) => String(row['last_name']))
}
/** All files below a folder, as path and content. */
function contentsOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()
  const plain = files.filter((path) => statSync(join(folder, path)).isFile() && !path.startsWith('server.'))
  return Object.fromEntries(plain.map((path) => [path, readFileSync(join(folder, path), 'base64')]))
}
const usedFolder = (name: string) => {
  const folder = join(place, name)
  mkdirSync(join(folder, 'keys'), { recursive: true })
  writeFileSync(join(folder, 'keys', 'code'), 'old')
  writeFileSync(join(folder, 'escale.sqlite'), 'old')
  writeFileSync(join(folder, 'escale.sqlite-wal'), 'old')
  return folder
}

describe('a backup', () => {
  it('made during writes can be opened and contains every write that was answered before (30 times)', async () => {
    const answered: string[] = []
    const aborter = new AbortController()
    const writer = (async () => {
      for (let turn = 0; !aborter.signal.aborted; turn += 1) {
        await test.createUser({ lastName: `Visiteur-${turn}` })
        answered.push(`Visiteur-${turn}`)
      }
    })()
    for (let round = 0; round < 30; round += 1) {
      const before = [...answered]
      const file = join(place, `${round}.tar.gz`)
      const copy = join(place, `${round}.sqlite`)
      const { journal } = await backUp(file)
      expect(journal?.isWhole).toBe(true)
      await readArchive(file, (path) => (path === 'escale.sqlite' ? open(copy, 'wx') : undefined))
      expect(namesIn(copy)).toEqual(expect.arrayContaining(before))
    }
    aborter.abort()
    await writer
    expect(answered.length).toBeGreaterThan(30)
  })

  it('can be read only by its owner, and contains keys and photos but no temporary files', async () => {
    expect(statSync(good).mode & 0o777).toBe(0o600)
    const paths: string[] = []
    await readArchive(good, (path) => void paths.push(path))
    expect(paths.toSorted()).toEqual([
      'escale.sqlite',
      'keys/code',
      'keys/site',
      'keys/token',
      'photos/a.jpg',
    ])
  })

  it('never overwrites a file, and is refused inside the data folder', async () => {
    await expect(backUp(good)).rejects.toThrow(/existe déjà.*\n.*exists already/)
    await expect(backUp(join(test.folder, 'b.tar.gz'))).rejects.toThrow(/se perdrait avec lui/)
    await expect(backUp(join(place, 'none', 'b.tar.gz'))).rejects.toThrow(/ne peut être écrite/)
    expect(readdirSync(place)).toEqual([])
  })
})

describe('a restore', () => {
  it('fills an empty folder with all data of the site', async () => {
    const folder = join(place, 'new')
    mkdirSync(folder)
    const { kept, manifest } = await restoreBackup(folder, good, false)
    expect(kept).toBeUndefined()
    expect(manifest.journal?.count).toBeGreaterThan(0)
    expect(readFileSync(join(folder, 'keys', 'code'))).toEqual(
      readFileSync(join(test.folder, 'keys', 'code')),
    )
    expect(readFileSync(join(folder, 'photos', 'a.jpg'), 'utf8')).toBe('a photo')
    expect(namesIn(join(folder, 'escale.sqlite'))).toContain('Avant')
    expect(statSync(join(folder, 'keys', 'code')).mode & 0o777).toBe(0o600)
  })

  it('keeps the previous files under a dated name, including the write-ahead log', async () => {
    const folder = usedFolder('used')
    const { kept } = await restoreBackup(folder, good, false)
    expect(kept).toContain(BEFORE_RESTORE)
    expect(readFileSync(join(kept ?? '', 'escale.sqlite-wal'), 'utf8')).toBe('old')
    expect(existsSync(join(folder, 'escale.sqlite-wal'))).toBe(false)
    expect(namesIn(join(folder, 'escale.sqlite'))).toContain('Avant')
  })

  it('refuses an incomplete backup, wherever it was cut, and changes nothing', async () => {
    const folder = usedFolder('used')
    const before = contentsOf(folder)
    const refused = async (file: string) => {
      await expect(restoreBackup(folder, file, false)).rejects.toThrow(/autre sauvegarde|prenez-en une autre/)
      expect(contentsOf(folder)).toEqual(before)
    }
    const size = statSync(good).size
    for (const part of [0, 0.01, 0.3, 0.6, 0.9, 0.999]) {
      const cut = join(place, `${part}.tar.gz`)
      appendFileSync(cut, readFileSync(good))
      truncateSync(cut, Math.floor(size * part))
      await refused(cut)
    }
    const altered = readFileSync(good)
    altered[Math.floor(size / 2)]! ^= 1
    writeFileSync(join(place, 'altered.tar.gz'), altered)
    await refused(join(place, 'altered.tar.gz'))
    writeFileSync(join(place, 'text'), 'this is no archive')
    await refused(join(place, 'text'))
  })

  it.each([
    ['a later format', { format: FORMAT + 1, release: '9.8.7' }, /plus récente \(9\.8\.7\)/],
    ['another engine', { format: FORMAT, database: 'postgres' as const }, /pg_restore/],
  ])('refuses %s with an explanation', async (_, fields, sentence) => {
    const file = join(place, 'other.tar.gz')
    const manifest = { release: '0.1.0', createdAt: '2026-01-01T00:00:00.000Z', database: 'sqlite' as const }
    await writeArchive(file, [], (files) => ({ ...manifest, files, ...fields }))
    const folder = usedFolder('used')
    await expect(restoreBackup(folder, file, false)).rejects.toThrow(sentence)
    expect(readFileSync(join(folder, 'escale.sqlite'), 'utf8')).toBe('old')
  })

  it('refuses the database of a later release, and one that is damaged', async () => {
    const copy = join(place, 'copy.sqlite')
    await readArchive(good, (path) => (path === 'escale.sqlite' ? open(copy, 'wx') : undefined))
    const opened = new DatabaseSync(copy)
    opened.exec("INSERT INTO schema_migrations (name) VALUES ('9999-later')")
    opened.close()
    const manifest = {
      format: FORMAT,
      release: '0.1.0',
      createdAt: '2026-01-01',
      database: 'sqlite' as const,
    }
    const make = async (name: string) => {
      const file = join(place, name)
      await writeArchive(file, [{ path: 'escale.sqlite', from: copy }], (files) => ({ ...manifest, files }))
      return file
    }
    const folder = usedFolder('used')
    await expect(restoreBackup(folder, await make('later'), false)).rejects.toThrow(/9999-later/)
    writeFileSync(copy, readFileSync(copy).fill(0xff, 8_192, 60_000))
    await expect(restoreBackup(folder, await make('damaged'), false)).rejects.toThrow(/abîmée|SQLITE/)
    expect(readFileSync(join(folder, 'escale.sqlite'), 'utf8')).toBe('old')
  })

  it('that was interrupted while it moved files continues where it stopped', async () => {
    const whole = join(place, 'whole')
    mkdirSync(whole)
    await restoreBackup(whole, good, false)
    const wanted = contentsOf(whole)
    const folder = usedFolder('used')
    const ready = join(folder, RESTORING.ready)
    mkdirSync(ready)
    await readArchive(good, (path) => {
      mkdirSync(join(ready, path, '..'), { recursive: true })
      return open(join(ready, path), 'wx')
    })
    // The old files had been moved away, and a part of the new ones had been moved in.
    const kept = join(folder, `${BEFORE_RESTORE}x`)
    mkdirSync(kept)
    for (const name of ['keys', 'escale.sqlite', 'escale.sqlite-wal'])
      renameSync(join(folder, name), join(kept, name))
    renameSync(ready, join(folder, RESTORING.moving))
    renameSync(join(folder, RESTORING.moving, 'keys'), join(folder, 'keys'))
    finishRestore(folder)
    rmSync(kept, { recursive: true })
    expect(contentsOf(folder)).toEqual(wanted)
  })
})

describe('the commands', () => {
  const start = (name: 'backup' | 'restore', dataDir: string, file: string) => {
    const script = fileURLToPath(new URL(`../cli/${name}.ts`, import.meta.url))
    const env = { ...process.env, DATABASE_URL: '', ESCALE_DATA_DIR: dataDir }
    const child = spawn(process.execPath, [script, file], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (said += text))
    const ended = once(child, 'close').then(([code]) => ({ code: code as number, said }))
    return { child, ended }
  }
  /** Resolves once a folder has an entry of this name. */
  async function appears(folder: string, name: string): Promise<void> {
    const watcher = watch(folder)
    while (!existsSync(join(folder, name))) await once(watcher, 'change')
    watcher.close()
  }
  const big = () => {
    const folder = join(place, 'big')
    mkdirSync(join(folder, 'photos'), { recursive: true })
    for (let i = 0; i < 40; i += 1)
      writeFileSync(join(folder, 'photos', `${i}.jpg`), Buffer.alloc(1_000_000, `photo ${i}`))
    writeFileSync(join(folder, 'escale.sqlite'), '')
    return folder
  }

  it('back up a site and restore it', async () => {
    const file = join(place, 'b.tar.gz')
    expect(await start('backup', test.folder, file).ended).toMatchObject({
      code: 0,
      said: expect.stringMatching(/relus et vérifiés · .*read back and checked\nJournal intact/) as string,
    })
    const last = JSON.parse(readFileSync(join(test.folder, 'last-backup.json'), 'utf8')) as { file: string }
    expect(last.file).toBe(file)
    expect(await start('restore', join(place, 'new'), file).ended).toMatchObject({ code: 0 })
  })

  it('do not restore while the server is running', async () => {
    const folder = usedFolder('used')
    const lock = await lockFolder(folder, 'alone', 0)
    const { code, said } = await start('restore', folder, good).ended
    expect(code).toBe(1)
    expect(said).toMatch(/^Un serveur tourne déjà.*\nA server already runs/)
    await lock?.release()
  })

  it('leave no incomplete file when Ctrl-C ends a backup', async () => {
    const { child, ended } = start('backup', big(), join(place, 'b.tar.gz'))
    await appears(place, 'b.tar.gz.part-files')
    child.kill('SIGINT')
    expect((await ended).code).toBe(130)
    expect(readdirSync(place)).toEqual(['big'])
  })

  it('leave the folder as it was when Ctrl-C ends a restore', async () => {
    const file = join(place, 'b.tar.gz')
    const photos = Array.from({ length: 40 }, (_, i) => ({
      path: `photos/${i}.jpg`,
      from: join(big(), 'photos', `${i}.jpg`),
    }))
    const manifest = {
      format: FORMAT,
      release: '0.1.0',
      createdAt: '2026-01-01',
      database: 'sqlite' as const,
    }
    await writeArchive(file, photos, (files) => ({ ...manifest, files }))
    const folder = usedFolder('used')
    const before = contentsOf(folder)
    const { child, ended } = start('restore', folder, file)
    await appears(folder, RESTORING.reading)
    child.kill('SIGINT')
    expect((await ended).code).toBe(130)
    expect(contentsOf(folder)).toEqual(before)
    expect(existsSync(join(folder, RESTORING.reading))).toBe(false)
  })
})

describe('the nightly backup', () => {
  it('keeps the configured number of files, and removes incomplete ones', async () => {
    const command = join(place, 'command.mjs')
    writeFileSync(
      command,
      "import fs from 'node:fs'; fs.writeFileSync(process.argv[2], ''); console.log('made')",
    )
    const dir = join(place, 'backups')
    mkdirSync(dir)
    writeFileSync(join(dir, 'escale-20260101T020000Z.tar.gz.part'), '')
    writeFileSync(join(dir, 'notes.txt'), '')
    const nightly = createNightlyBackup({ dir, keep: 3, command })
    for (let night = 1; night <= 5; night += 1)
      expect(await nightly.run(Date.parse(`2026-03-0${night}T01:00:00Z`))).toBe('made')
    expect(readdirSync(dir).toSorted()).toEqual([
      'escale-20260303T010000Z.tar.gz',
      'escale-20260304T010000Z.tar.gz',
      'escale-20260305T010000Z.tar.gz',
      'notes.txt',
    ])
  })

  it('reports what is wrong, and creates no folder when the disk is not mounted', async () => {
    const dir = join(place, 'unplugged')
    await expect(createNightlyBackup({ dir, keep: 3 }).run(0)).rejects.toThrow(/branchez son disque/)
    expect(existsSync(dir)).toBe(false)
    const command = join(place, 'command.mjs')
    writeFileSync(command, "console.error('plus de place'); process.exit(1)")
    mkdirSync(dir)
    await expect(createNightlyBackup({ dir, keep: 3, command }).run(0)).rejects.toThrow('plus de place')
  })
})

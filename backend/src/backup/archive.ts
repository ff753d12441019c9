import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { posix } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { extract, pack, type Pack } from 'tar-stream'
import { Check } from 'typebox/value'
import { SetupError } from '../errors.ts'
import { fileFaultOf } from './file-fault.ts'
import { FORMAT, MANIFEST_NAME, Manifest, type ManifestFile } from './manifest.ts'

const MAX_MANIFEST_BYTES = 64 * 1024 * 1024

/** A file to back up: its name in the backup, and where it is now. */
export interface Source {
  path: string
  from: string
}

/**
 * Writes a compressed tar file: first the files, then a manifest with the hash of each. Files that are removed
 * meanwhile are left out.
 */
export async function writeArchive(
  file: string,
  sources: readonly Source[],
  describe: (files: ManifestFile[]) => Manifest,
): Promise<Manifest> {
  const archive = pack()
  const written = pipeline(archive, createGzip(), createWriteStream(file, { mode: 0o600, flush: true }))
  const fill = async () => {
    const files: ManifestFile[] = []
    for (const source of sources) {
      const added = await addFile(archive, source)
      if (added) files.push(added)
    }
    const manifest = describe(files)
    archive.entry({ name: MANIFEST_NAME, mode: 0o600 }, JSON.stringify(manifest, undefined, 1))
    archive.finalize()
    return manifest
  }
  const filled = fill().catch((err: unknown) => {
    archive.destroy(err as Error)
    throw err
  })
  const [manifest] = await Promise.all([filled, written])
  return manifest
}

async function addFile(archive: Pack, { path, from }: Source): Promise<ManifestFile | undefined> {
  const handle = await open(from).catch((err: unknown) => {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw err
  })
  if (!handle) return undefined
  try {
    const { size, mtime } = await handle.stat()
    const header = { name: path, size, mode: 0o600, mtime }
    const hash = createHash('sha256')
    if (size === 0) archive.entry(header, '')
    else {
      const content = handle.createReadStream({ end: size - 1, autoClose: false })
      content.on('data', (chunk) => hash.update(chunk))
      await pipeline(content, archive.entry(header))
    }
    return { path, size, sha256: hash.digest('hex') }
  } finally {
    await handle.close()
  }
}

/**
 * Reads a whole backup, and compares each file with the manifest.
 * @param open opens the file to unpack to; undefined to read without unpacking
 * @throws SetupError when the file is no backup, is incomplete, was altered, or comes from a later release
 */
export async function readArchive(
  file: string,
  open: (path: string) => Promise<FileHandle> | undefined,
): Promise<Manifest> {
  const found = new Map<string, Omit<ManifestFile, 'path'>>()
  let manifest: Manifest | undefined
  const reader = extract()
  const source = createReadStream(file)
  const unpacking = pipeline(source, createGunzip(), reader)
  // The loop below throws the same error.
  unpacking.catch(() => undefined)
  try {
    for await (const entry of reader) {
      const { name, type } = entry.header
      if (name === MANIFEST_NAME) manifest = parseManifest(file, await textOf(entry))
      else {
        if (type !== 'file' || !isPlainPath(name)) throw altered(file, name)
        found.set(name, await unpack(entry, open(name)))
      }
    }
    await unpacking
  } catch (err) {
    source.destroy()
    throw err instanceof SetupError || fileFaultOf(err) ? err : unreadable(file, err)
  }
  if (!manifest) throw unreadable(file)
  requireSame(file, manifest, found)
  return manifest
}

async function unpack(
  content: AsyncIterable<unknown>,
  opening: Promise<FileHandle> | undefined,
): Promise<Omit<ManifestFile, 'path'>> {
  const handle = await opening
  const hash = createHash('sha256')
  let size = 0
  try {
    for await (const chunk of content as AsyncIterable<Buffer>) {
      hash.update(chunk)
      size += chunk.length
      await handle?.writeFile(chunk)
    }
    await handle?.sync()
  } finally {
    await handle?.close()
  }
  return { size, sha256: hash.digest('hex') }
}

async function textOf(content: AsyncIterable<unknown>): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of content as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_MANIFEST_BYTES) throw new Error('the manifest is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Whether a path cannot lead out of the folder that it is unpacked to. */
function isPlainPath(path: string): boolean {
  return (
    !/[\\:\0]/.test(path) && posix.normalize(path) === path && !/^(\/|\.\.(\/|$))/.test(path) && path !== '.'
  )
}

function parseManifest(file: string, text: string): Manifest {
  const value = JSON.parse(text) as { format?: unknown; release?: unknown }
  if (typeof value.format === 'number' && value.format > FORMAT) {
    const release = String(value.release)
    throw new SetupError(
      `${file} a été écrit par une version d’Escale plus récente (${release})\u00a0: restaurez-le avec elle.`,
      `${file} was written by a later release of Escale (${release}): restore it with that one.`,
    )
  }
  if (Check(Manifest, value)) return value
  throw unreadable(file)
}

function requireSame(
  file: string,
  { files }: Manifest,
  found: Map<string, Omit<ManifestFile, 'path'>>,
): void {
  for (const { path, size, sha256 } of files) {
    const one = found.get(path)
    if (one?.size !== size || one.sha256 !== sha256) throw altered(file, path)
    found.delete(path)
  }
  const [unexpected] = found.keys()
  if (unexpected !== undefined) throw altered(file, unexpected)
}

function unreadable(file: string, cause?: unknown): SetupError {
  return new SetupError(
    `${file} n’est pas une sauvegarde d’Escale, ou elle n’est pas entière\u00a0: prenez-en une autre.`,
    `${file} is no backup of Escale, or it is not whole: take another.`,
    cause,
  )
}

function altered(file: string, path: string): SetupError {
  return new SetupError(
    `${file} est abîmé ou a été modifié (${path})\u00a0: prenez une autre sauvegarde.`,
    `${file} is damaged or was altered (${path}): take another backup.`,
  )
}

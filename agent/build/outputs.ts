import { copyFile, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { sha256Of } from './bases.ts'

/** The file beside a binary that says from which inputs it was built. */
const stampOf = (path: string) => join(dirname(path), `.${basename(path)}.inputs`)

export interface Output {
  path: string
  bytes: number
  sha256: string
}

/** The binary at `path`, if it is whole and was built from these inputs. */
export async function findOutput(path: string, inputs: string): Promise<Output | undefined> {
  const stamp = await readFile(stampOf(path), 'utf8').catch(() => '')
  const [builtFrom, sha256] = stamp.split(' ')
  if (builtFrom !== inputs || sha256 === undefined) return undefined
  const found = await sha256Of(path).catch(() => undefined)
  return found === sha256 ? { path, sha256, bytes: (await stat(path)).size } : undefined
}

/** Copies a new binary to its place, with its `.sha256` (as `sha256sum --check` reads it) beside it. */
export async function keepOutput(packed: string, path: string, inputs: string): Promise<Output> {
  await mkdir(dirname(path), { recursive: true })
  const fresh = `${path}.${process.pid}`
  await copyFile(packed, fresh)
  await rename(fresh, path)
  const sha256 = await sha256Of(path)
  await writeFile(`${path}.sha256`, `${sha256}  ${basename(path)}\n`)
  await writeFile(stampOf(path), `${inputs} ${sha256}`)
  return { path, sha256, bytes: (await stat(path)).size }
}

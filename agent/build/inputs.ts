import { createHash } from 'node:crypto'
import { globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ASSET_PREFIX } from '../src/screen/page.ts'
import { sha256Of, type Base } from './bases.ts'
import { nodeFlagsFor } from './node-flags.ts'
import type { Target } from './targets.ts'

/** The screen's page as files inside the binary: their paths by the name under which the agent reads them. */
export function screenAssets(root: string): Record<string, string> {
  const folder = join(root, 'agent', 'dist', 'screen')
  const names = globSync('**/*.*', { cwd: folder }).map((name) => name.replaceAll('\\', '/'))
  return Object.fromEntries(names.sort().map((name) => [`${ASSET_PREFIX}/${name}`, join(folder, name)]))
}

/** A hash of everything that goes into one binary. While it is the same, the binary need not be built again. */
export async function inputsHash(
  root: string,
  target: Target,
  bundle: string,
  assets: Record<string, string>,
  base: Base,
): Promise<string> {
  const manifest = await readFile(join(root, 'agent', 'package.json'), 'utf8')
  const { devDependencies } = JSON.parse(manifest) as { devDependencies: Record<string, string> }
  const contents = [bundle, ...Object.values(assets)].map(sha256Of)
  const parts = [
    Object.keys(assets),
    await Promise.all(contents),
    nodeFlagsFor(target),
    base,
    devDependencies,
  ]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}

import { createHash } from 'node:crypto'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { ASSET_PREFIX } from '../src/screen/page.ts'
import { sha256Of, type Base } from './bases.ts'
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
  // The build itself is an input: its steps, and the exact versions of its tools.
  const steps = globSync('agent/build/*.ts', { cwd: root, exclude: ['**/*.test.ts'] }).sort()
  const ours = ['agent/package.json', ...steps].map((path) => join(root, path))
  const contents = [bundle, ...Object.values(assets), ...ours].map(sha256Of)
  const parts = [target.name, base, Object.keys(assets), await Promise.all(contents)]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}

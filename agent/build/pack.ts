import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { BuildError } from './build-error.ts'
import type { PackOrder } from './pack-process.ts'
import { noSpace } from './space.ts'
import type { Target } from './targets.ts'

export interface PackOptions {
  /** Where `fetchBase` puts the Node of each target. */
  home: string
  workDir: string
  bundleName: string
  assets: Record<string, string>
  nodeVersion: string
  env: NodeJS.ProcessEnv
}

const script = join(import.meta.dirname, 'pack-process.ts')

/** Packs the bundle into one binary at `output`. */
export async function packBinary(target: Target, output: string, options: PackOptions): Promise<void> {
  const { workDir, bundleName, assets, nodeVersion, home } = options
  const { platform, arch } = target
  const order: PackOrder = {
    ...{ workDir, bundleName, assets },
    target: { nodeRange: `node${nodeVersion}`, platform, arch, output },
  }
  // pkg finds its Nodes in the home folder, and works in the temporary folder: Linux and Windows name them differently.
  const places = { HOME: home, USERPROFILE: home, TMPDIR: workDir, TMP: workDir, TEMP: workDir }
  const env = { ...options.env, ...places, NODE_OPTIONS: '' }
  const child = spawn(process.execPath, [script, JSON.stringify(order)], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  const stop = () => child.kill()
  process.once('exit', stop)
  const [code] = (await once(child, 'close').catch((err: unknown) => {
    text += String(err)
    return [null]
  })) as [number | null]
  process.off('exit', stop)
  if (code !== 0) throw failureOf(text, workDir)
}

function failureOf(text: string, workDir: string): BuildError {
  if (/ENOSPC/.test(text)) return noSpace(workDir)
  return new BuildError(
    `pkg n’a pas pu faire le binaire\u00a0:\n${text}\nRelancez la même commande\u202f; si l’échec se répète, signalez-le avec ces lignes.`,
    'pkg could not make the binary (details above). Run the same command again; if it fails again, report it with these lines.',
  )
}

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { extract } from 'tar'
import { BuildError } from './build-error.ts'
import { npmPack } from './npm.ts'
import type { Target } from './targets.ts'

/** A Node program, and the npm package that it comes from. */
export interface Base {
  version: string
  /** SHA-512 of the package's archive, as the project's package-lock.json pins it. */
  integrity: string
}

interface Lock {
  packages: Record<string, { version: string; integrity: string } | undefined>
}

/** The pinned Node package of a target. */
export async function pinnedBase(root: string, { nodePackage }: Target): Promise<Base> {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as Lock
  const pinned = lock.packages[`node_modules/${nodePackage}`]
  if (pinned !== undefined) return { version: pinned.version, integrity: pinned.integrity }
  throw new BuildError(
    `package-lock.json ne nomme pas ${nodePackage}\u00a0: rétablissez-le (git checkout package-lock.json).`,
    `package-lock.json does not name ${nodePackage}: restore it (git checkout package-lock.json).`,
  )
}

/** Where pkg looks for a target's Node, below the folder that it takes for the user's home. */
function placeOf(home: string, { platform, arch }: Target, version: string) {
  const stem = join(home, '.pkg-cache', 'sea', `node-v${version}-${platform}-${arch}`)
  return platform === 'win'
    ? { node: `${stem}.exe`, archive: `${stem}.zip` }
    : { node: join(stem, 'bin', 'node'), archive: `${stem}.tar.gz` }
}

/** Whether the target's Node is already in the cache, unchanged since it was checked. */
export async function hasBase(home: string, target: Target, base: Base): Promise<boolean> {
  const { node } = placeOf(home, target, base.version)
  const checked = await readFile(`${node}.ok`, 'utf8').catch(() => undefined)
  if (checked === undefined) return false
  return checked === `${base.integrity} ${await sha256Of(node).catch(() => 'missing')}`
}

/**
 * Puts a target's Node where pkg looks for it: from npm, checked against package-lock.json. pkg would otherwise
 * download it from elsewhere.
 */
export async function fetchBase(home: string, target: Target, base: Base, env: NodeJS.ProcessEnv) {
  await mkdir(home, { recursive: true })
  const folder = await mkdtemp(join(home, 'download-'))
  try {
    const archive = await download(folder, target, base, env)
    await extract({ file: archive, cwd: folder, strip: 1, filter: (path) => path.endsWith(target.nodePath) })
    await settle(home, target, base, join(folder, target.nodePath))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function download(folder: string, { nodePackage }: Target, base: Base, env: NodeJS.ProcessEnv) {
  const spec = `${nodePackage}@${base.version}`
  await npmPack(spec, folder, env).catch((err: unknown) => {
    throw new BuildError(
      `npm n’a pas pu télécharger ${spec} (${String(err)}). Vérifiez la connexion et la place sur le disque, puis relancez la même commande.`,
      `npm could not download ${spec} (details above). Check the connection and the free disk space, then run the same command again.`,
      { cause: err },
    )
  })
  const name = (await readdir(folder)).find((entry) => entry.endsWith('.tgz')) ?? ''
  const archive = join(folder, name)
  const found = `sha512-${await hashOf(archive, 'sha512', 'base64')}`
  if (found === base.integrity) return archive
  throw new BuildError(
    `${spec} n’est pas le paquet que le projet attend (son empreinte diffère). Vérifiez le registre (npm config get registry) avant de relancer.`,
    `${spec} is not the package that the project expects (its hash differs). Check the registry (npm config get registry) before you run again.`,
  )
}

/** Moves the extracted Node to its place. pkg takes a file for whole when one with `.ok` stands beside it. */
async function settle(home: string, target: Target, base: Base, extracted: string) {
  const { node, archive } = placeOf(home, target, base.version)
  await mkdir(dirname(node), { recursive: true })
  await chmod(extracted, 0o755)
  const hash = await sha256Of(extracted)
  await rename(extracted, node)
  await writeFile(archive, '')
  await writeFile(`${archive}.ok`, '')
  await writeFile(`${node}.ok`, `${base.integrity} ${hash}`)
}

export const sha256Of = (path: string) => hashOf(path, 'sha256', 'hex')

async function hashOf(path: string, algorithm: string, encoding: 'hex' | 'base64'): Promise<string> {
  const hash = createHash(algorithm)
  await pipeline(createReadStream(path), hash)
  return hash.digest(encoding)
}

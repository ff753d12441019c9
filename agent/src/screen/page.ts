import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { getAssetKeys, getRawAsset, isSea } from 'node:sea'

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Where the build puts the page. A binary holds the same files under names that begin with `ASSET_PREFIX`. */
const BUILT_PAGE = join(import.meta.dirname, '..', '..', 'dist', 'screen')
export const ASSET_PREFIX = 'screen'

/** The page's files by URL path. Nothing else is served. */
export type Page = ReadonlyMap<string, { type: string; bytes: Buffer }>

/**
 * Reads the page into memory, about 100 KB: from the given folder, or the agent's own page.
 * @throws Error when the page has not been built.
 */
export async function createPage(pageDir?: string): Promise<Page> {
  const found = pageDir === undefined && isSea() ? filesInBinary() : await filesIn(pageDir ?? BUILT_PAGE)
  const files = new Map<string, { type: string; bytes: Buffer }>()
  for (const [address, bytes] of found) {
    const type = TYPES[extname(address)]
    if (type !== undefined) files.set(address, { type, bytes })
  }
  if (!files.has('/index.html')) {
    throw new Error(`no screen in ${pageDir ?? BUILT_PAGE}: run "npm run build -w agent"`)
  }
  return files
}

/** The bytes are not copied: they stay where the system has loaded the binary. */
function filesInBinary(): [string, Buffer][] {
  return getAssetKeys()
    .filter((key) => key.startsWith(`${ASSET_PREFIX}/`))
    .map((key) => [key.slice(ASSET_PREFIX.length), Buffer.from(getRawAsset(key))])
}

async function filesIn(folder: string): Promise<[string, Buffer][]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
  return Promise.all(
    paths.map(async (path): Promise<[string, Buffer]> => {
      const address = path.slice(folder.length).replaceAll('\\', '/')
      return [address, await readFile(path)]
    }),
  )
}

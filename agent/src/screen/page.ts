import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** The page's files by URL path. Nothing else is served. */
export type Page = ReadonlyMap<string, { type: string; bytes: Buffer }>

/**
 * Reads the built page into memory, about 100 KB.
 * @throws Error when the page has not been built.
 */
export async function createPage(pageDir: string): Promise<Page> {
  const entries = await readdir(pageDir, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = new Map<string, { type: string; bytes: Buffer }>()
  for (const entry of entries) {
    const type = TYPES[extname(entry.name)]
    if (!entry.isFile() || type === undefined) continue
    const path = join(entry.parentPath, entry.name)
    const address = path.slice(pageDir.length).replaceAll('\\', '/')
    files.set(address, { type, bytes: await readFile(path) })
  }
  if (!files.has('/index.html')) throw new Error(`no screen in ${pageDir}: run "npm run build -w agent"`)
  return files
}

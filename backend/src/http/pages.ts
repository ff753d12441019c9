import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'

/** The admin's files at the root, where they have been built. */
export async function registerPages(app: FastifyInstance, adminDir: string): Promise<void> {
  if (!existsSync(join(adminDir, 'index.html'))) {
    app.log.warn({ adminDir }, 'the admin is not built')
    return
  }
  await app.register(fastifyStatic, {
    root: adminDir,
    wildcard: false,
    // The compressed files are made when the admin is built: see admin/compressed.ts.
    preCompressed: true,
    cacheControl: false,
    setHeaders: (reply, path) => {
      const isHashed = path.includes('/assets/')
      void reply.header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache')
    },
  })
}

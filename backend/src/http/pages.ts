import { existsSync } from 'node:fs'
import { join } from 'node:path'
import helmet from '@fastify/helmet'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'

/** Photos arrive with a token, so as blob: addresses; everything else is our own files. */
const contentSecurityPolicy = {
  useDefaults: false,
  directives: {
    'default-src': ["'self'"],
    'script-src': ["'self'"],
    'style-src': ["'self'"],
    'img-src': ["'self'", 'blob:', 'data:'],
    'object-src': ["'none'"],
    'base-uri': ["'none'"],
    'form-action': ["'self'"],
    'frame-ancestors': ["'none'"],
    'require-trusted-types-for': ["'script'"],
  },
}

/** Security headers on every answer, and the admin's files at the root where they have been built. */
export async function registerPages(app: FastifyInstance, adminDir: string): Promise<void> {
  await app.register(helmet, { contentSecurityPolicy, strictTransportSecurity: false })
  if (!existsSync(join(adminDir, 'index.html'))) {
    app.log.warn({ adminDir }, 'the admin is not built')
    return
  }
  await app.register(fastifyStatic, {
    root: adminDir,
    wildcard: false,
    // Made once when the pages are built: see admin/compressed.ts.
    preCompressed: true,
    cacheControl: false,
    setHeaders: (reply, path) => {
      const isHashed = path.includes('/assets/')
      void reply.header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache')
    },
  })
}

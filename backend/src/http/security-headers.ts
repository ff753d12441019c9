import type { FastifyInstance } from 'fastify'
import helmet from 'helmet'

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

/** Security headers on every answer. They are always the same, so helmet makes them once. */
export function registerSecurityHeaders(app: FastifyInstance): void {
  const headers: Record<string, string> = {}
  const response = {
    setHeader: (name: string, value: string) => (headers[name.toLowerCase()] = value),
    removeHeader: () => undefined,
  }
  helmet({ contentSecurityPolicy, strictTransportSecurity: false })(
    {} as never,
    response as never,
    () => undefined,
  )
  app.addHook('onRequest', (_request, reply, done) => {
    void reply.headers(headers)
    done()
  })
}

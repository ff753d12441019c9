import type { FastifyInstance } from 'fastify'

/** No browser or proxy may cache an answer, since it may hold personal data or a secret. Routes of files set their own header. */
export function registerCaching(app: FastifyInstance): void {
  app.addHook('onRequest', (_request, reply, done) => {
    void reply.header('cache-control', 'no-store')
    done()
  })
}

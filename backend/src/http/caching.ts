import type { FastifyInstance } from 'fastify'

/** Nobody keeps an answer: it is of a person, a secret, or of this moment. What may be kept, such as files, says so. */
export function registerCaching(app: FastifyInstance): void {
  app.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'))
}

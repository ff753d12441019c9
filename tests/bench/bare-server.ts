import Fastify from 'fastify'

/**
 * A process with nothing but Fastify. It answers each request with the text that its parent process has sent, so that
 * a route of Escale can be compared with a route that does no work and sends as many bytes.
 */
const app = Fastify()
let body = ''

app.get('/', (_request, reply) => reply.type('application/json; charset=utf-8').send(body))

process.on('message', (sent: { body: string }) => {
  body = sent.body
  process.send?.('ready')
})
process.on('disconnect', () => process.exit(0))

await app.listen({ host: '127.0.0.1', port: 0 })
const address = app.server.address()
process.send?.({ port: typeof address === 'object' ? address?.port : undefined })

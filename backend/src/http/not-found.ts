import type {} from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'
import { sendProblem } from './problem.ts'

interface KnownPath {
  pattern: RegExp
  methods: Set<string>
}

/**
 * Tells a path that does not exist (404) from a method that a known path does not have (405), before a body is read.
 */
export function registerNotFound(app: FastifyInstance): void {
  const known = new Map<string, KnownPath>()
  app.addHook('onRoute', ({ url, method }) => {
    const path = url.replace(/\/$/, '')
    const entry = known.get(path) ?? { pattern: patternOf(path), methods: new Set<string>() }
    for (const name of [method].flat()) entry.methods.add(name)
    known.set(path, entry)
  })
  const refuseMethod = (request: FastifyRequest, reply: FastifyReply, allowed: Set<string>) => {
    reply.header('allow', [...allowed].sort().join(', '))
    return sendProblem(request, reply, new AppError('method-not-allowed'))
  }
  const answer = (request: FastifyRequest, reply: FastifyReply) => {
    const path = pathOf(request)
    const allowed = new Set(
      [...known.values()].filter((k) => k.pattern.test(path)).flatMap((k) => [...k.methods]),
    )
    // A path may also be unknown because of what stands in it, such as an identifier that is too long.
    if (allowed.size > 0 && !allowed.has(request.method)) return refuseMethod(request, reply, allowed)
    if (isPageOfAdmin(request, path) && app.hasReplyDecorator('sendFile')) return reply.sendFile('index.html')
    return sendProblem(request, reply, new AppError('not-found'))
  }
  app.addHook('onRequest', async (request, reply) => {
    if (request.is404) return answer(request, reply)
    // A name such as `stats` would be taken for an identifier by the methods that it does not have itself.
    const named = known.get(pathOf(request))
    if (named && !named.methods.has(request.method)) return refuseMethod(request, reply, named.methods)
  })
  app.setNotFoundHandler(answer)
}

const pathOf = ({ url }: FastifyRequest) => (url.split('?')[0] ?? '').replace(/\/$/, '')

/** The admin's own router knows its pages; files, the API and the sockets are not among them. */
function isPageOfAdmin({ method, headers }: FastifyRequest, path: string): boolean {
  const isPath = !/^\/(api|ws|mqtt)(\/|$)/.test(path) && !/\.\w+$/.test(path)
  return (method === 'GET' || method === 'HEAD') && isPath && (headers.accept ?? '').includes('text/html')
}

function patternOf(path: string): RegExp {
  const source = path
    .split('/')
    .map((level) => (level.startsWith(':') ? '[^/]+' : level.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
    .join('/')
  return new RegExp(`^${source}$`)
}

import type {} from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'
import { sendProblem } from './problem.ts'

interface KnownPath {
  pattern: RegExp
  methods: Set<string>
}

/**
 * Answers 404 for an unknown path and 405 for an unknown method of a known path, before a body is read.
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
    // A known path can also end here, for example if an id in it is too long.
    if (allowed.size > 0 && !allowed.has(request.method)) return refuseMethod(request, reply, allowed)
    if (isPageOfAdmin(request, path) && app.hasReplyDecorator('sendFile')) return reply.sendFile('index.html')
    return sendProblem(request, reply, new AppError('not-found'))
  }
  app.addHook('onRequest', (request, reply, done) => {
    if (request.is404) return void answer(request, reply)
    // Without this check, `DELETE /api/postes/stats/` would match the route of one station, with the id `stats`.
    const named = known.get(pathOf(request))
    if (named && !named.methods.has(request.method)) return void refuseMethod(request, reply, named.methods)
    done()
  })
  app.setNotFoundHandler(answer)
}

const pathOf = ({ url }: FastifyRequest) => (url.split('?')[0] ?? '').replace(/\/$/, '')

/** Whether the admin's router handles the path. Files, the API and WebSockets are not its pages. */
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

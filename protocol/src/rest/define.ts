import type { TSchema } from 'typebox'
import { EntityId, Nothing, StationId, closed, pageOf } from '../schema.ts'
import type { Access, Endpoint } from './endpoint.ts'

/** Path parameters of one resource; `byName` is for stations and accounts, whose id is a name. */
export const byId = closed({ id: EntityId })
export const byName = closed({ id: StationId })

/** The body of an action that has no fields. */
export const noFields = closed({})

/** The answer has an `ETag`, and a change may send it in `If-Match`. */
const versioned = { sendsVersion: true, takesVersion: true } as const

type Described = Omit<Endpoint, 'method' | 'path' | 'summary' | 'access'>

/** Defines endpoints for callers with this access. */
function endpointsFor<const A extends Access>(access: A) {
  const withMethod =
    <const M extends Endpoint['method']>(method: M) =>
    <const D extends Described>(path: string, summary: string, described: D) =>
      ({ method, path, summary, access, ...described }) as {
        method: M
        path: string
        summary: string
        access: A
      } & D

  /** The answer is a resource with a version. */
  const ofResource =
    <const M extends Endpoint['method'], const Status extends number, const V extends Described>(
      method: M,
      status: Status,
      versions: V,
    ) =>
    <const D extends Described & { answer: TSchema }, const S extends TSchema>(
      path: string,
      summary: string,
      { answer, ...others }: D & { answer: S },
    ) => {
      const answers = { [status]: answer } as Record<Status, S>
      return withMethod(method)(path, summary, { ...others, ...versions, answers })
    }

  return {
    get: withMethod('GET'),
    post: withMethod('POST'),
    put: withMethod('PUT'),
    del: withMethod('DELETE'),
    list: <const D extends Described, const S extends TSchema>(
      path: string,
      summary: string,
      { item, ...others }: D & { item: S },
    ) => withMethod('GET')(path, summary, { ...others, page: pageOf(item) }),
    create: ofResource('POST', 201, { sendsVersion: true }),
    read: ofResource('GET', 200, { sendsVersion: true }),
    replace: ofResource('PUT', 200, versioned),
    /** An action on a resource, which is answered as it is afterwards. */
    act: ofResource('POST', 200, versioned),
    remove: <const D extends Described>(path: string, summary: string, described: D) =>
      withMethod('DELETE')(path, summary, { ...described, takesVersion: true, answers: { 204: Nothing } }),
  }
}

export const everybody = endpointsFor('public')
export const viewers = endpointsFor('viewer')
export const operators = endpointsFor('operator')
export const admins = endpointsFor('admin')

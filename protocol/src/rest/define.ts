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
type DescribedList = Described & { item: TSchema }
/** `answer` is the resource, which has a version. */
type DescribedResource = Described & { answer: TSchema }

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
  const get = withMethod('GET')
  const post = withMethod('POST')
  const put = withMethod('PUT')
  const del = withMethod('DELETE')

  return {
    get,
    post,
    put,
    del,
    list<const D extends DescribedList>(path: string, summary: string, { item, ...others }: D) {
      return get(path, summary, { ...others, page: pageOf<D['item']>(item) })
    },
    create<const D extends DescribedResource>(path: string, summary: string, { answer, ...others }: D) {
      return post(path, summary, { ...others, sendsVersion: true, answers: { 201: answer as D['answer'] } })
    },
    read<const D extends DescribedResource>(path: string, summary: string, { answer, ...others }: D) {
      return get(path, summary, { ...others, sendsVersion: true, answers: { 200: answer as D['answer'] } })
    },
    replace<const D extends DescribedResource>(path: string, summary: string, { answer, ...others }: D) {
      return put(path, summary, { ...others, ...versioned, answers: { 200: answer as D['answer'] } })
    },
    /** An action on a resource, which is answered as it is afterwards. */
    act<const D extends DescribedResource>(path: string, summary: string, { answer, ...others }: D) {
      return post(path, summary, { ...others, ...versioned, answers: { 200: answer as D['answer'] } })
    },
    remove<const D extends Described>(path: string, summary: string, described: D) {
      return del(path, summary, { ...described, takesVersion: true, answers: { 204: Nothing } })
    },
  }
}

export const everybody = endpointsFor('public')
export const viewers = endpointsFor('viewer')
export const operators = endpointsFor('operator')
export const admins = endpointsFor('admin')

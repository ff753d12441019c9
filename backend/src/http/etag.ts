import type { FastifyReply, FastifyRequest } from 'fastify'

/** Names the version of a single resource. */
export function sendVersioned<T>(reply: FastifyReply, version: number, body: T): T {
  void reply.header('etag', `"${version}"`)
  return body
}

/** The version that the caller says to have seen; undefined when any will do. */
export function expectedVersionOf({ headers }: FastifyRequest): number | undefined {
  const header = headers['if-match']
  if (header === undefined || header.trim() === '*') return undefined
  const version = /^(?:W\/)?"(\d+)"$/.exec(header.trim())?.[1]
  return version === undefined ? NaN : Number(version)
}

import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'

/** Metadata of a route that answers with a version, and heeds the one that the caller has seen. */
export const versioned = { sendsVersion: true, takesVersion: true } as const

/** The one version of what never changes once it is written. */
export const FINAL_VERSION = 1

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

/** @throws AppError `version-conflict` when the caller expects another version */
export function requireVersion(row: { version: number }, expectedVersion: number | undefined): void {
  if (expectedVersion !== undefined && expectedVersion !== row.version) throw new AppError('version-conflict')
}

import type { FastifyRequest } from 'fastify'
import type { SeenVersions } from '../db/versions.ts'

/**
 * The versions in `If-Match`; undefined if any version is accepted. A proxy that compresses an answer marks its tag as
 * weak or adds the coding to it (`"3-gzip"`). Such a tag is accepted as the same version.
 */
export function expectedVersionOf({ headers }: FastifyRequest): SeenVersions | undefined {
  const tags = headers['if-match']?.split(',').map((tag) => tag.trim())
  if (tags === undefined || tags.includes('*')) return undefined
  return tags.flatMap((tag) => {
    const version = /^(?:W\/)?"(\d{1,15})(?:[-;:]+(?:gzip|br|zstd|deflate))?"$/i.exec(tag)?.[1]
    return version === undefined ? [] : [Number(version)]
  })
}

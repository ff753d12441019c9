import { AppError } from '../errors.ts'

/** The one version of what never changes once it is written. */
export const FINAL_VERSION = 1

/** The versions of a resource that the caller says to have seen; empty where none of ours is among them. */
export type SeenVersions = readonly number[]

/** @throws AppError `version-conflict` when the caller has seen other versions alone */
export function requireVersion(row: { version: number }, seen: SeenVersions | undefined): void {
  if (seen !== undefined && !seen.includes(row.version)) throw new AppError('version-conflict')
}

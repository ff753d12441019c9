import { AppError } from '../errors.ts'

/** The only version of rows that never change. */
export const FINAL_VERSION = 1

/** The versions that the caller has seen; empty if none of them is ours. */
export type SeenVersions = readonly number[]

/** @throws AppError `version-conflict` if the caller has seen only other versions */
export function requireVersion(row: { version: number }, seen: SeenVersions | undefined): void {
  if (seen !== undefined && !seen.includes(row.version)) throw new AppError('version-conflict')
}

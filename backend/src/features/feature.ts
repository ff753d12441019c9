import type { FastifyPluginAsync } from 'fastify'
import type { ServedGroup } from '../http/endpoints.ts'

/** Rows of another feature, by id. */
export interface Lookup<Row> {
  find(id: string): Promise<Row | undefined>
}

/** A part of the server that builds, starts and stops itself. */
export interface Feature {
  /** What it does for other features. */
  service: object
  /** The groups of the REST API that it serves. */
  endpoints?: readonly ServedGroup[]
  /** What it serves over HTTP beside the REST API. */
  routes?: FastifyPluginAsync
  /** Brings its memory up to the database, and begins what it does by itself. */
  start?(): void | Promise<void>
  /** Ends what it does by itself; returns once nothing of it runs any more. */
  stop?(): void | Promise<void>
}

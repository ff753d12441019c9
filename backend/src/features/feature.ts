import type { FastifyPluginAsync } from 'fastify'
import type { ServedGroup } from '../http/endpoints.ts'

/** Rows of another feature, by id. */
export interface Lookup<Row> {
  find(id: string): Promise<Row | undefined>
}

/** A part of the server that builds, starts and stops itself. */
export interface Feature {
  /** Its functions for other features. */
  service: object
  /** Its groups of REST endpoints. */
  endpoints?: readonly ServedGroup[]
  /** Its other HTTP routes. */
  routes?: FastifyPluginAsync
  /** Loads its state from the database and starts its own work. */
  start?(): void | Promise<void>
  /** Stops its own work; resolves when nothing is running any more. */
  stop?(): void | Promise<void>
}

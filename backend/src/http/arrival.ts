import type { FastifyRequest } from 'fastify'
import type { Arrival } from '../domain/arrival.ts'

/** How the sender of a request reached the server. */
export const arrivalOf = ({ hostname: host, isFromThisMachine, protocol }: FastifyRequest): Arrival => ({
  host,
  isLocal: isFromThisMachine,
  isSecure: protocol === 'https',
})

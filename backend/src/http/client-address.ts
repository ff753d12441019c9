import type { IncomingMessage } from 'node:http'
import { clientAddressOf, isLoopback } from '@escale/protocol'
import { compile } from '@fastify/proxy-addr'
import type { FastifyInstance, FastifyRequest } from 'fastify'

declare module 'fastify' {
  interface FastifyRequest {
    /** Sent by a program on this machine, and not forwarded by a proxy on this machine. */
    isFromThisMachine: boolean
  }
}

type Trust = (address: string) => boolean

/**
 * Sets `request.ip`, `request.host` and `request.protocol` from the headers of a trusted proxy, and otherwise from the
 * socket. `request.ip` is an address in canonical form, or empty after the socket was closed.
 * @param trustedProxies addresses, networks and names of networks, separated by commas
 * @throws TypeError if one of them is invalid
 */
export function registerClientAddress(app: FastifyInstance, trustedProxies = ''): void {
  const trust = trustOf(trustedProxies)
  const forwarded = (request: FastifyRequest, header: string) =>
    trust(addressOfSocket(request.raw)) ? lastOf(request.headers[header]) : undefined
  app.decorateRequest('ip', {
    getter() {
      return callerOf(this.raw, trust)
    },
  })
  app.decorateRequest('host', {
    getter() {
      return forwarded(this, 'x-forwarded-host') ?? this.headers.host ?? ''
    },
  })
  app.decorateRequest('protocol', {
    getter() {
      const isSecure = (forwarded(this, 'x-forwarded-proto') ?? schemeOfSocket(this.raw)) === 'https'
      return isSecure ? 'https' : 'http'
    },
  })
  app.decorateRequest('isFromThisMachine', {
    getter() {
      return isLoopback(addressOfSocket(this.raw)) && isLocalName(this.hostname) && !isPassedOn(this.raw)
    },
  })
}

/** @throws TypeError if the text contains something that is neither an address nor a network */
export function trustOf(trustedProxies: string): Trust {
  const names = trustedProxies
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  if (names.length === 0) return () => false
  const isIn = compile(names)
  return (address) => isIn(address, 0)
}

/**
 * Each proxy appends the address of its own client. So the list is read from its end, as long as the proxy is trusted.
 * An entry that is not an address is not used: then the proxy that appended it counts as the caller.
 */
function callerOf(message: IncomingMessage, trust: Trust): string {
  let caller = addressOfSocket(message)
  const forwardedFor = textOf(message.headers['x-forwarded-for']).split(',').reverse()
  for (const text of forwardedFor) {
    if (text.trim() === '') continue
    const address = trust(caller) ? clientAddressOf(text) : undefined
    if (address === undefined) return caller
    caller = address
  }
  return caller
}

const addressOfSocket = ({ socket }: IncomingMessage) => clientAddressOf(socket.remoteAddress ?? '') ?? ''
const schemeOfSocket = ({ socket }: IncomingMessage) =>
  'encrypted' in socket && socket.encrypted ? 'https' : 'http'

const textOf = (header: string | string[] | undefined) => [header ?? []].flat().join(',')
const lastOf = (header: string | string[] | undefined) =>
  textOf(header).split(',').at(-1)?.trim() || undefined

/** Some proxies add no header but keep the host name of the original request. */
const isLocalName = (hostname: string) =>
  hostname === 'localhost' || isLoopback(hostname.replace(/^\[|\]$/g, ''))

/** Headers added by proxies: `forwarded`, `via`, `x-real-ip`, `cf-connecting-ip`, `true-client-ip` and similar ones. */
const ADDED_BY_PROXIES = /forwarded|^via$|(?:real|client|connecting)-?ip$/

/** Whether a proxy has added one of its headers. */
function isPassedOn({ headers }: IncomingMessage): boolean {
  return Object.keys(headers).some((name) => ADDED_BY_PROXIES.test(name))
}

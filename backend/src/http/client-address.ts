import type { IncomingMessage } from 'node:http'
import { clientAddressOf, isLoopback } from '@escale/protocol'
import { compile } from '@fastify/proxy-addr'
import type { FastifyInstance, FastifyRequest } from 'fastify'

declare module 'fastify' {
  interface FastifyRequest {
    /** Sent by a program on this machine, and not passed on by a proxy that runs here for somebody else. */
    isFromThisMachine: boolean
  }
}

type Trust = (address: string) => boolean

/**
 * Says who calls, for every reader of `request.ip`, `request.host` and `request.protocol`: what a trusted proxy tells,
 * and otherwise what the socket says. `request.ip` is an address in its canonical text, or empty once the socket is gone.
 * @param trustedProxies addresses, networks and names of networks, separated by commas
 * @throws TypeError when one of them cannot be understood
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

/** @throws TypeError when the text names something that is neither an address nor a network */
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
 * Each proxy adds at the end whom it heard, so the list is read from there, as long as the one who tells is trusted.
 * What is no address says nothing: the caller is then whoever passed it on.
 */
function callerOf(message: IncomingMessage, trust: Trust): string {
  let caller = addressOfSocket(message)
  const told = textOf(message.headers['x-forwarded-for']).split(',').reverse()
  for (const text of told) {
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

/** Some proxies add nothing but leave the name under which the site was called. */
const isLocalName = (hostname: string) =>
  hostname === 'localhost' || isLoopback(hostname.replace(/^\[|\]$/g, ''))

/** What proxies add of their own: `forwarded`, `via`, `x-real-ip`, `cf-connecting-ip`, `true-client-ip` and the like. */
const ADDED_BY_PROXIES = /forwarded|^via$|(?:real|client|connecting)-?ip$/

/** Whether any proxy says that it stands between. */
function isPassedOn({ headers }: IncomingMessage): boolean {
  return Object.keys(headers).some((name) => ADDED_BY_PROXIES.test(name))
}

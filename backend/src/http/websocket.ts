import websocket from '@fastify/websocket'
import type { Broker } from '@escale/broker'
import { createLogThrottle, WEBSOCKET_MAX_PAYLOAD_BYTES } from '@escale/broker'
import { addressGroupOf, LIVE_SUBPROTOCOL } from '@escale/protocol'
import type { FastifyInstance } from 'fastify'
import { AppError } from '../errors.ts'

const MQTT_SUBPROTOCOL = 'mqtt'

/**
 * WebSockets on the HTTP port: live screens, and MQTT at `/mqtt`.
 * @param publicOrigin public origin of the site behind a proxy; its pages may connect too
 */
export async function registerWebSockets(
  app: FastifyInstance,
  broker: Pick<Broker, 'handleWebSocket'>,
  publicOrigin: string | undefined,
): Promise<void> {
  const throttle = createLogThrottle(() => performance.now())
  await app.register(websocket, {
    // For a frame that is too large or malformed, ws closes the connection with its own code. The broker logs its
    // own connections.
    errorHandler: (err, socket, request) => {
      if (socket.protocol === MQTT_SUBPROTOCOL) return
      const address = addressGroupOf(request.ip)
      const heldBack = throttle(address)
      if (heldBack !== undefined)
        request.log.info({ address, reason: err.message, heldBack }, 'websocket failed')
    },
    options: {
      maxPayload: WEBSOCKET_MAX_PAYLOAD_BYTES,
      handleProtocols: (offered, request) => {
        const ours = request.url?.startsWith('/mqtt') ? MQTT_SUBPROTOCOL : LIVE_SUBPROTOCOL
        return offered.has(ours) ? ours : false
      },
    },
  })
  app.addHook('onRequest', (request, _reply, done) => {
    const { upgrade, origin } = request.headers
    const isOurs = origin === undefined || origin === publicOrigin || hostOf(origin) === request.host
    done(upgrade === undefined || isOurs ? undefined : new AppError('forbidden'))
  })
  app.get(
    '/mqtt',
    { config: { access: 'public' }, websocket: true, schema: { hide: true } },
    (socket, request) => {
      if (socket.protocol === MQTT_SUBPROTOCOL) broker.handleWebSocket(socket, request.ip)
      else socket.close(1002)
    },
  )
}

const hostOf = (origin: string) => (URL.canParse(origin) ? new URL(origin).host : undefined)

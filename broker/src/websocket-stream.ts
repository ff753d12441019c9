import type { Duplex, DuplexOptions } from 'node:stream'
import { createWebSocketStream, type WebSocket } from 'ws'

/**
 * A WebSocket with this many unsent bytes is closed. Each ping adds a pong, so a client that never reads would fill the
 * memory.
 */
const MAX_UNREAD_BYTES = 1024 * 1024

type Writev = NonNullable<DuplexOptions['writev']>

/**
 * MQTT over a WebSocket, as a stream: each packet is sent in one frame, and a received text frame closes it
 * [MQTT-6.0.0-1].
 */
export function mqttStreamOf(socket: WebSocket): Duplex {
  const writev: Writev = (chunks, done) =>
    socket.send(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)), done)

  let isText = false
  // Called before the stream gets the same message.
  socket.on('message', (_data, isBinary) => {
    if (isBinary || isText) return
    isText = true
    stream.destroy(new Error('text frame'))
  })
  // The stream handles only the first error of its socket. Another one must not end the process.
  socket.on('error', () => undefined)
  socket.on('ping', () => {
    if (socket.bufferedAmount > MAX_UNREAD_BYTES) stream.destroy(new Error('too far behind'))
  })
  const stream = createWebSocketStream(socket, { writev })
  return stream
}

import type { Duplex, DuplexOptions } from 'node:stream'
import { createWebSocketStream, type WebSocket } from 'ws'

/** Unsent bytes at which a WebSocket is closed: each ping adds a pong, and a client that never reads would fill the memory. */
const MAX_UNREAD_BYTES = 1024 * 1024

type Writev = NonNullable<DuplexOptions['writev']>

/** MQTT over a WebSocket, as a stream: each packet goes out in one frame, and a text frame ends it [MQTT-6.0.0-1]. */
export function mqttStreamOf(socket: WebSocket): Duplex {
  const writev: Writev = (chunks, done) =>
    socket.send(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)), done)

  let isText = false
  // Before the stream takes the same message.
  socket.on('message', (_data, isBinary) => {
    if (isBinary || isText) return
    isText = true
    stream.destroy(new Error('text frame'))
  })
  // The stream takes the first error of its socket only; another one must not end the process.
  socket.on('error', () => undefined)
  socket.on('ping', () => {
    if (socket.bufferedAmount > MAX_UNREAD_BYTES) stream.destroy(new Error('too far behind'))
  })
  const stream = createWebSocketStream(socket, { writev })
  return stream
}

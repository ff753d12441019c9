import { once } from 'node:events'
import type { MqttClient } from 'mqtt'
import type { WebSocket } from 'ws'

/** Items that come one by one, and whoever waits for one of them. */
function createInbox<T>() {
  const items: T[] = []
  const waiting = new Set<() => void>()
  return {
    items,
    put(item: T) {
      items.push(item)
      for (const look of waiting) look()
    },
    /** Takes the first item that fits, now or when it comes. */
    next(fits: (item: T) => boolean): Promise<T> {
      return new Promise((resolve) => {
        const look = () => {
          const index = items.findIndex(fits)
          if (index < 0) return
          waiting.delete(look)
          const [item] = items.splice(index, 1)
          if (item !== undefined) resolve(item)
        }
        waiting.add(look)
        look()
      })
    },
  }
}

export interface Message {
  topic: string
  payload: Record<string, unknown>
  retain: boolean
}

/** What comes to an MQTT client, collected and awaited. */
export function inboxOf(client: MqttClient) {
  const inbox = createInbox<Message>()
  client.on('message', (topic, payload, { retain }) => {
    const text = payload.toString()
    inbox.put({ topic, retain, payload: (text ? JSON.parse(text) : {}) as Message['payload'] })
  })
  return {
    all: inbox.items,
    /** The next message on a topic that ends so. */
    next: (end: string, fits: (payload: Message['payload']) => boolean = () => true) =>
      inbox.next(({ topic, payload }) => topic.endsWith(end) && fits(payload)),
  }
}

export type Frame = Record<string, unknown> & { type: string }

/** A live screen, once it is open. */
export async function liveClientOf(socket: WebSocket) {
  const inbox = createInbox<Frame>()
  socket.on('message', (data: Buffer) => inbox.put(JSON.parse(data.toString()) as Frame))
  const closed = once(socket, 'close').then(([code]) => code as number)
  await once(socket, 'open')
  return {
    socket,
    /** The code that the server closes with. */
    closed,
    frames: inbox.items,
    send: (frame: unknown) => socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame)),
    next: (type: string, fits: (frame: Frame) => boolean = () => true) =>
      inbox.next((frame) => frame.type === type && fits(frame)),
  }
}

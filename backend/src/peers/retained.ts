import { topicTable, type TopicName } from '@escale/protocol'
import type { Clock } from '../clock.ts'
import type { PeerMessage, Peers } from './port.ts'

type Said = Extract<PeerMessage, { type: 'said' }>

/** Topics that each server publishes itself, from the database. */
const MADE_HERE: readonly TopicName[] = ['desired', 'config']

export type RetainedMessages = ReturnType<typeof createRetainedMessages>

/** Sends messages of this server's clients to the other servers. Remembers retained ones for servers that join later. */
export function createRetainedMessages(peers: Pick<Peers, 'send'>, clock: Clock) {
  const retained = new Map<string, Said>()

  return {
    share(name: TopicName, party: string | undefined, payload: object): void {
      // Private topics can contain valid access codes, and their clients are connected to this server.
      if (MADE_HERE.includes(name) || topicTable[name].isPrivate) return
      const said = { type: 'said', name, party, payload, atMs: clock.nowMs() } as const
      if (topicTable[name].retain) retained.set(keyOf(name, party), said)
      peers.send(said)
    },

    shareAll(): void {
      for (const said of retained.values()) peers.send(said)
    },

    /** A newer message of another server's client replaces the one kept here; @returns false if it is older */
    replaceBy({ name, party, atMs }: Said): boolean {
      const key = keyOf(name, party)
      if ((retained.get(key)?.atMs ?? 0) > atMs) return false
      retained.delete(key)
      return true
    },

    forget(stationId: string): void {
      for (const name of ['presence', 'reported'] as const) retained.delete(keyOf(name, stationId))
    },
  }
}

const keyOf = (name: TopicName, party = '') => `${name} ${party}`

import { topicTable, type TopicName } from '@escale/protocol'
import type { Clock } from '../clock.ts'
import type { PeerMessage, Peers } from './port.ts'

type Said = Extract<PeerMessage, { type: 'said' }>

/** What each server makes of the database itself. */
const MADE_HERE: readonly TopicName[] = ['desired', 'config']

export type RetainedHere = ReturnType<typeof createRetainedHere>

/** Tells the other servers what clients of this one say, and remembers what is retained for servers that join later. */
export function createRetainedHere(peers: Pick<Peers, 'send'>, clock: Clock) {
  const retained = new Map<string, Said>()

  return {
    say(name: TopicName, party: string | undefined, payload: object): void {
      // Answers carry live codes, and are for a client of this server.
      if (MADE_HERE.includes(name) || topicTable[name].isPrivate) return
      const said = { type: 'said', name, party, payload, atMs: clock.nowMs() } as const
      if (topicTable[name].retain) retained.set(keyOf(name, party), said)
      peers.send(said)
    },

    sayAllAgain(): void {
      for (const said of retained.values()) peers.send(said)
    },

    /** Another server's client said something on a topic; @returns false when a client here has spoken there since */
    giveWayTo({ name, party, atMs }: Said): boolean {
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

import type { ClientKind, TopicName, TopicPayload } from '@escale/protocol'

/** A connected station, automation or diagnostics client, with the hash of the secret it signed in with. */
export interface Machine {
  kind: Exclude<ClientKind, 'operator'>
  id: string
  secretHash: string
  expiresAtMs?: number
}

/** What the backend needs from the broker. */
export interface Bus {
  /** QoS and retain flag come from the topic table. */
  publish<N extends TopicName>(name: N, party: string | undefined, payload: TopicPayload<N>): Promise<void>
  /** Clears all retained documents of a deleted station. */
  clearRetained(stationId: string): Promise<void>
  /** Closes all connections of a station. */
  disconnectStation(stationId: string): void
  /** All machines that are connected to this server. */
  machines(): Machine[]
  /** Closes the connections of machines that match; @returns how many */
  disconnectMachines(matches: (machine: Machine) => boolean): number
  /** The sign-ins of operators whose browsers are connected to this server. */
  signIns(): string[]
  /** Closes the connections of browsers whose sign-in matches. */
  disconnectSignIns(matches: (signInId: string) => boolean): void
}

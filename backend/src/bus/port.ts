import type { ClientKind, TopicName, TopicPayload } from '@escale/protocol'

/** A station, automation or diagnostics client that is connected, by the secret that it showed. */
export interface Machine {
  kind: Exclude<ClientKind, 'operator'>
  id: string
  secretHash: string
  expiresAtMs?: number
}

/** What the backend needs of the broker: to speak, to forget a station, to cut a connection. */
export interface Bus {
  /** Quality of service and retention come from the topic table. */
  publish<N extends TopicName>(name: N, party: string | undefined, payload: TopicPayload<N>): Promise<void>
  /** Clears every retained document of a station that is gone. */
  clearRetained(stationId: string): Promise<void>
  /** Cuts every connection of a station. */
  disconnectStation(stationId: string): void
  /** Every machine that is connected to this server. */
  machines(): Machine[]
  /** Cuts the machines that match; @returns how many */
  disconnectMachines(matches: (machine: Machine) => boolean): number
  /** Sign-ins under which operators' browsers are connected to this server. */
  signIns(): string[]
  /** Cuts the operators' browsers whose sign-in matches. */
  disconnectSignIns(matches: (signInId: string) => boolean): void
}

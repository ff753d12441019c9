/** How a station, or whoever sets up a client, came to the server. */
export interface Arrival {
  /** The name or address under which it found the server. */
  host: string
  /** From this very machine. */
  isLocal: boolean
  /** Over TLS. */
  isSecure: boolean
}

/** How a caller reached the server. */
export interface Arrival {
  /** The host name or address that the caller used for the server. */
  host: string
  /** The caller runs on the server's machine. */
  isLocal: boolean
  /** Over TLS. */
  isSecure: boolean
}

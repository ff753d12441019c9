/** Whether `Intl` knows a time zone by this IANA name; an old browser may not know all that the server does. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

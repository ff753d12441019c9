/** `2 minutes`, `1 minute`, `30 seconds`: whole minutes from 60 s on, with a no-break space. */
export function duration(seconds: number, minute: string, second: string): string {
  const isMinutes = seconds >= 60
  const count = isMinutes ? Math.round(seconds / 60) : seconds
  return `${count}\u00a0${isMinutes ? minute : second}${count > 1 ? 's' : ''}`
}

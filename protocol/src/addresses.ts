const MAC_DIGITS = /^[0-9a-f]{12}$/
const IPV4 = /^(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/

/** A MAC address in any notation (`AA-BB-…`, `aabb.cc…`) as `aa:bb:cc:dd:ee:ff`; undefined when it is none. */
export function normaliseMac(text: string): string | undefined {
  const digits = text
    .trim()
    .toLowerCase()
    .replace(/[:.\-\s]/g, '')
  if (!MAC_DIGITS.test(digits)) return undefined
  return digits.match(/../g)?.join(':')
}

/**
 * Whether a MAC address names one machine: not the zero address that virtual cards show, not the broadcast address,
 * not a multicast group (lowest bit of the first byte). Source: IEEE 802, section 8.2.
 * @param mac as {@link normaliseMac} gives it
 */
export function isIdentifyingMac(mac: string): boolean {
  const isGroup = (parseInt(mac.slice(0, 2), 16) & 1) === 1
  return !isGroup && mac !== '00:00:00:00:00:00'
}

/** An IP address in its canonical text, IPv4-mapped IPv6 as IPv4; undefined when it is none. */
export function normaliseIp(text: string): string | undefined {
  const ip = text.trim().toLowerCase()
  if (IPV4.test(ip)) return ip
  if (!ip.includes(':')) return undefined
  const canonical = canonicalIpv6(ip)
  const mapped = canonical && /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(canonical)
  if (!mapped) return canonical
  return [mapped[1], mapped[2]]
    .map((group) => parseInt(group ?? '0', 16))
    .flatMap((group) => [group >> 8, group & 255])
    .join('.')
}

/**
 * The canonical text of a client's address as a proxy or a socket gives it, such as `10.0.0.5:1234`,
 * `[2001:db8::1]:443` or `fe80::1%eth0`. Undefined when there is none.
 */
export function clientAddressOf(text: string): string | undefined {
  const trimmed = text.trim()
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(trimmed)?.[1]
  const withPort = /^([\d.]+):\d{1,5}$/.exec(trimmed)?.[1]
  return normaliseIp((bracketed ?? withPort ?? trimmed).replace(/%.*$/, ''))
}

/**
 * What counts as one client when clients are limited: an IPv4 address, or the /64 network of an IPv6 address, since one
 * machine can use all addresses of a /64. A text that is no address is returned as it is.
 */
export function addressGroupOf(ip: string): string {
  const address = clientAddressOf(ip)
  if (address === undefined || !address.includes(':')) return address ?? ip
  // In the canonical text `::` stands for the groups that are zero.
  const [head = '', tail = ''] = address.split('::')
  const before = head.split(':').filter(Boolean)
  const after = tail.split(':').filter(Boolean)
  const zeros = Array<string>(8 - before.length - after.length).fill('0')
  const network = [...before, ...zeros, ...after].slice(0, 4).join(':')
  return `${normaliseIp(`${network}::`) ?? address}/64`
}

/** The URL standard's host serialiser knows every form of IPv6 and writes the canonical one (RFC 5952). */
function canonicalIpv6(ip: string): string | undefined {
  const url = `http://[${ip}]/`
  return URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : undefined
}

/** Whether an address is a loopback address: only this machine itself can use it. */
export function isLoopback(ip: string): boolean {
  const address = normaliseIp(ip) ?? ''
  return address === '::1' || address.startsWith('127.')
}

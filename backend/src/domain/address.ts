const MAC_DIGITS = /^[0-9a-f]{12}$/
const IPV4 = /^(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/

/** Any MAC notation (`AA-BB-…`, `aabb.cc…`) as `aa:bb:cc:dd:ee:ff`; undefined when it is none. */
export function normaliseMac(text: string): string | undefined {
  const digits = text
    .trim()
    .toLowerCase()
    .replace(/[:.\-\s]/g, '')
  if (!MAC_DIGITS.test(digits)) return undefined
  return digits.match(/../g)?.join(':')
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

/** The URL standard's host serialiser knows every form of IPv6 and writes the canonical one (RFC 5952). */
function canonicalIpv6(ip: string): string | undefined {
  const url = `http://[${ip}]/`
  return URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : undefined
}

/** Whether an address is this machine's own. */
export function isLoopback(ip: string): boolean {
  const address = normaliseIp(ip) ?? ''
  return address === '::1' || address.startsWith('127.')
}

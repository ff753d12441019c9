/** The station's screen without a browser: what its page asks and sends. */
export function screenByHttp(url: string) {
  const fetchText = async (path: string) => (await fetch(new URL(path, url))).text()
  return {
    page: () => fetchText('/'),
    file: (path: string) => fetch(new URL(path, url)),
    phase: async () => (JSON.parse(await fetchText('api/state')) as { phase: string }).phase,
    typeCode: (code: string) =>
      fetch(new URL('api/code', url), {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: new URL(url).origin },
        body: JSON.stringify({ code }),
      }),
  }
}

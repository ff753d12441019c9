/** Names that differ in more than this share of their length are two names, not one with a typing error. */
const MAX_SHARE = 0.4

/** The known name that was most likely meant; upper case, dashes and underscores do not count. Undefined when none is near. */
export function nearestName(given: string, known: readonly string[]): string | undefined {
  const wanted = bare(given)
  const ranked = known
    .map((name) => ({ name, distance: editDistance(wanted, bare(name)) }))
    .sort((a, b) => a.distance - b.distance)
  const [best] = ranked
  if (best === undefined) return undefined
  return best.distance <= Math.max(wanted.length, bare(best.name).length) * MAX_SHARE ? best.name : undefined
}

const bare = (name: string) => name.toLowerCase().replace(/[-_.\s]/g, '')

/** How many letters to insert, remove or replace to turn one text into the other. Source: Wagner and Fischer, 1974. */
function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row += 1) {
    const line = [row]
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = (above[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      line.push(Math.min(replaced, (above[column] ?? 0) + 1, (line[column - 1] ?? 0) + 1))
    }
    above = line
  }
  return above[b.length] ?? 0
}

import { MOST_STATIONS, USUAL_STATIONS } from './room.ts'

/** The number of stations from the command line, or the message to print if it is invalid. */
export function parseStationCount(args: readonly string[]): { count: number } | { refusal: string } {
  if (args.length === 0) return { count: USUAL_STATIONS }
  const [asked = ''] = args
  const count = /^\d{1,6}$/.test(asked) ? Number(asked) : 0
  if (args.length === 1 && count >= 1 && count <= MOST_STATIONS) return { count }
  return {
    refusal:
      `Indiquez un nombre de postes de 1 à ${MOST_STATIONS}, par exemple « npm run demo -- 30 ».\n`.replace(
        /« | »/g,
        (mark) => mark.replace(' ', '\u202f'),
      ) + `Give a number of stations from 1 to ${MOST_STATIONS}, for instance "npm run demo -- 30".\n`,
  }
}

/**
 * Prints the progress of a step: in a terminal one line that is overwritten, elsewhere a new line for each quarter.
 */
export function createProgress(out: Pick<NodeJS.WriteStream, 'write'> & { isTTY?: boolean }) {
  let lastQuarter = -1
  return (text: string, done?: number, total = 1): void => {
    const line = done === undefined ? `  ${text}` : `  ${text} ${done}/${total}`
    const quarter = done === undefined ? 0 : Math.floor((done / total) * 4)
    const isOver = done === undefined || done === total
    if (out.isTTY) out.write(`\r\u001b[2K${line}${isOver ? '\n' : ''}`)
    else if (quarter !== lastQuarter || isOver) out.write(`${line}\n`)
    lastQuarter = isOver ? -1 : quarter
  }
}

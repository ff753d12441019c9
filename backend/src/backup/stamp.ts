/** An instant in UTC as part of a file's name: `20261126T031500Z`. */
export const stampOf = (unixMs: number) => new Date(unixMs).toISOString().replace(/[-:]|\.\d+/g, '')

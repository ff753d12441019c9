/** The largest page that a list has. */
export const FULL_PAGE = 200

interface PageQuery {
  page?: number
  pageSize?: number
  skip?: number
}

/** All items of a list, page after page as each answer's `next` says. */
export async function everyPage<T>(
  list: (query: PageQuery) => Promise<{ next: string | null; results: T[] }>,
): Promise<T[]> {
  const all: T[] = []
  for (let query: PageQuery = { page: 1, pageSize: FULL_PAGE }; ;) {
    const { next, results } = await list(query)
    all.push(...results)
    if (next === null || results.length === 0) return all
    const following = new URLSearchParams(next.slice(next.indexOf('?')))
    query = { ...query, page: Number(following.get('page')), skip: Number(following.get('skip') ?? 0) }
  }
}

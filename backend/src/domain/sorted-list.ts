/**
 * Items that stay in order while some are added, removed and replaced. An item is found by its place in the order, so
 * `compare` must tell any two items apart.
 */
export function createSortedList<Item>(compare: (a: Item, b: Item) => number) {
  const items: Item[] = []

  /** The index of an item, or where it would be inserted. */
  function placeOf(item: Item): number {
    let [from, to] = [0, items.length]
    while (from < to) {
      const middle = (from + to) >>> 1
      if (compare(items[middle] as Item, item) < 0) from = middle + 1
      else to = middle
    }
    return from
  }

  return {
    items: items as readonly Item[],

    add: (item: Item): void => void items.splice(placeOf(item), 0, item),
    remove: (item: Item): void => void items.splice(placeOf(item), 1),

    /** @param before the same item as it was added, which may have had another place */
    replace(before: Item, item: Item): void {
      if (compare(before, item) === 0) {
        items[placeOf(item)] = item
      } else {
        this.remove(before)
        this.add(item)
      }
    },
  }
}

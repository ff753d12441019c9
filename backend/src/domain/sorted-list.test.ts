import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createSortedList } from './sorted-list.ts'

interface Item {
  id: number
  rank: number
}

const inOrder = (a: Item, b: Item) => a.rank - b.rank || a.id - b.id
const steps = fc.array(fc.record({ id: fc.nat(8), rank: fc.option(fc.nat(3), { nil: undefined }) }))

it('holds the items in order after any additions, replacements and removals', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const list = createSortedList(inOrder)
      const known = new Map<number, Item>()
      for (const { id, rank } of all) {
        const before = known.get(id)
        if (rank === undefined) {
          if (before) list.remove(before)
          known.delete(id)
          continue
        }
        const item = { id, rank }
        if (before) list.replace(before, item)
        else list.add(item)
        known.set(id, item)
      }
      expect(list.items).toEqual([...known.values()].sort(inOrder))
    }),
  )
})

import { expect, test } from 'vitest'
import { createLanes } from './lanes.ts'

test('tasks of one key run one after the other, in order, however long each takes', async () => {
  const lanes = createLanes()
  const done: number[] = []
  const takes = [5, 1, 3, 0, 2]
  for (const [index, ticks] of takes.entries()) {
    lanes.run('pc-01', async () => {
      for (let i = 0; i < ticks; i++) await Promise.resolve()
      done.push(index)
    })
  }
  await lanes.idle()
  expect(done).toEqual([0, 1, 2, 3, 4])
})

test('a waiting key does not delay other keys', async () => {
  const lanes = createLanes()
  const gate = Promise.withResolvers<undefined>()
  const done: string[] = []
  lanes.run('pc-01', async () => {
    await gate.promise
    done.push('pc-01')
  })
  lanes.run('pc-02', () => {
    done.push('pc-02')
    return undefined
  })
  expect(done).toEqual(['pc-02'])
  gate.resolve(undefined)
  await lanes.idle()
  expect(done).toEqual(['pc-02', 'pc-01'])
})

test('a synchronous task behind a waiting one waits too', async () => {
  const lanes = createLanes()
  const done: string[] = []
  lanes.run('pc-01', async () => {
    await Promise.resolve()
    done.push('first')
  })
  lanes.run('pc-01', () => {
    done.push('second')
    return undefined
  })
  await lanes.idle()
  expect(done).toEqual(['first', 'second'])
})

import { commandFailures, type StationCommand } from '@escale/protocol'
import { describe, expect, it } from 'vitest'
import { en } from '../../i18n/en.ts'
import { fr } from '../../i18n/fr.ts'
import { activitiesOf } from './activity.ts'

const AT = '2027-01-15T08:00:00.000Z'
const after = (ms: number) => new Date(Date.parse(AT) + ms).toISOString()
const command = (stationId: string, fields: Partial<StationCommand>): StationCommand => ({
  ...{ id: stationId, stationId, batchId: 'b', op: 'lock', params: {}, createdBy: 'accueil' },
  ...{ status: 'sent', sentAt: AT, expiresAt: after(60_000), ...fields },
})
const applied = (stationId: string, ms: number) =>
  command(stationId, { status: 'applied', deliveredAt: after(ms - 5), appliedAt: after(ms) })

describe('the list of commands and changes sent to stations', () => {
  it('shows one line for each order, with the state of its slowest station', () => {
    const [activity] = activitiesOf([applied('a', 20), applied('b', 90)], [])
    expect(activity).toMatchObject({ status: 'applied', missing: [], deliveredMs: 85, appliedMs: 90 })
  })

  it.each<[string, Partial<StationCommand>, object]>([
    ['has not answered yet', { status: 'delivered' }, { status: 'underway' }],
    ['has failed', { status: 'failed', error: 'no power' }, { status: 'failed', error: 'no power' }],
    [
      'had its command cancelled',
      { status: 'failed', error: 'cancelled' },
      { status: 'cancelled', cancellable: [] },
    ],
    ['never answered', { status: 'expired' }, { status: 'expired' }],
  ])('names the station that %s', (_, fields, expected) => {
    const [activity] = activitiesOf([applied('a', 20), command('b', fields)], [])
    expect(activity).toMatchObject({ missing: ['b'], stationIds: ['a', 'b'], ...expected })
    expect(activity?.appliedMs).toBeUndefined()
  })

  it('offers to cancel a scheduled command, and shows its time', () => {
    const putOff = { op: 'reboot', params: { delaySeconds: 60 } } as const
    const [activity] = activitiesOf([command('a', { ...putOff, status: 'delivered' })], [])
    expect(activity).toMatchObject({
      status: 'underway',
      cancellable: [{ id: 'a', stationId: 'a' }],
      dueAtMs: Date.parse(AT) + 60_000,
    })
    const [locking] = activitiesOf([command('a', { status: 'delivered' })], [])
    expect(locking).toMatchObject({ cancellable: [], dueAtMs: undefined })
  })

  it('does not list cancellations, because the cancelled command shows them', () => {
    const cancelling = command('c', { op: 'cancel', batchId: 'c', status: 'applied' })
    expect(activitiesOf([applied('a', 20), cancelling], [])).toHaveLength(1)
  })

  it.each([fr, en])('explains every reason why a station could not carry out a command', ({ commands }) => {
    expect(Object.keys(commands.errors)).toEqual(expect.arrayContaining([...commandFailures]))
  })

  it('lists commands and documents newest first, without documents that change nothing', () => {
    const document = { stationId: 'c', version: 1, askedAt: after(1), appliedAt: after(24) }
    const list = activitiesOf(
      [applied('a', 20)],
      [
        { ...document, actions: ['session.time_added'] },
        { ...document, version: 2, actions: [] },
      ],
    )
    expect(list.map(({ what, appliedMs }) => [what, appliedMs])).toEqual([
      [{ actions: ['session.time_added'] }, 23],
      [{ op: 'lock' }, 20],
    ])
  })

  it('does not list the document that belongs to a lock or a logout', () => {
    const document = { stationId: 'a', version: 1, askedAt: after(9), appliedAt: after(24) }
    const list = activitiesOf([applied('a', 20)], [{ ...document, actions: ['session.suspended'] }])
    expect(list.map(({ what }) => what)).toEqual([{ op: 'lock' }])
  })
})

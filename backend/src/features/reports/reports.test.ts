import type { Report, Statistics } from '@escale/protocol'
import { unzipSync } from 'fflate'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp, type TestApp } from '../../testing/app.ts'
import { csvOf, htmlOf } from './formats.ts'

let test: TestApp

beforeAll(async () => {
  test = await startTestApp()
  const { id } = await test.createStation('pc-r', { label: '=Poste "R"', location: 'Étage; nord' })
  const { id: userId } = await test.createUser({
    municipality: 'Brest',
    birthDate: '1980-01-01',
    sex: 'female',
  })
  const session = await test.createSession({ userId, stationId: id })
  await test.done('POST', `/api/sessions/${session.id}/start`)
  test.advanceClock(600_000)
  await test.done('POST', `/api/sessions/${session.id}/terminate`)
})
afterAll(() => test.stop())

const raw = async (query: string, language = 'fr') =>
  test.app.http.inject({
    url: `/api/rapports/statistiques/?${query}`,
    headers: { authorization: `Bearer ${await test.tokenOf('viewer')}`, 'accept-language': language },
  })

describe('statistics', () => {
  it('count sessions and hours by station', async () => {
    const { rows } = await test.done<Statistics>('GET', '/api/rapports/statistiques/?by=station')
    expect(rows).toEqual([
      expect.objectContaining({
        key: '=Poste "R"',
        persons: 1,
        sessions: 1,
        startedSessions: 1,
        averageLengthSeconds: 600,
      }),
    ])
  })

  it('do not show groups of a few persons', async () => {
    for (const by of ['municipality', 'sex', 'ageBand', 'occupation']) {
      expect((await test.done<Statistics>('GET', `/api/rapports/statistiques/?by=${by}`)).rows).toEqual([])
    }
  })

  it('are available as CSV that a spreadsheet opens without running formulas', async () => {
    const answer = await raw('by=station&format=csv')
    expect(answer.headers['content-type']).toContain('text/csv')
    expect(answer.body).toContain('Poste;Personnes;Sessions;')
    expect(answer.body).toContain(`"'=Poste ""R""";1;1;1;0,17;`)
    expect((await raw('by=station&format=csv', 'en')).body).toContain('Station,Persons,')
  })

  it('are available as a workbook and as a page to print', async () => {
    const workbook = await raw('by=location&format=xlsx')
    expect(workbook.rawPayload.subarray(0, 2).toString()).toBe('PK')
    const page = await raw('by=location&format=html')
    expect(page.body).toContain('<html lang="fr">')
    expect(page.body).toContain('Étage; nord')
    expect(
      htmlOf(
        { title: '<b>', period: '', sheets: [{ title: '', header: ['a'], rows: [['<script>']] }] },
        'fr',
      ),
    ).not.toMatch(/<script>|<b>/)
  })

  it('refuse unknown parameters', async () => {
    expect((await test.call('GET', '/api/rapports/statistiques/?by=name')).body).toMatchObject({
      code: 'invalid-query',
    })
  })

  it('quote texts with separators and line breaks', () => {
    const sheet = { title: '', header: ['a'], rows: [['x\ny'], ['@cmd'], [-1.5]] }
    expect(csvOf({ sheets: [sheet] }, 'en')).toBe('\ufeffa\r\n"x\ny"\r\n\'@cmd\r\n-1.5\r\n')
  })
})

describe('the daily reports', () => {
  it('describe the previous day, exist once for each day, and can be read again', async () => {
    test.advanceClock(24 * 3_600_000)
    for (const name of ['session_report', 'log_report', 'session_report']) {
      await test.done('POST', `/api/parametres/taches/${name}/`)
    }
    const { results } = await test.done<{ results: Report[] }>('GET', '/api/rapports/')
    expect(results.map(({ kind }) => kind)).toEqual(['logs', 'sessions'])
    const sessions = await test.done<Report>('GET', `/api/rapports/${results[1]!.id}/`)
    expect(sessions.content).toMatchObject({ endReasons: { terminated: 1 }, total: [{ sessions: 1 }] })
    expect(Date.parse(sessions.to) - Date.parse(sessions.from)).toBe(24 * 3_600_000)
  })

  it('are available as CSV, as a workbook and as a page to print, in the reader’s language and the site’s time zone', async () => {
    const { results } = await test.done<{ results: Report[] }>('GET', '/api/rapports/?kind=sessions')
    const [report] = results
    const file = async (format: string, language = 'fr') =>
      test.app.http.inject({
        url: `/api/rapports/${report!.id}/?format=${format}`,
        headers: { authorization: `Bearer ${await test.tokenOf('viewer')}`, 'accept-language': language },
      })
    const day = new Date(Date.parse(report!.from) + 12 * 3_600_000)
    const csv = await file('csv')
    expect(csv.headers['content-disposition']).toContain(
      `escale-sessions-${day.toISOString().slice(0, 10)}.csv`,
    )
    expect(csv.body).toContain('Par poste\r\nPoste;Personnes;')
    expect(csv.body).toContain('Fins de session\r\nFin;Nombre\r\nTerminée par l’accueil;1\r\n')
    expect((await file('csv', 'en')).body).toContain('Ended by the desk,1')
    const page = await file('html')
    const shownDay = new Intl.DateTimeFormat('fr', { dateStyle: 'long', timeZone: 'UTC' }).format(day)
    expect(page.body).toContain(`<p>${shownDay}</p>`)
    expect(page.body).toContain('<h2>Par heure</h2>')
    const names = Object.keys(unzipSync(new Uint8Array((await file('xlsx')).rawPayload)))
    expect(names.filter((name) => name.startsWith('xl/worksheets/sheet'))).toHaveLength(4)
    const { results: logs } = await test.done<{ results: Report[] }>('GET', '/api/rapports/?kind=logs')
    const told = await test.app.http.inject({
      url: `/api/rapports/${logs[0]!.id}/?format=csv`,
      headers: { authorization: `Bearer ${await test.tokenOf('viewer')}` },
    })
    expect(told.body).toContain('session.started;1')
  })

  it('are found by the day that they describe', async () => {
    const [report] = (await test.done<{ results: Report[] }>('GET', '/api/rapports/')).results
    const count = async (query: string) =>
      (await test.done<{ count: number }>('GET', `/api/rapports/?${query}`)).count
    expect(await count(`from=${report!.from}&to=${report!.to}`)).toBe(2)
    expect(await count(`from=${report!.to}`)).toBe(0)
    expect((await test.call('GET', '/api/rapports/?search=x')).body).toMatchObject({ code: 'invalid-query' })
  })
})

import type { Migration } from './migration.ts'

/** What servers note about themselves: the release that wrote last, and that the disk took something just now. */
export const siteMarks: Migration = {
  name: '0011-site-marks',
  statements: () => [`CREATE TABLE site_marks (name TEXT PRIMARY KEY, value TEXT NOT NULL)`],
}

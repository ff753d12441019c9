import type { Migration } from './migration.ts'

/** Marks of the servers: the release that wrote last, and a test value that shows whether the disk stores. */
export const siteMarks: Migration = {
  name: '0011-site-marks',
  statements: () => [`CREATE TABLE site_marks (name TEXT PRIMARY KEY, value TEXT NOT NULL)`],
}

import { Type, type Static } from 'typebox'

/** Raised when older releases could not read what this one writes. */
export const FORMAT = 1
/** The last entry of a backup: where it is missing, the rest is not whole. */
export const MANIFEST_NAME = 'manifest.json'
/** The copy of the database, among the files of the data folder. */
export const DATABASE_NAME = 'escale.sqlite'

const count = Type.Integer({ minimum: 0 })

/** What a backup says of itself; fields that a later release adds are passed over. */
export const Manifest = Type.Object({
  format: Type.Integer({ minimum: 1 }),
  /** The release that wrote it. */
  release: Type.String(),
  createdAt: Type.String(),
  /** `postgres` where the database is not in it: it is kept by PostgreSQL's own tools. */
  database: Type.Union([Type.Literal('sqlite'), Type.Literal('postgres')]),
  /** Rows of the journal, its newest one's number and hash. */
  journal: Type.Optional(Type.Object({ count, lastId: count, lastHash: Type.String() })),
  files: Type.Array(
    Type.Object({ path: Type.String(), size: count, sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }) }),
  ),
})
export type Manifest = Static<typeof Manifest>
export type ManifestFile = Manifest['files'][number]

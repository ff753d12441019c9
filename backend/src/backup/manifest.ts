import { Type, type Static } from 'typebox'

/** To be raised when older releases cannot read what this one writes. */
export const FORMAT = 1
/** The last entry of a backup: without it, the backup is incomplete. */
export const MANIFEST_NAME = 'manifest.json'
/** The copy of the database, among the files of the data folder. */
export const DATABASE_NAME = 'escale.sqlite'

const count = Type.Integer({ minimum: 0 })

/** Describes a backup. Fields that a later release adds are ignored. */
export const Manifest = Type.Object({
  format: Type.Integer({ minimum: 1 }),
  /** The release that wrote it. */
  release: Type.String(),
  createdAt: Type.String(),
  /** With `postgres`, the database is not in the backup: PostgreSQL's own tools back it up. */
  database: Type.Union([Type.Literal('sqlite'), Type.Literal('postgres')]),
  /** How many records the journal has, and the number and hash of the newest. */
  journal: Type.Optional(Type.Object({ count, lastId: count, lastHash: Type.String() })),
  files: Type.Array(
    Type.Object({ path: Type.String(), size: count, sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }) }),
  ),
})
export type Manifest = Static<typeof Manifest>
export type ManifestFile = Manifest['files'][number]

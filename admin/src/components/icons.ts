import * as shapes from './icon-shapes.ts'

export type IconName = keyof typeof shapes

/** Gives Quasar the shape of an icon of ours; its own icons are shapes already. */
export const findIcon = (name: string) => (name in shapes ? { icon: shapes[name as IconName] } : undefined)

/** What can be done to a row of a table. */
export interface RowAction {
  icon: IconName
  label: string
  /** Shown as an icon in red. */
  isDestructive?: boolean
  act: () => unknown
}

import * as shapes from './icon-shapes.ts'

export type IconName = keyof typeof shapes

/** How Quasar finds the shape of our icons. Its own icons are given as shapes, not as names. */
export const findIcon = (name: string) => (name in shapes ? { icon: shapes[name as IconName] } : undefined)

/** What can be done to a row of a table. */
export interface RowAction {
  icon: IconName
  label: string
  /** Shown as an icon in red. */
  isDestructive?: boolean
  act: () => unknown
}

/** For tools that read TypeScript without Vue's compiler; vue-tsc knows each component's own type. */
declare module '*.vue' {
  import type { Component } from 'vue'

  const component: Component
  // eslint-disable-next-line import-x/no-default-export -- what a component file exports
  export default component
}

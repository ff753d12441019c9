/** For tools that read TypeScript without Vue's compiler. vue-tsc knows the real type of each component. */
declare module '*.vue' {
  import type { Component } from 'vue'

  const component: Component
  export default component
}

declare module '*.vue' {
  import type { DefineComponent } from 'vue'
  const component: DefineComponent
  // eslint-disable-next-line import-x/no-default-export -- a single-file component has no other export
  export default component
}

import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

const pathOf = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

export default defineConfig({
  root: pathOf('./screen'),
  base: '/',
  plugins: [vue()],
  define: {
    __VUE_OPTIONS_API__: false,
    __VUE_PROD_DEVTOOLS__: false,
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: false,
  },
  build: {
    outDir: pathOf('./dist/screen'),
    emptyOutDir: true,
    // Everything as a file of its own: the policy has no data: for fonts, styles or scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
  },
})

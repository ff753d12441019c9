import { fileURLToPath } from 'node:url'
import { quasar, transformAssetUrls } from '@quasar/vite-plugin'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'
import { compressed } from './compressed.ts'

const pathOf = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/** In development Vite serves the pages, and the server at ESCALE_DEV_SERVER everything else. */
const server = process.env['ESCALE_DEV_SERVER'] ?? 'http://127.0.0.1:3000'

export default defineConfig({
  root: pathOf('.'),
  base: '/',
  plugins: [
    vue({ template: { transformAssetUrls } }),
    quasar({ sassVariables: pathOf('./src/css/variables.sass') }),
    compressed(),
  ],
  define: {
    __VUE_OPTIONS_API__: true, // Quasar's components use it
    __VUE_PROD_DEVTOOLS__: false,
    __VUE_I18N_FULL_INSTALL__: false,
    __VUE_I18N_LEGACY_API__: false,
    __INTLIFY_PROD_DEVTOOLS__: false,
    __INTLIFY_DROP_MESSAGE_COMPILER__: false,
  },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // Every asset is a file: the content security policy allows no `data:` for fonts, styles or scripts.
    assetsInlineLimit: 0,
    // All pages are in one file (see router.ts).
    chunkSizeWarningLimit: 700,
    target: 'es2022',
  },
  server: {
    proxy: {
      '/api': server,
      '/ws': { target: server.replace(/^http/, 'ws'), ws: true },
    },
  },
})

import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

/** Where `npm run dev` finds the API: the mock of `npm run mock`, or a running server. */
const api = process.env["ROUTEWARDEN_API"] ?? "http://127.0.0.1:8099";

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: "es2023",
    // Fonts and maps stay files of their own: a data: address would need a wider policy.
    assetsInlineLimit: 0,
    // For dev/size.mjs.
    manifest: true,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
  server: { host: "127.0.0.1", proxy: { "/api": api } },
  test: { include: ["src/**/*.test.ts"], environment: "node", css: true },
});

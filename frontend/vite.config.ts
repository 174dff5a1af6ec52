import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { compress } from "./src/build/compress.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Django serves `dist/viewer` under /static/viewer/ and finds the hashed names in manifest.json.
export default defineConfig({
  base: "/static/viewer/",
  resolve: {
    alias: {
      // vtk.js pulls in xmlbuilder2, which extends Node's EventEmitter: a stock build is green and dies in the browser.
      xmlbuilder2: here("./src/build/xmlbuilder2.ts"),
    },
  },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  worker: { format: "es" },
  plugins: [compress(here("./dist/viewer/assets"))],
  build: {
    outDir: "dist/viewer",
    emptyOutDir: true,
    manifest: "manifest.json",
    target: "es2022",
    chunkSizeWarningLimit: 4000,
    rollupOptions: {
      input: {
        early: here("./src/viewer/early.ts"),
        viewer: here("./src/viewer/main.ts"),
        pages: here("./src/pages/main.ts"),
        offline: here("./src/offline/worker.ts"),
      },
    },
  },
  // Generous: a loaded machine is slow, not wrong.
  test: { include: ["tests/**/*.test.ts"], environment: "node", testTimeout: 60_000 },
});

import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

// The brush of the worker, bundled for Node, for benchmarks/brush.py.
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  logLevel: "error",
  build: {
    ssr: "brush.ts", outDir: fileURLToPath(new URL("../dist/bench", import.meta.url)), emptyOutDir: true, target: "es2022",
    rollupOptions: { output: { entryFileNames: "brush.js" } },
  },
});

import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// The editor's core of the worker, bundled for Node, for benchmarks/brush.py and benchmarks/quality.py.
export default defineConfig({
  root: here("."),
  logLevel: "error",
  build: {
    ssr: true,
    outDir: here("../dist/bench"),
    emptyOutDir: true,
    target: "es2022",
    rollupOptions: {
      input: { brush: here("brush.ts"), operations: here("operations.ts"), quality: here("quality.ts") },
      output: { entryFileNames: "[name].js" },
    },
  },
});

import react from "@vitejs/plugin-react";
import { copyFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { defineConfig } from "vitest/config";

const swagger = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));

/** The interactive API page works offline: its script and style are copied beside `public/docs/index.html`. */
function offlineApiPage() {
  return {
    name: "offline-api-page",
    apply: "build" as const,
    writeBundle(options: { dir?: string }) {
      const folder = join(options.dir ?? "dist", "docs");
      mkdirSync(folder, { recursive: true });
      for (const file of ["swagger-ui-bundle.js", "swagger-ui.css"]) copyFileSync(join(swagger, file), join(folder, file));
    },
  };
}

const backend = process.env.FOOTLIGHT_URL ?? "http://localhost:8000";

export default defineConfig({
  plugins: [react(), offlineApiPage()],
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 600 },
  server: { proxy: { "/api": backend, "/openapi.json": backend, "/socket.io": { target: backend, ws: true } } },
  test: { testTimeout: 30_000, environment: "node", include: ["src/**/*.test.{ts,tsx}"] },
});

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

/** What a page of its own is sure to need, by the beginning of its address: the server names it beside `index.html`. */
const PAGES = { "/video/": ["src/video/VideoPage.tsx", "hls.js"], "/watch/": ["src/pages/Watch.tsx"] };

/** Writes `ahead.json`, so that a browser fetches a page's scripts with the first ones and not after them. */
function pagesAhead() {
  return {
    name: "pages-ahead",
    apply: "build" as const,
    generateBundle(this: { emitFile: (file: object) => void }, _: unknown, bundle: Record<string, Output>) {
      const chunks = Object.values(bundle).filter((each) => each.type === "chunk");
      const entry = needed(bundle, chunks.filter((each) => each.isEntry));
      const ahead = Object.entries(PAGES).map(([path, modules]) => {
        const roots = modules.map((module) => chunks.find((each) => each.facadeModuleId?.includes(module)));
        if (roots.includes(undefined)) throw new Error(`no chunk of its own for ${modules.join(" or ")}`);
        const files = needed(bundle, roots as Chunk[]);
        return [path, [...files].filter((file) => !entry.has(file))];
      });
      this.emitFile({ type: "asset", fileName: "ahead.json", source: JSON.stringify(Object.fromEntries(ahead)) });
    },
  };
}

interface Chunk {
  type: "chunk";
  isEntry: boolean;
  fileName: string;
  facadeModuleId: string | null;
  imports: string[];
  viteMetadata?: { importedCss: Set<string> };
}
type Output = Chunk | { type: "asset" };

/** The files of these chunks and of all that they import. */
function needed(bundle: Record<string, Output>, chunks: Chunk[], found = new Set<string>()): Set<string> {
  for (const chunk of chunks) {
    if (found.has(chunk.fileName)) continue;
    found.add(chunk.fileName);
    for (const style of chunk.viteMetadata?.importedCss ?? []) found.add(style);
    needed(bundle, chunk.imports.map((name) => bundle[name]).filter((each) => each?.type === "chunk"), found);
  }
  return found;
}

/** What most pages share comes in one file: thirty small ones cost more than they save. */
const SHARED = { name: "shared", test: /src\/(api|chat|layout|money|pages|realtime|session|ui|video)\//, minShareCount: 3 };

const backend = process.env.FOOTLIGHT_URL ?? "http://localhost:8000";

export default defineConfig({
  plugins: [react(), offlineApiPage(), pagesAhead()],
  build: {
    target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 600,
    rolldownOptions: { output: { codeSplitting: { groups: [SHARED] } } },
  },
  server: { proxy: { "/api": backend, "/openapi.json": backend, "/socket.io": { target: backend, ws: true } } },
  test: { testTimeout: 30_000, environment: "node", include: ["src/**/*.test.{ts,tsx}"] },
});

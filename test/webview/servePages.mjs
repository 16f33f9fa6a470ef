/**
 * Serves the pages with their recorded snapshots to any browser: `node test/webview/servePages.mjs`, then for example
 * /run?state=running&theme=light. Ends with Ctrl+C.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const folder = import.meta.dirname;
const root = join(folder, '../..');
const outfile = join(root, '.cache/webview-server.mjs');
await build({
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  logLevel: 'warning',
  entryPoints: [join(folder, 'pageServer.ts')],
  define: { 'import.meta.dirname': JSON.stringify(folder) },
  outfile,
});
const { startPageServer, pageNames } = await import(pathToFileURL(outfile).href);
const { origin } = await startPageServer();
for (const page of pageNames)
  console.log(
    `${origin}/${page}?state=${page === 'form' ? 'ready' : page === 'run' ? 'running' : 'answered'}&theme=dark`,
  );
console.log('state: a name in test/webview/snapshots; theme: dark, light or contrast');

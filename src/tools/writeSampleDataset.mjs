/** Writes media/sample/ anew from its generator: `node src/tools/writeSampleDataset.mjs`. A test keeps the two equal. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const bundle = fileURLToPath(new URL('../../.cache/tools/sampleDataset.mjs', import.meta.url));
const target = new URL('../../media/sample/', import.meta.url);

await build({
  entryPoints: [fileURLToPath(new URL('./sampleDataset.ts', import.meta.url))],
  outfile: bundle,
  bundle: true,
  format: 'esm',
  platform: 'node',
  logLevel: 'warning',
});
const { serializeSampleDataset } = await import(bundle);
mkdirSync(target, { recursive: true });
writeFileSync(new URL('harbour-museum.jsonl', target), serializeSampleDataset());

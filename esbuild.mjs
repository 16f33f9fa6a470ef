// @ts-check
/**
 * Builds every program of the extension: `node esbuild.mjs [--watch] [--production] [--outdir FOLDER (dist)]`; with
 * `--bench` the programs of test/bench instead, into .cache/bench.
 */
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { build, context } from 'esbuild';
import { writeNotices } from './src/tools/thirdPartyNotices.mjs';

const { values } = parseArgs({
  options: {
    watch: { type: 'boolean', default: false },
    production: { type: 'boolean', default: false },
    bench: { type: 'boolean', default: false },
    outdir: { type: 'string', default: 'dist' },
  },
});
const { watch, production, bench, outdir } = values;

/** @param {Record<string, string>} entries */
const existing = entries => Object.fromEntries(Object.entries(entries).filter(([, file]) => existsSync(file)));

/**
 * transformers.js requires onnxruntime-node while it loads, by a name that bundlers do not see. Here it serves text
 * only: it gets an empty object, so that a process that never computes never loads the native library, and the packaged
 * extension needs no node_modules. Where src/core/runtime set globalThis[Symbol.for('onnxruntime')], it uses that copy.
 * @type {import('esbuild').Plugin}
 */
const textOnlyTransformers = {
  name: 'text-only-transformers',
  setup(building) {
    building.onLoad({ filter: /transformers\.node\.mjs$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8');
      const call = 'requireFromHere("onnxruntime-node")';
      if (source.split(call).length !== 2) {
        return { errors: [{ text: `expected ${call} once in ${path}: adapt esbuild.mjs to this transformers.js` }] };
      }
      return { contents: source.replace(call, '{}'), loader: 'js' };
    });
  },
};

/** @type {import('esbuild').BuildOptions} */
const common = {
  bundle: true,
  minify: production,
  sourcemap: production ? false : 'linked',
  legalComments: 'none', // the licences stand in THIRD_PARTY_NOTICES.txt
  logLevel: 'warning',
};

/** The editor's own process: CommonJS, never loads the engine. @type {import('esbuild').BuildOptions} */
const host = {
  ...common,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  external: ['vscode'],
  define: { navigator: 'undefined' }, // zod looks at it, and VS Code logs every extension that does
  entryPoints: existing({ extension: 'src/extension.ts' }),
  outdir,
  outExtension: { '.js': '.cjs' },
};

/**
 * Programs that run on Node. transformers.js imports sharp and onnxruntime-web although text needs neither: a truthy
 * stub stands in for both. onnxruntime-node stays outside the bundles because it has a native part.
 * @type {import('esbuild').BuildOptions}
 */
const node = {
  ...common,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  external: ['onnxruntime-node'],
  plugins: [textOnlyTransformers],
  alias: {
    sharp: './src/tools/emptyModule.cjs',
    'onnxruntime-web/webgpu': './src/tools/emptyModule.cjs',
    'onnxruntime-web': './src/tools/emptyModule.cjs',
  },
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  entryPoints: existing({
    cli: 'src/cli/main.ts',
    trainer: 'src/processes/trainer/main.ts',
    trainerWorker: 'src/processes/trainer/worker.ts',
    inference: 'src/processes/inference/main.ts',
    augment: 'src/processes/augment/main.ts',
    dataset: 'src/processes/dataset/main.ts',
    python: 'src/processes/python/main.ts',
    exporter: 'src/processes/exporter/main.ts',
    tracker: 'src/processes/tracker/main.ts',
    server: 'src/processes/server/main.ts',
  }),
  outdir,
};

const pages = existsSync('webview')
  ? readdirSync('webview', { withFileTypes: true })
      .filter(entry => entry.isDirectory() && existsSync(`webview/${entry.name}/main.ts`))
      .map(entry => entry.name)
  : [];

/** @type {import('esbuild').BuildOptions} */
const webview = {
  ...common,
  platform: 'browser',
  target: 'es2022',
  format: 'iife',
  entryPoints: Object.fromEntries(pages.map(page => [page, `webview/${page}/main.ts`])),
  outdir: join(outdir, 'webview'),
};

const configs = [host, node, webview].filter(config => Object.keys(config.entryPoints ?? {}).length > 0);
if (bench) {
  const entryPoints = ['train', 'big', 'decode', 'prepareDecoding'].map(name => `test/bench/${name}.ts`);
  await build({ ...node, entryPoints, outdir: '.cache/bench' });
} else if (watch) {
  for (const config of configs) await (await context(config)).watch();
} else {
  rmSync(outdir, { recursive: true, force: true });
  const results = await Promise.all(configs.map(config => build({ ...config, metafile: true })));
  mkdirSync(outdir, { recursive: true });
  // The Python engine travels as it is, without what Python itself leaves beside it.
  cpSync('src/engines/optuna', join(outdir, 'optuna'), { recursive: true });
  cpSync('src/engines/pytorch', join(outdir, 'pytorch'), {
    recursive: true,
    filter: path => !path.includes('__pycache__') && ['', '.py', '.txt'].includes(extname(path)),
  });
  copyFileSync('src/processes/tracker/wandbSidecar.py', join(outdir, 'wandbSidecar.py'));
  if (production) {
    const inputs = results.flatMap(result => Object.keys(result.metafile.inputs));
    writeFileSync(join(outdir, 'THIRD_PARTY_NOTICES.txt'), writeNotices(inputs));
  }
}

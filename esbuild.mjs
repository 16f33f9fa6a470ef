/** Builds every program of the extension into dist/. `node esbuild.mjs [--watch] [--production]` */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { build, context } from 'esbuild';

const production = process.argv.includes('--production');
const watch = process.argv.includes('--watch');
const existing = entries => Object.fromEntries(Object.entries(entries).filter(([, file]) => existsSync(file)));

const common = {
  bundle: true,
  minify: production,
  sourcemap: production ? false : 'linked',
  logLevel: 'warning',
  metafile: true,
};

/** The editor's own process: CommonJS, never loads the engine. */
const host = {
  ...common,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  external: ['vscode'],
  entryPoints: existing({ extension: 'src/extension.ts' }),
  outdir: 'dist',
  outExtension: { '.js': '.cjs' },
};

/**
 * Programs that run on Node. transformers.js imports sharp and onnxruntime-web although text needs neither:
 * a truthy stub stands in for both, and onnxruntime-node stays outside the bundle because it has a native part.
 */
const node = {
  ...common,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  external: ['onnxruntime-node'],
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
    dataset: 'src/processes/dataset/main.ts',
  }),
  outdir: 'dist',
};

const pages = existsSync('webview')
  ? readdirSync('webview', { withFileTypes: true })
      .filter(e => e.isDirectory() && existsSync(`webview/${e.name}/main.ts`))
      .map(e => e.name)
  : [];

const webview = {
  ...common,
  platform: 'browser',
  target: 'es2022',
  format: 'iife',
  entryPoints: Object.fromEntries(pages.map(page => [page, `webview/${page}/main.ts`])),
  outdir: 'dist/webview',
};

const configs = [host, node, webview].filter(c => Object.keys(c.entryPoints).length > 0);
if (watch) {
  for (const config of configs) await (await context(config)).watch();
} else {
  rmSync('dist', { recursive: true, force: true });
  await Promise.all(configs.map(config => build(config)));
}

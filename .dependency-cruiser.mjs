/** Who may import whom: STYLE in CONTRIBUTING.md explains each rule. Checked by `npm run check`. */

// src/core in reading order: a folder may import itself and the folders before it.
const coreOrder = [
  'formats',
  'data',
  'text',
  'graph',
  'nn',
  'models',
  'runtime',
  'optim',
  'train',
  'adapter',
  'infer',
  'teachers',
  'judge',
  'runs',
  'python',
  'trackers',
  'search',
  'jobs',
];

const forwardOnly = coreOrder.slice(0, -1).map((folder, i) => ({
  name: `core-${folder}-imports-only-back`,
  severity: 'error',
  from: { path: `^src/core/${folder}/` },
  to: { path: `^src/core/(${coreOrder.slice(i + 1).join('|')})/` },
}));

const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^(src|webview)/', pathNot: allowed },
});

export default {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true, pathNot: '^vscode$' } },
    only('shared-imports-nothing-of-the-house', '^src/shared/', '^src/shared/'),
    {
      name: 'shared-imports-only-the-schema-library',
      severity: 'error',
      from: { path: '^src/shared/' },
      to: { pathNot: '^(src/shared/|node_modules/zod/)' },
    },
    only('core-imports-shared-and-core', '^src/core/', '^src/(core|shared)/'),
    only('processes-import-core-and-shared', '^src/processes/([^/]+)/', '^src/(core|shared)/|^src/processes/$1/'),
    only('cli-imports-core-and-shared', '^src/cli/', '^src/(core|shared|cli)/'),
    only('host-imports-shared', '^src/(host/|extension\\.ts)', '^src/(shared|host)/'),
    only('webview-imports-shared', '^webview/', '^(webview|src/shared)/'),
    {
      name: 'only-runtime-imports-onnxruntime',
      severity: 'error',
      from: { path: '^(src|webview)/', pathNot: '^src/core/runtime/' },
      to: { path: 'onnxruntime-(node|web|common)' },
    },
    {
      name: 'only-host-imports-vscode',
      severity: 'error',
      from: { path: '^(src|webview)/', pathNot: '^src/(host/|extension\\.ts)' },
      to: { path: '^vscode$' },
    },
    {
      name: 'one-module-imports-the-toolkit',
      severity: 'error',
      from: { path: '^webview/', pathNot: '^webview/controls/toolkit\\.ts$' },
      to: { path: '@vscode/webview-ui-toolkit' },
    },
    ...forwardOnly,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // The build file has the name of the package it imports, which the resolver takes for the file itself.
    exclude: { path: '^esbuild\\.mjs$' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.mjs', '.js', '.json'],
    },
  },
};

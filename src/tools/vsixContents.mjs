// @ts-check
/** What may stand in a VSIX, and what must: the second look after .vscodeignore. */
import { nativeFiles, nativeFolder } from './nativeRuntime.mjs';

export const maximumVsixBytes = 40 * 1024 * 1024;

const runtime = 'extension/dist/native/onnxruntime-node';

/** Every file matches one of these. Names as vsce writes them. */
const allowed = [
  /^\[Content_Types\]\.xml$/,
  /^extension\.vsixmanifest$/,
  /^extension\/package(\.nls(\.[a-z]{2}(-[a-z]{2})?)?)?\.json$/,
  /^extension\/(readme\.md|changelog\.md|LICENSE\.txt)$/,
  /^extension\/media\/.+\.(svg|png|md|json|jsonl|safetensors|jinja|txt)$/,
  /^extension\/media\/[^.]*LICENSE$/,
  /^extension\/dist\/(\w+\.c?js|wandbSidecar\.py|THIRD_PARTY_NOTICES\.txt)$/,
  /^extension\/dist\/(pytorch|optuna)\/([a-z_]+\/)*[\w-]+\.(py|txt)$/,
  /^extension\/dist\/webview\/[\w-]+\.(js|css|ttf)$/,
  new RegExp(`^${runtime}/(node_modules/onnxruntime-common/)?(package\\.json|dist/(cjs/)?[\\w-]+\\.js)$`),
];

/** Its code may be passed on only with the licences of what is in it. */
const nativeNotices = /^extension\/media\/notices\/onnxruntime-[\d.]+\.txt$/;

/**
 * What is wrong with the contents, one sentence each.
 * @param {string} target as in `nativeFiles`
 * @param {readonly { path: string, bytes: number, read: () => Buffer }[]} entries
 * @param {number} vsixBytes
 */
export function findContentProblems(target, entries, vsixBytes) {
  const problems = [];
  const paths = new Set(entries.map(entry => entry.path));
  const natives = (nativeFiles[target] ?? []).map(file => `${runtime}/${nativeFolder(target)}/${file}`);
  for (const path of paths) {
    if (natives.includes(path)) continue;
    if (!allowed.some(rule => rule.test(path))) problems.push(`${path}: not on the list of what ships`);
  }
  for (const file of [...natives, `${runtime}/dist/index.js`, ...listNamedFiles(entries)]) {
    if (!paths.has(file)) problems.push(`${file}: missing`);
  }
  if (![...paths].some(path => nativeNotices.test(path)))
    problems.push("the notices of ONNX Runtime's library: missing");
  for (const { path, read } of entries) {
    if (/\.c?js$/.test(path) && read().includes('\n//# sourceMappingURL='))
      problems.push(`${path}: names a source map`);
  }
  if (vsixBytes >= maximumVsixBytes) {
    problems.push(`the VSIX has ${vsixBytes} bytes, expected fewer than ${maximumVsixBytes}`);
  }
  return problems;
}

/**
 * Files that the manifest names: programs, icons, pictures of the walkthrough.
 * @param {readonly { path: string, read: () => Buffer }[]} entries
 */
function listNamedFiles(entries) {
  const entry = entries.find(({ path }) => path === 'extension/package.json');
  if (!entry) return ['extension/package.json'];
  const manifest = JSON.parse(entry.read().toString('utf8'));
  /** @type {string[]} */
  const named = [manifest.main, ...Object.values(manifest.bin ?? {})];
  collectPaths(manifest, named);
  return [...new Set(named)]
    .filter(file => typeof file === 'string')
    .map(file => `extension/${file.replace(/^\.\//, '')}`);
}

/**
 * Every string that is a path into media or dist, however deep it stands.
 * @param {unknown} value
 * @param {string[]} found
 */
function collectPaths(value, found) {
  if (typeof value === 'string') {
    if (/^(\.\/)?(media|dist)\/[^*]+\.\w+$/.test(value)) found.push(value);
  } else if (value !== null && typeof value === 'object') {
    for (const inner of Object.values(value)) collectPaths(inner, found);
  }
}

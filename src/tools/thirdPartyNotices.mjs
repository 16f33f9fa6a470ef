// @ts-check
/** The licences of the packages whose code ships inside the bundles. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

/** Shipped beside the bundles, not inside them. */
const unbundled = ['node_modules/onnxruntime-node', 'node_modules/onnxruntime-common'];

/** Who holds the copyright of packages that ship no licence file, by the beginning of their name. */
const holders = { '@microsoft/fast-': 'Microsoft Corporation', 'onnxruntime-': 'Microsoft Corporation' };

/** Where the notices of ONNX Runtime's native library lie, which the npm package leaves out. @param {string} version */
const nativeNotices = version => `media/notices/onnxruntime-${version}.txt`;

/** @type {Record<string, (version: string) => string[]>} */
const furtherNotices = {
  'onnxruntime-node': version => [
    `Its native library contains further code. Its licences are in ${nativeNotices(version)} beside this folder.`,
    `For Windows it comes with DirectML.dll (Microsoft's terms: https://github.com/microsoft/DirectML) and with dxcompiler.dll
and dxil.dll (https://github.com/microsoft/DirectXShaderCompiler/blob/main/LICENSE.TXT).`,
  ],
};

const mitTerms = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

/**
 * The packages' folders ("node_modules/a", "node_modules/@b/c/node_modules/d") of bundled files, sorted.
 * @param {readonly string[]} inputs paths as esbuild's metafile lists them
 */
export function listPackageFolders(inputs) {
  const folders = inputs.map(input => input.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]);
  return [...new Set(folders.filter(folder => folder !== undefined))].sort();
}

/**
 * The licence of a package that comes without its text.
 * @param {string} name
 * @param {string} version
 * @param {string} license
 */
function writeLicence(name, version, license) {
  const holder = Object.entries(holders).find(([start]) => name.startsWith(start))?.[1];
  if (license !== 'MIT' || holder === undefined) {
    throw new Error(
      `${name}: expected a licence file, got none (${license}): name its holder in thirdPartyNotices.mjs`,
    );
  }
  return [`Copyright (c) ${holder}`, mitTerms, ...(furtherNotices[name]?.(version) ?? [])].join('\n\n');
}

/** @param {readonly string[]} inputs */
export function writeNotices(inputs) {
  const folders = listPackageFolders([...inputs, ...unbundled.map(folder => `${folder}/package.json`)]);
  const notices = folders.map(folder => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const file = readdirSync(join(root, folder)).find(entry => /^(licen[cs]e|copying)(\.|$)/i.test(entry));
    if (name === 'onnxruntime-node' && !existsSync(join(root, nativeNotices(version)))) {
      throw new Error(`${nativeNotices(version)}: expected ONNX Runtime's LICENSE and ThirdPartyNotices.txt, got none`);
    }
    const text = file ? readFileSync(join(root, folder, file), 'utf8').trim() : writeLicence(name, version, license);
    return `${name} ${version} (${license})\n\n${text}\n`;
  });
  return `Tuning Fork contains code of these packages.\n\n${notices.join(`\n${'-'.repeat(72)}\n\n`)}`;
}

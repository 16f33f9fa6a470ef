// @ts-check
/**
 * A Vulkan device without a graphics card, for the tests of WebGPU: SwiftShader and the Vulkan loader, which Debian's
 * Chromium brings. Only Linux on x64 needs it: elsewhere ONNX Runtime takes the system's own device, or has none.
 */
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findChromium, installChromium } from './chromium.mjs';

const isNeeded = process.platform === 'linux' && process.arch === 'x64';
const driver = 'vk_swiftshader_icd.json';

/** What tests need in their environment to find it; undefined where it is missing. @returns {Record<string, string> | undefined} */
export function findSwiftShader() {
  if (!isNeeded) return {};
  const chromium = findChromium();
  const folders = [
    ...(chromium && existsSync(chromium) ? [dirname(realpathSync(chromium))] : []),
    '/usr/lib/chromium',
    '/usr/lib/chromium-browser',
    '/opt/google/chrome',
  ];
  const folder = folders.find(place => existsSync(join(place, driver)));
  if (folder === undefined) return undefined;
  const libraries = [process.env.LD_LIBRARY_PATH, folder].filter(Boolean).join(':');
  return { VK_ICD_FILENAMES: join(folder, driver), LD_LIBRARY_PATH: libraries };
}

export function describeMissingSwiftShader() {
  return `no SwiftShader found (${driver}, which Debian's chromium package brings)`;
}

/** Installs the Chromium that brings it, where we may. @throws when that is impossible */
export async function installSwiftShader() {
  await installChromium();
  if (!findSwiftShader()) throw new Error(`${describeMissingSwiftShader()}, not even after installing chromium`);
}

// @ts-check
/** The browser of the webview and end-to-end suites: a Chromium or Chrome that is installed, driven by playwright-core. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isDebianRoot } from './python.mjs';
import { findOnPath, requireCommand } from './runCommand.mjs';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome', 'msedge'];
const places = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ...[process.env.PROGRAMFILES, process.env.LOCALAPPDATA]
    .filter(base => base !== undefined)
    .map(base => join(base, 'Google/Chrome/Application/chrome.exe')),
];

/** The browser's program, or undefined. CHROMIUM comes first. */
export function findChromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  return findOnPath(names) ?? places.find(place => existsSync(place));
}

export function describeMissingChromium() {
  return 'no Chromium or Chrome found (install one, or set CHROMIUM to its program)';
}

/** Installs Debian's Chromium where we may. @throws when that is impossible */
export async function installChromium() {
  const found = findChromium();
  if (found) return found;
  if (!isDebianRoot())
    throw new Error(`${describeMissingChromium()}; only root on Debian or Ubuntu can be helped here`);
  console.log('apt-get: installing chromium and fonts-dejavu-core');
  await requireCommand(['apt-get', 'update', '-qq'], { limitMs: 5 * 60_000 });
  await requireCommand(
    ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-dejavu-core'],
    { limitMs: 10 * 60_000, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } },
  );
  const installed = findChromium();
  if (!installed) throw new Error('apt-get installed chromium, but its program is not on PATH');
  return installed;
}

// @ts-check
/** Starts VS Code's server on this machine's own address, for the demo and for the end-to-end suite. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireCommand } from './runCommand.mjs';

/**
 * @typedef {object} ServerPlan
 * @property {import('./vscode.mjs').Vscode} vscode
 * @property {string} folder holds everything the server writes: settings, installed extensions, logs
 * @property {boolean} [trustAll] every folder counts as trusted (default false: VS Code's own way)
 * @property {string} [token] asked of every visitor; none when absent
 * @property {boolean} [driver] lets a page load an extension from source (extensionDevelopmentPath)
 * @property {Record<string, unknown>} [settings] the user's settings
 * @property {Record<string, string>} [env] added to the environment
 */
/** @typedef {{ port: number, pid: number, readOutput: () => string, exited: Promise<void>, stop: () => Promise<void> }} RunningServer */

/** Quiet, and no request that leaves the machine. */
const quietSettings = {
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.enableExperiments': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.welcomePage.walkthroughs.openOnInstall': false,
  'telemetry.telemetryLevel': 'off',
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'update.mode': 'none',
  'git.enabled': false,
  'chat.commandCenter.enabled': false,
  'chat.disableAIFeatures': true,
  'window.menuBarVisibility': 'compact',
};

/** Installs a VSIX for a server that is (or will be) started on the same plan. @param {ServerPlan} plan @param {string} vsix */
export async function installExtension(plan, vsix) {
  await requireCommand([...serverCommand(plan), '--install-extension', vsix], {
    env: serverEnvironment(plan),
    limitMs: 60_000,
  });
}

/** Writes the user's settings; a running window takes them up at once. @param {ServerPlan} plan */
export function writeSettings(plan) {
  const settings = {
    ...quietSettings,
    ...(plan.trustAll && { 'security.workspace.trust.enabled': false }),
    ...plan.settings,
  };
  for (const kind of ['User', 'Machine']) {
    const folder = join(plan.folder, 'user-data', kind);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings, null, 2));
  }
}

/**
 * Resolves when the server answers, on a free port of 127.0.0.1.
 * @param {ServerPlan} plan
 * @returns {Promise<RunningServer>}
 */
export async function startServer(plan) {
  writeSettings(plan);
  const [file = '', ...args] = [
    ...serverCommand(plan),
    ...['--host', '127.0.0.1', '--port', '0'],
    ...(plan.token ? ['--connection-token', plan.token] : ['--without-connection-token']),
    ...['--disable-telemetry', '--disable-update-check'],
    ...(plan.trustAll ? ['--disable-workspace-trust'] : []),
    ...(plan.driver ? ['--enable-smoke-test-driver'] : []),
  ];
  const child = spawn(file, args, { env: serverEnvironment(plan), stdio: ['ignore', 'pipe', 'pipe'] });
  process.once('exit', () => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      output += text;
    });
  }
  let ended = false;
  /** @type {Promise<void>} */
  const exited = new Promise(resolve => {
    child.once('error', error => {
      output += String(error);
      ended = true;
      resolve();
    });
    child.once('exit', () => {
      ended = true;
      resolve();
    });
  });
  const port = await waitForPort(
    () => output,
    () => ended,
  );
  return {
    port,
    pid: Number(child.pid),
    readOutput: () => output,
    exited,
    stop: async () => {
      if (ended) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 4000);
      await exited;
      clearTimeout(timer);
    },
  };
}

/**
 * @param {() => string} readOutput
 * @param {() => boolean} hasEnded
 */
async function waitForPort(readOutput, hasEnded) {
  for (let waited = 0; waited < 60_000; waited += 50) {
    const port = Number(readOutput().match(/listening on (\d+)/)?.[1]);
    if (port) return port;
    if (hasEnded()) break;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error(`VS Code's server did not start:\n${readOutput()}`);
}

/** @param {ServerPlan} plan */
function serverCommand(plan) {
  return [
    plan.vscode.node,
    join(plan.vscode.folder, 'out/server-main.js'),
    '--accept-server-license-terms',
    ...['--server-data-dir', join(plan.folder, 'server-data')],
    ...['--user-data-dir', join(plan.folder, 'user-data')],
    ...['--extensions-dir', join(plan.folder, 'extensions')],
  ];
}

/** @param {ServerPlan} plan @returns {NodeJS.ProcessEnv} */
function serverEnvironment(plan) {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(VSCODE|ELECTRON)_/.test(name));
  return { ...Object.fromEntries(inherited), EXTENSIONS_GALLERY: '{}', ...plan.env };
}

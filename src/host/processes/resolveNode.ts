/** @file Settings and machine -> the Node that runs our processes. The workspace has no say in it. */
import { realpath, stat } from 'node:fs/promises';
import { basename, delimiter, isAbsolute, join } from 'node:path';
import { TuneError } from '../../shared/errors.ts';
import { type Environment, isInside, safePath } from './childEnvironment.ts';

export const oldestNodeMajor = 20;

export interface NodeChoice {
  file: string;
  version: string;
  source: 'setting' | 'editor' | 'path' | 'electron';
  /** Merged into the child's environment. */
  env: Environment;
}

export interface NodeSurroundings {
  /** The setting; empty when not set. */
  setting: string;
  execPath: string;
  /** Whether the editor itself runs in Electron. */
  isElectron: boolean;
  ownVersion: string;
  env: Environment;
  platform: string;
  workspaceFolders: readonly string[];
  /** `vX.Y.Z` that the program prints, or undefined when it is no Node. */
  readVersion(file: string): Promise<string | undefined>;
}

/** @throws TuneError `usage` when the setting names no usable Node */
export async function resolveNode(around: NodeSurroundings): Promise<NodeChoice> {
  if (around.setting !== '') return await checkSetting(around);
  if (!around.isElectron && /^node(\.exe)?$/i.test(basename(around.execPath))) {
    return { file: around.execPath, version: around.ownVersion, source: 'editor', env: {} };
  }
  const onPath = await findOnPath(around);
  if (onPath !== undefined) return onPath;
  const env = around.isElectron ? { ELECTRON_RUN_AS_NODE: '1' } : {};
  return { file: around.execPath, version: around.ownVersion, source: around.isElectron ? 'electron' : 'editor', env };
}

async function checkSetting(around: NodeSurroundings): Promise<NodeChoice> {
  const file = around.setting;
  const expected = `tuningFork.nodePath: expected the absolute path of Node ${oldestNodeMajor} or newer`;
  const hint = 'Correct the setting, or clear it to let Tuning Fork find Node by itself.';
  if (!isAbsolute(file)) throw new TuneError('usage', `${expected}, got "${file}"`, { hint });
  const version = await around.readVersion(file);
  if (version === undefined || !isNewEnough(version)) {
    throw new TuneError('usage', `${expected}, got "${file}" (${version ?? 'not a Node program'})`, { hint });
  }
  return { file, version, source: 'setting', env: {} };
}

async function findOnPath(around: NodeSurroundings): Promise<NodeChoice | undefined> {
  const name = around.platform === 'win32' ? 'node.exe' : 'node';
  const path = Object.entries(around.env).find(([key]) => key.toUpperCase() === 'PATH')?.[1] ?? '';
  for (const folder of safePath(path, around.workspaceFolders, delimiter)) {
    const file = join(folder, name);
    const found = await stat(file).catch(() => undefined);
    if (found?.isFile() !== true) continue;
    const real = await realpath(file).catch(() => file);
    if (around.workspaceFolders.some(workspace => isInside(real, workspace))) continue;
    const version = await around.readVersion(file);
    if (version !== undefined && isNewEnough(version)) return { file, version, source: 'path', env: {} };
  }
  return undefined;
}

function isNewEnough(version: string): boolean {
  const major = /^v(\d+)\./.exec(version)?.[1];
  return major !== undefined && Number(major) >= oldestNodeMajor;
}

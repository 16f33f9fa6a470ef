/** @file The Hub cache of this user -> the models in it that can be trained on without a download. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelChoice } from '../../shared/pages.ts';
import type { Environment } from '../processes/childEnvironment.ts';

/** Where the Hub's own tools keep models: the setting, HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME or ~/.cache. */
export function findHubCache(setting: string, env: Environment, home: string): string {
  if (setting !== '') return setting;
  const expand = (path: string) => path.replace(/^~(?=$|[/\\])/, home);
  const chosen = env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE;
  if (chosen) return expand(chosen);
  if (env.HF_HOME) return join(expand(env.HF_HOME), 'hub');
  return join(env.XDG_CACHE_HOME || join(home, '.cache'), 'huggingface', 'hub');
}

/** Models with a configuration and weights in one of their snapshots. */
export async function listHubCache(cache: string): Promise<ModelChoice[]> {
  const found: ModelChoice[] = [];
  for (const name of await readdir(cache).catch((): string[] => [])) {
    const id = /^models--([\w.-]+?)--([\w.-]+)$/.exec(name);
    if (id === null) continue;
    if (!(await hasCompleteSnapshot(join(cache, name, 'snapshots')))) continue;
    found.push({ id: `${id[1]}/${id[2]}`, label: `${id[1]}/${id[2]}`, detail: 'downloaded' });
  }
  return found;
}

async function hasCompleteSnapshot(folder: string): Promise<boolean> {
  for (const revision of await readdir(folder).catch((): string[] => [])) {
    const files = await readdir(join(folder, revision)).catch((): string[] => []);
    if (files.includes('config.json') && files.some(f => f.endsWith('.safetensors'))) return true;
  }
  return false;
}

/** `tuning-fork cache`: models downloaded from the Hub and weights rounded to 4 bit, and how much disk they take. */
import { existsSync, lstatSync, readdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { locateHub } from '../../core/models/hub/hubLocation.ts';
import { listCachedWeights } from '../../core/models/weightCache.ts';
import { exitCodes } from '../../shared/commandLine.ts';
import { formatBytes } from '../../shared/formatBytes.ts';
import { weightCacheFolder } from '../../shared/userCache.ts';
import type { Command } from '../command.ts';
import type { Output } from '../output.ts';

export const cache: Command = {
  name: 'cache',
  summary: 'List downloaded models and weights rounded to 4 bit, with the disk they take; --clear empties the latter.',
  usage: '',
  options: [{ name: 'clear', help: 'Delete the rounded weights. Runs that need them round them again.' }],
  maxPositionals: 0,
  details:
    'Downloads lie in the standard cache of Hugging Face (HF_HUB_CACHE, HF_HOME); other programs share it. Rounded weights (baseWeights 4bit) lie in a ' +
    'cache of their own (TUNING_FORK_CACHE) of at most TUNING_FORK_CACHE_BYTES, 32 GiB by default: what was used longest ago goes first.',
  run: async (args, output) => {
    const { cache: folder } = locateHub(undefined, process.env);
    const names = existsSync(folder) ? readdirSync(folder).filter(name => name.startsWith('models--')) : [];
    const models = names.sort().map(name => {
      const path = join(folder, name);
      return { id: name.slice('models--'.length).replace('--', '/'), path, bytes: countBytes(path) };
    });
    for (const { id, path, bytes } of models)
      output.print(`${formatBytes(bytes).padStart(10)}  ${id}\n            ${path}`);
    const bytes = models.reduce((sum, model) => sum + model.bytes, 0);
    output.print(`${models.length} models, ${formatBytes(bytes)} in ${folder}`);
    const rounded = reportRounded(args.has('clear'), output);
    output.line({ type: 'result', folder, bytes, models, rounded });
    return exitCodes.done;
  },
};

function reportRounded(clears: boolean, output: Output) {
  const folder = weightCacheFolder({ platform: process.platform, home: homedir(), env: process.env });
  const files = listCachedWeights(folder).map(({ path, bytes, usedAtMs }) => {
    if (clears) rmSync(path, { recursive: true, force: true });
    return { path, bytes, usedAt: new Date(usedAtMs).toISOString() };
  });
  for (const { path, bytes } of files) output.print(`${formatBytes(bytes).padStart(10)}  ${path}`);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const what = clears ? 'deleted from' : 'in';
  output.print(`${files.length} models rounded to 4 bit, ${formatBytes(bytes)} ${what} ${folder}`);
  return { folder, bytes, files, cleared: clears };
}

/** Links count nothing: snapshots point to blobs. */
function countBytes(path: string): number {
  const stat = lstatSync(path);
  if (!stat.isDirectory()) return stat.isFile() ? stat.size : 0;
  return readdirSync(path).reduce((sum, name) => sum + countBytes(join(path, name)), 0);
}

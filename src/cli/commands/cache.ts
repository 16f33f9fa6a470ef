/** `tuning-fork cache`: models downloaded from the Hub, and how much disk they take. */
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { locateHub } from '../../core/models/hub/hubLocation.ts';
import { exitCodes } from '../../shared/commandLine.ts';
import { formatBytes } from '../../shared/formatBytes.ts';
import type { Command } from '../command.ts';

export const cache: Command = {
  name: 'cache',
  summary: 'List the models downloaded from the Hub and the disk they take.',
  usage: '',
  options: [],
  maxPositionals: 0,
  details: 'The cache is the standard one of Hugging Face (HF_HUB_CACHE, HF_HOME); other programs share it.',
  run: async (_args, output) => {
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
    output.line({ type: 'result', folder, bytes, models });
    return exitCodes.done;
  },
};

/** Links count nothing: snapshots point to blobs. */
function countBytes(path: string): number {
  const stat = lstatSync(path);
  if (!stat.isDirectory()) return stat.isFile() ? stat.size : 0;
  return readdirSync(path).reduce((sum, name) => sum + countBytes(join(path, name)), 0);
}

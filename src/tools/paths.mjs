// @ts-check
/** Where the tools keep things. */
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Ignored by git. Several clones may share one folder by TUNING_FORK_CACHE. */
export const cacheFolder = process.env.TUNING_FORK_CACHE
  ? resolve(process.env.TUNING_FORK_CACHE)
  : join(root, '.cache');

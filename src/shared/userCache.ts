/** @file Where this user's rebuildable files lie, outside every workspace. */
import type { UserPlace } from './processRegistry.ts';

/** Weights of 4 bit, rounded once. `TUNING_FORK_CACHE` moves the folder that holds it. */
export function weightCacheFolder(place: UserPlace): string {
  return `${userCacheFolder(place)}/weights`;
}

/** Virtual environments for the PyTorch engine. */
export function pythonFolder(place: UserPlace): string {
  return `${userCacheFolder(place)}/python`;
}

/** 32 GiB, a handful of models of 7 billion weights, or what `TUNING_FORK_CACHE_BYTES` says. */
export function weightCacheBudget({ env }: Pick<UserPlace, 'env'>): number {
  const chosen = Number(env.TUNING_FORK_CACHE_BYTES);
  return chosen > 0 ? chosen : 32 * 2 ** 30;
}

function userCacheFolder({ platform, home, env }: UserPlace): string {
  const chosen = env.TUNING_FORK_CACHE;
  if (chosen !== undefined && isAbsolutePath(chosen)) return chosen;
  if (platform === 'win32') return `${env.LOCALAPPDATA ?? `${home}/AppData/Local`}/tuning-fork/cache`;
  if (platform === 'darwin') return `${home}/Library/Caches/tuning-fork`;
  const caches = env.XDG_CACHE_HOME;
  return `${caches !== undefined && isAbsolutePath(caches) ? caches : `${home}/.cache`}/tuning-fork`;
}

function isAbsolutePath(path: string): boolean {
  return /^(\/|[A-Za-z]:[\\/]|\\\\)/.test(path);
}

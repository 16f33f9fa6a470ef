import { describe, expect, it } from 'vitest';
import { weightCacheBudget, weightCacheFolder } from '../../../src/shared/userCache.ts';

describe('weightCacheFolder', () => {
  it.each([
    ['linux', {}, '/home/ada/.cache/tuning-fork/weights'],
    ['linux', { XDG_CACHE_HOME: '/caches' }, '/caches/tuning-fork/weights'],
    ['darwin', {}, '/home/ada/Library/Caches/tuning-fork/weights'],
    ['win32', { LOCALAPPDATA: 'C:\\Local' }, 'C:\\Local/tuning-fork/cache/weights'],
    ['linux', { TUNING_FORK_CACHE: '/elsewhere' }, '/elsewhere/weights'],
    ['linux', { TUNING_FORK_CACHE: 'not/absolute' }, '/home/ada/.cache/tuning-fork/weights'],
  ])('is where %s keeps caches, given %j', (platform, env, expected) => {
    expect(weightCacheFolder({ platform, home: '/home/ada', env })).toBe(expected);
  });
});

describe('weightCacheBudget', () => {
  it('is 32 GiB unless a number of bytes is given', () => {
    expect(weightCacheBudget({ env: {} })).toBe(32 * 2 ** 30);
    expect(weightCacheBudget({ env: { TUNING_FORK_CACHE_BYTES: '1000' } })).toBe(1000);
    expect(weightCacheBudget({ env: { TUNING_FORK_CACHE_BYTES: 'much' } })).toBe(32 * 2 ** 30);
  });
});

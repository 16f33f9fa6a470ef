import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findModels, workspaceBounds } from '../../../../src/host/form/findModels.ts';
import { findHubCache, listHubCache } from '../../../../src/host/form/hubCache.ts';
import { useTemporaryFolder } from '../temporaryFolder.ts';

const folder = useTemporaryFolder();
const write = (path: string, content = '') => {
  mkdirSync(dirname(join(folder(), path)), { recursive: true });
  writeFileSync(join(folder(), path), content);
};
const ids = (models: { id: string }[]) => models.map(m => m.id.slice(folder().length + 1)).sort();

describe('findModels', () => {
  it('finds GGUF files and folders with a configuration and safetensors', async () => {
    write('models/a/config.json');
    write('models/a/model.safetensors', 'x'.repeat(1000));
    write('models/b.gguf', 'x');
    write('models/only-config/config.json');
    write('models/only-weights/model.safetensors');
    expect(ids(await findModels([folder()], workspaceBounds))).toEqual(['models/a', 'models/b.gguf']);
  });

  it('looks neither into hidden nor into build folders', async () => {
    for (const name of ['.tuning-fork', '.git', 'node_modules', 'dist']) write(`${name}/m.gguf`);
    expect(await findModels([folder()], workspaceBounds)).toEqual([]);
  });

  it('stops at its bounds, near models first', async () => {
    write('near.gguf');
    write('a/b/c/d/far.gguf');
    write('a/b/c/d/e/too-far.gguf');
    expect(ids(await findModels([folder()], workspaceBounds))).toEqual(['a/b/c/d/far.gguf', 'near.gguf']);
    expect(ids(await findModels([folder()], { ...workspaceBounds, maxEntries: 1 }))).toEqual(['near.gguf']);
    expect(await findModels([folder()], { ...workspaceBounds, maxModels: 1 })).toHaveLength(1);
  });

  it('says nothing about a folder that is not there', async () => {
    expect(await findModels([join(folder(), 'gone')], workspaceBounds)).toEqual([]);
  });
});

describe('listHubCache', () => {
  it('lists models whose weights are there', async () => {
    write('models--org--name/snapshots/abc/config.json');
    write('models--org--name/snapshots/abc/model.safetensors');
    write('models--org--partial/snapshots/abc/config.json');
    write('datasets--org--data/snapshots/abc/model.safetensors');
    expect((await listHubCache(folder())).map(m => m.id)).toEqual(['org/name']);
  });

  it.each([
    [{ HF_HUB_CACHE: '/c', HF_HOME: '/h' }, '/c'],
    [{ HUGGINGFACE_HUB_CACHE: '~/c' }, '/home/user/c'],
    [{ HF_HOME: '/h', XDG_CACHE_HOME: '/x' }, '/h/hub'],
    [{ XDG_CACHE_HOME: '/x' }, '/x/huggingface/hub'],
    [{}, '/home/user/.cache/huggingface/hub'],
  ])('looks where the tools of the Hub look: %j', (env, expected) => {
    expect(findHubCache('', env, '/home/user')).toBe(expected);
    expect(findHubCache('/setting', env, '/home/user')).toBe('/setting');
  });
});

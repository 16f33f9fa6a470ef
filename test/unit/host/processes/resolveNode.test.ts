import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type NodeSurroundings, resolveNode } from '../../../../src/host/processes/resolveNode.ts';
import { useTemporaryFolder } from '../temporaryFolder.ts';

describe('resolveNode', () => {
  const folder = useTemporaryFolder();
  const place = (name: string) => {
    mkdirSync(join(folder(), name), { recursive: true });
    const file = join(folder(), name, 'node');
    writeFileSync(file, '');
    chmodSync(file, 0o755);
    return file;
  };
  const around = (changes: Partial<NodeSurroundings>): NodeSurroundings => ({
    setting: '',
    execPath: '/opt/editor/editor',
    isElectron: true,
    ownVersion: 'v24.0.0',
    env: { PATH: '' },
    platform: 'linux',
    workspaceFolders: [join(folder(), 'workspace')],
    readVersion: async () => 'v22.1.0',
    ...changes,
  });

  it('takes the setting before everything else', async () => {
    const file = place('own');
    expect(await resolveNode(around({ setting: file }))).toMatchObject({ file, source: 'setting', version: 'v22.1.0' });
  });

  it.each([
    ['a relative path', 'bin/node', 'v22.1.0'],
    ['a program that is no Node', '/bin/false', undefined],
    ['an old Node', '/usr/bin/node', 'v18.20.0'],
  ])('refuses a setting with %s', async (_, setting, version) => {
    await expect(resolveNode(around({ setting, readVersion: async () => version }))).rejects.toMatchObject({
      code: 'usage',
    });
  });

  it("takes the editor's own Node where the editor runs on one", async () => {
    const choice = await resolveNode(around({ isElectron: false, execPath: '/opt/server/node' }));
    expect(choice).toMatchObject({ file: '/opt/server/node', source: 'editor', env: {} });
  });

  it('finds the first new enough Node on the PATH, outside the workspace', async () => {
    place('workspace/bin');
    const old = place('old');
    const good = place('good');
    const PATH = ['bin', join(folder(), 'workspace/bin'), join(folder(), 'old'), join(folder(), 'good')].join(':');
    const readVersion = async (file: string) => (file === old ? 'v18.0.0' : 'v20.0.0');
    expect(await resolveNode(around({ env: { PATH }, readVersion }))).toMatchObject({ file: good, source: 'path' });
  });

  it('does not follow a link on the PATH into the workspace', async () => {
    const inside = place('workspace/bin');
    mkdirSync(join(folder(), 'links'));
    symlinkSync(inside, join(folder(), 'links', 'node'));
    const choice = await resolveNode(around({ env: { PATH: join(folder(), 'links') } }));
    expect(choice.source).toBe('electron');
  });

  it('falls back to Electron as Node', async () => {
    expect(await resolveNode(around({}))).toMatchObject({
      file: '/opt/editor/editor',
      source: 'electron',
      env: { ELECTRON_RUN_AS_NODE: '1' },
    });
  });
});

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HubTarget } from '../../../../../src/core/models/hub/push/hubApi.ts';
import { pushFolder } from '../../../../../src/core/models/hub/push/pushFolder.ts';
import { temporaryFolder } from '../../../../support/temporaryFolder.ts';
import { PushServer } from './pushServer.ts';

const server = { current: new PushServer() };
const weights = Buffer.from(Array.from({ length: 5000 }, (_, i) => i % 251));

beforeEach(async () => {
  server.current = new PushServer();
  await server.current.start();
});
afterEach(() => server.current.stop());

function makeFolder(): string {
  const folder = temporaryFolder();
  for (const inner of ['onnx', '.git']) mkdirSync(join(folder, inner));
  // Nobody's to publish.
  for (const hidden of ['.env', '.git/config']) writeFileSync(join(folder, hidden), 'key = secret\n');
  writeFileSync(join(folder, 'README.md'), '# card\n');
  writeFileSync(join(folder, 'model.safetensors'), weights);
  writeFileSync(join(folder, 'onnx/config.json'), '{}');
  return folder;
}

const push = (folder: string, changes: Partial<HubTarget> = {}, onBytes: (bytes: number) => void = () => undefined) =>
  pushFolder(
    folder,
    {
      endpoint: server.current.endpoint,
      token: server.current.token,
      repository: 'me/plants',
      retryDelayMs: 1,
      ...changes,
    },
    { isPrivate: true, message: 'first', onProgress: onBytes },
  );

describe('pushFolder', () => {
  it.each([undefined, 2000])('makes a private repository and commits every file (parts of %s bytes)', async chunk => {
    server.current.chunkBytes = chunk;
    const progress: number[] = [];
    const pushed = await push(makeFolder(), {}, bytes => progress.push(bytes));
    expect(pushed).toMatchObject({ commit: 'abc123', files: 3, isNew: true });
    expect(server.current.repositories.get('me/plants')).toEqual({ private: true });
    expect([...server.current.stored.values()]).toEqual([weights]);
    expect(server.current.uploads).toHaveLength(chunk === undefined ? 1 : 3);
    expect(server.current.uploads.every(({ authorization }) => authorization === undefined)).toBe(true);
    const [header, ...files] = server.current.commits[0]!;
    expect(header).toMatchObject({ key: 'header', value: { summary: 'first' } });
    expect(files.map(({ key, value }) => [key, value.path])).toEqual([
      ['file', 'README.md'],
      ['lfsFile', 'model.safetensors'],
      ['file', 'onnx/config.json'],
    ]);
    expect(Buffer.from(String(files[0]!.value.content), 'base64').toString()).toBe('# card\n');
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(progress.at(-1)).toBe(5000 + 7 + 2);
  });

  it('leaves hidden files here, except for what Git LFS reads', async () => {
    const folder = makeFolder();
    writeFileSync(join(folder, '.gitattributes'), '*.safetensors filter=lfs\n');
    await push(folder);
    const [, ...files] = server.current.commits[0]!;
    expect(files.map(({ value }) => value.path)).toEqual([
      '.gitattributes',
      'README.md',
      'model.safetensors',
      'onnx/config.json',
    ]);
  });

  it('goes on through faults, and sends nothing twice that arrived', async () => {
    for (const what of ['create', 'preupload', 'batch', 'verify', 'commit']) {
      server.current.faults[what] = { kind: what === 'batch' ? 'cut' : 'busy', left: 2 };
    }
    server.current.faults.upload = { kind: 'cut', left: 1 };
    const folder = makeFolder();
    await push(folder);
    expect(server.current.uploads).toHaveLength(1);
    const again = await push(folder);
    expect(again.isNew).toBe(false);
    expect([server.current.uploads.length, server.current.commits.length]).toEqual([1, 2]);
  });

  it('commits nothing when the Hub stays down, and goes on from what arrived', async () => {
    server.current.faults.commit = { kind: 'busy', left: 100 };
    const folder = makeFolder();
    await expect(push(folder)).rejects.toMatchObject({ code: 'download-failed' });
    expect([server.current.uploads.length, server.current.commits.length]).toEqual([1, 0]);
    server.current.faults.commit.left = 0;
    await push(folder);
    expect([server.current.uploads.length, server.current.commits.length]).toEqual([1, 1]);
  });

  it('says what a refused token needs, without the token', async () => {
    const refused = push(makeFolder(), { token: 'hf_wrong' });
    await expect(refused).rejects.toMatchObject({
      code: 'model-gated',
      message: expect.stringMatching(/got 401 \(Bad token\)/),
    });
    await expect(refused).rejects.not.toMatchObject({ message: expect.stringContaining('hf_wrong') });
    expect(server.current.repositories.size).toBe(0);
  });
});

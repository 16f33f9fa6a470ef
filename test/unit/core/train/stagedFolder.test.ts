import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createFolder,
  findCompleteFolder,
  nodeFolderFileSystem,
  recoverFolder,
  replaceFolder,
} from '../../../../src/core/train/stagedFolder.ts';
import { failingWrites, killedAt } from '../../../support/faultyFileSystem.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const bytes = (text: string) => [new TextEncoder().encode(text)];
const version = (text: string) => [
  { name: 'weights', pieces: bytes(`weights ${text}`) },
  { name: 'card', pieces: bytes(`card ${text}`) },
];
const read = (folder: string) => readdirSync(folder).map(name => readFileSync(join(folder, name), 'utf8'));

describe('createFolder', () => {
  it('gives the last files the size and digest of the others', () => {
    const folder = join(temporaryFolder(), 'made');
    createFolder(
      folder,
      [{ name: 'a', pieces: [...bytes('ab'), ...bytes('c')] }],
      written => [{ name: 'list', pieces: bytes(JSON.stringify([...written])) }],
      nodeFolderFileSystem,
    );
    const sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(JSON.parse(readFileSync(join(folder, 'list'), 'utf8'))).toEqual([['a', { bytes: 3, sha256 }]]);
  });

  it.each([
    ['ENOSPC', 'disk-full'],
    ['EDQUOT', 'disk-full'],
    ['EROFS', 'not-writable'],
  ])('turns %s into an error for people and leaves nothing', (code, expected) => {
    const parent = temporaryFolder();
    const create = () => createFolder(join(parent, 'made'), version('1'), () => [], failingWrites(1, code));
    expect(create).toThrow(expect.objectContaining({ code: expected, file: join(parent, 'made') }));
    expect(readdirSync(parent)).toEqual([]);
  });

  it('names a parent that is a file', () => {
    const parent = temporaryFolder();
    writeFileSync(join(parent, 'file'), '');
    const create = () => createFolder(join(parent, 'file', 'made'), [], () => [], nodeFolderFileSystem);
    expect(create).toThrow(expect.objectContaining({ code: 'not-writable' }));
  });
});

describe('replaceFolder', () => {
  it('keeps the old version when the disk is full', () => {
    const folder = join(temporaryFolder(), 'adapter');
    replaceFolder(folder, version('1'), nodeFolderFileSystem);
    expect(() => replaceFolder(folder, version('2'), failingWrites(1, 'ENOSPC'))).toThrow(/room on the disk/);
    expect(read(folder)).toEqual(['card 1', 'weights 1']);
    expect(readdirSync(join(folder, '..'))).toEqual(['adapter']);
  });

  it('has a complete version on disk whenever the process is killed, and none but that one after recovery', () => {
    const parent = temporaryFolder();
    const folder = join(parent, 'adapter');
    let at = 0;
    for (let finished = false; !finished; at++) {
      rmSync(folder, { recursive: true, force: true });
      replaceFolder(folder, version('1'), nodeFolderFileSystem);
      const fileSystem = killedAt(at);
      try {
        replaceFolder(folder, version('2'), fileSystem);
        finished = true;
      } catch {
        expect(fileSystem.count()).toBeGreaterThanOrEqual(at);
      }
      const whole = findCompleteFolder(folder);
      expect(whole === undefined ? [] : read(whole)).toEqual([
        expect.stringMatching(/^card [12]$/),
        expect.stringMatching(/^weights [12]$/),
      ]);
      const seen = read(whole!);
      recoverFolder(folder, nodeFolderFileSystem);
      expect(read(folder)).toEqual(seen);
      expect(seen[0]!.at(-1)).toBe(seen[1]!.at(-1));
      expect(readdirSync(parent)).toEqual(['adapter']);
    }
    expect(at).toBeGreaterThan(15);
  });
});

describe('recoverFolder', () => {
  it('finishes its own work after being killed again', () => {
    const parent = temporaryFolder();
    const folder = join(parent, 'adapter');
    for (let at = 0; at < 8; at++) {
      for (const name of ['adapter', 'adapter.old', 'adapter.new', 'adapter.tmp']) {
        rmSync(join(parent, name), { recursive: true, force: true });
      }
      mkdirSync(folder);
      writeFileSync(join(folder, 'card'), 'old');
      mkdirSync(`${folder}.new`);
      writeFileSync(join(`${folder}.new`, 'card'), 'new');
      try {
        recoverFolder(folder, killedAt(at));
      } catch {
        expect(existsSync(findCompleteFolder(folder)!)).toBe(true);
      }
      recoverFolder(folder, nodeFolderFileSystem);
      expect(read(folder)).toEqual(['new']);
      expect(readdirSync(parent)).toEqual(['adapter']);
    }
  });
});

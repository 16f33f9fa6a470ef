/** File systems that fail on purpose: a process killed before its n-th call, and a disk that is full or read-only. */
import { type FolderFileSystem, nodeFolderFileSystem } from '../../src/core/train/stagedFolder.ts';

export class Killed extends Error {}

const names = ['openSync', 'writeSync', 'fsyncSync', 'closeSync', 'renameSync', 'makeFolder', 'removeTree'] as const;

/** Every call from number `at` (from 0) on throws, as nothing more is done by a process that is dead. `count` tells the calls so far. */
export function killedAt(at: number): FolderFileSystem & { count: () => number } {
  let calls = 0;
  const before = () => {
    if (calls++ >= at) throw new Killed(`killed before call ${at}`);
  };
  return { ...wrap(before), count: () => calls };
}

/** Writes half of what it is given at call `at`, then dies: a torn write. */
export function tornAt(at: number): FolderFileSystem {
  let calls = 0;
  const before = () => {
    if (calls++ >= at) throw new Killed(`killed at call ${at}`);
  };
  return {
    ...wrap(before),
    writeSync: (descriptor, bytes, offset, length) => {
      if (calls === at) nodeFolderFileSystem.writeSync(descriptor, bytes, offset, Math.floor(length / 2));
      before();
      return nodeFolderFileSystem.writeSync(descriptor, bytes, offset, length);
    },
  };
}

/** The writes from number `at` on fail with `code`; everything else works. */
export function failingWrites(at: number, code: string): FolderFileSystem {
  let writes = 0;
  return {
    ...nodeFolderFileSystem,
    writeSync: (descriptor, bytes, offset, length) => {
      if (writes++ >= at) throw Object.assign(new Error(code), { code });
      return nodeFolderFileSystem.writeSync(descriptor, bytes, offset, length);
    },
  };
}

function wrap(before: () => void): FolderFileSystem {
  const wrapped = Object.fromEntries(
    names.map(name => [
      name,
      (...given: unknown[]) => {
        before();
        return (nodeFolderFileSystem[name] as (...values: unknown[]) => unknown)(...given);
      },
    ]),
  );
  return wrapped as unknown as FolderFileSystem;
}

import { appendFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileTail } from '../../../../src/host/runs/fileTail.ts';
import { useTemporaryFolder } from '../temporaryFolder.ts';

describe('FileTail', () => {
  const folder = useTemporaryFolder();
  const open = () => {
    const path = join(folder(), 'metrics.jsonl');
    return { path, tail: new FileTail(path) };
  };

  it('gives each line once', async () => {
    const { path, tail } = open();
    writeFileSync(path, 'one\ntwo\n');
    expect(await tail.read()).toEqual({ lines: ['one', 'two'], restarted: false });
    appendFileSync(path, 'three\n');
    expect(await tail.read()).toEqual({ lines: ['three'], restarted: false });
    expect(await tail.read()).toEqual({ lines: [], restarted: false });
  });

  it('waits for the end of a torn line, also within a character', async () => {
    const { path, tail } = open();
    const bytes = Buffer.from('größe\n');
    writeFileSync(path, bytes.subarray(0, 3));
    expect((await tail.read()).lines).toEqual([]);
    appendFileSync(path, bytes.subarray(3));
    expect((await tail.read()).lines).toEqual(['größe']);
  });

  it('goes on when a torn line was cut off and written anew', async () => {
    const { path, tail } = open();
    writeFileSync(path, 'one\n{"torn":');
    await tail.read();
    truncateSync(path, 4);
    appendFileSync(path, 'two\n');
    expect(await tail.read()).toEqual({ lines: ['two'], restarted: false });
  });

  it('starts again when the file was replaced', async () => {
    const { path, tail } = open();
    writeFileSync(path, 'one\n');
    await tail.read();
    writeFileSync(`${path}.new`, 'other\nmore\n');
    renameSync(`${path}.new`, path);
    expect(await tail.read()).toEqual({ lines: ['other', 'more'], restarted: true });
  });

  it('reads nothing from a file that is not there and starts again when it went', async () => {
    const { path, tail } = open();
    expect(await tail.read()).toEqual({ lines: [], restarted: false });
    writeFileSync(path, 'one\n');
    await tail.read();
    rmSync(path);
    expect(await tail.read()).toEqual({ lines: [], restarted: true });
  });

  it('drops a line end of another system', async () => {
    const { path, tail } = open();
    writeFileSync(path, 'one\r\ntwo\r\n');
    expect((await tail.read()).lines).toEqual(['one', 'two']);
  });

  it('skips a line that no writer of ours makes and goes on after it', async () => {
    const { path, tail } = open();
    writeFileSync(path, `${'x'.repeat(9 * 1024 * 1024)}\nafter\n`);
    expect((await tail.read()).lines.at(-1)).toBe('after');
  });
});

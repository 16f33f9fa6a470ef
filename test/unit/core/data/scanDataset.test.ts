import { closeSync, openSync, writeSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { scanDataset } from '../../../../src/core/data/readDataset.ts';
import { makeFile } from './dataFiles.ts';

const megabyte = 1e6;

describe('scanDataset', () => {
  it('reads 200 MB in the memory that 20 MB take, within 100 MB more', { timeout: 60_000 }, async () => {
    const file = makeFile('rows.jsonl', '');
    const descriptor = openSync(file, 'a');
    const answer = 'An answer of some length. '.repeat(60);
    let rows = 0;
    const grow = (megabytes: number) => {
      for (let written = 0; written < megabytes * megabyte; ) {
        let piece = '';
        while (piece.length < megabyte) piece += `${JSON.stringify({ question: `What is ${rows++}?`, answer })}\n`;
        written += writeSync(descriptor, piece);
      }
    };
    let seen = 0;
    let most = 0;
    const scan = () =>
      scanDataset(file, {}, () => {
        if (++seen % 2000 === 0) most = Math.max(most, process.memoryUsage.rss());
      });
    grow(20);
    await scan();
    const before = most;
    grow(180);
    seen = 0;
    const summary = await scan();
    closeSync(descriptor);
    expect([summary.rows, summary.usableRows, seen]).toEqual([rows, rows, rows]);
    expect(summary.fileBytes).toBeGreaterThan(200 * megabyte);
    expect(most - before).toBeLessThan(100 * megabyte);
  });

  it('stops in the middle of a file when it is cancelled', async () => {
    const controller = new AbortController();
    const file = makeFile('rows.jsonl', `${JSON.stringify({ question: 'a', answer: 'b' })}\n`.repeat(100_000));
    let seen = 0;
    const scanning = scanDataset(file, { signal: controller.signal }, () => {
      if (++seen === 10_000) controller.abort();
    });
    await expect(scanning).rejects.toMatchObject({ name: 'AbortError' });
    expect(seen).toBeLessThan(20_000);
  });
});

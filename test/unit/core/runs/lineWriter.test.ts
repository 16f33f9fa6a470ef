import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LineWriter } from '../../../../src/core/runs/lineWriter.ts';
import { parseMetrics } from '../../../../src/shared/runState.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const row = (attempt: number, step: number) => ({
  kind: 'evaluation',
  attempt,
  step,
  evalLossNats: 1,
  supervisedTokens: 1,
  elapsedMs: 1,
});

describe('LineWriter', () => {
  it('continues after a torn last line without losing the next row', () => {
    const path = join(temporaryFolder(), 'metrics.jsonl');
    const first = new LineWriter(path);
    first.append(row(1, 1));
    first.append(row(1, 2));
    first.close();
    appendFileSync(path, '{"kind":"evalu');
    const second = new LineWriter(path);
    second.append(row(2, 2));
    second.append(row(2, 3));
    second.sync();
    second.close();
    const series = parseMetrics(readFileSync(path, 'utf8'));
    expect(series.evaluations.map(e => [e.attempt, e.step])).toEqual([
      [1, 1],
      [2, 2],
      [2, 3],
    ]);
  });

  it('names the file that cannot be written', () => {
    const writer = new LineWriter(join(temporaryFolder(), 'missing', 'metrics.jsonl'));
    expect(() => writer.append(row(1, 1))).toThrow(expect.objectContaining({ code: 'not-writable' }));
  });
});

import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RunTail, startPosition } from '../../../../src/core/trackers/runTail.ts';
import type { RunUpdate } from '../../../../src/core/trackers/tracker.ts';
import { parseMetrics } from '../../../../src/shared/runState.ts';
import type { TrackerPosition } from '../../../../src/shared/trackers.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { makeEvaluation, makeStep } from '../../host/runFixture.ts';

const line = (row: object) => `${JSON.stringify(row)}\n`;

/** What a sink holds that takes rows back as it is told. */
class Sink {
  rows: { kind: string; attempt: number; step: number }[] = [];

  apply(updates: readonly RunUpdate[]): void {
    for (const update of updates) {
      if (update.type === 'superseded') this.rows = this.rows.filter(row => row.step < update.fromStep);
      if (update.type === 'row') this.rows.push(update.row);
    }
  }

  get names(): string[] {
    return this.rows.map(({ kind, attempt, step }) => `${kind} ${attempt}.${step}`);
  }
}

async function drain(tail: RunTail, from: TrackerPosition, sink: Sink, maxRows = 3): Promise<TrackerPosition> {
  for (let position = from; ; ) {
    const batch = await tail.read(position, maxRows);
    if (batch.position === position) return position;
    sink.apply(batch.updates);
    position = batch.position;
  }
}

describe('RunTail', () => {
  it('tells whole lines only, each once, however the file grows', async () => {
    const run = temporaryFolder();
    const path = join(run, 'metrics.jsonl');
    const text = [makeEvaluation(0), makeStep(1), makeStep(2)].map(line).join('');
    writeFileSync(path, text.slice(0, -20));
    const [tail, sink] = [new RunTail(run), new Sink()];
    const position = await drain(tail, startPosition, sink);
    expect(sink.names).toEqual(['evaluation 1.0', 'step 1.1']);
    appendFileSync(path, text.slice(-20));
    await drain(tail, position, sink);
    expect(sink.names).toEqual(['evaluation 1.0', 'step 1.1', 'step 1.2']);
  });

  it('leaves out what a later attempt superseded, and a torn line between them', async () => {
    const run = temporaryFolder();
    const rows = [1, 2, 3].map(step => line(makeStep(step)));
    writeFileSync(join(run, 'metrics.jsonl'), `${rows.join('')}{"kind":"st\n${line(makeStep(3, { attempt: 2 }))}`);
    const sink = new Sink();
    const batch = await new RunTail(run).read(startPosition, 100);
    sink.apply(batch.updates);
    expect(batch.updates.some(update => update.type === 'superseded')).toBe(false);
    expect(sink.names).toEqual(['step 1.1', 'step 1.2', 'step 2.3']);
  });

  it('takes back what was told before a later attempt began', async () => {
    const run = temporaryFolder();
    const path = join(run, 'metrics.jsonl');
    writeFileSync(path, [1, 2, 3].map(step => line(makeStep(step))).join(''));
    const sink = new Sink();
    const position = await drain(new RunTail(run), startPosition, sink);
    appendFileSync(path, line(makeStep(2, { attempt: 2 })));
    const { updates } = await new RunTail(run).read(position, 100);
    expect(updates[0]).toEqual({ type: 'superseded', fromStep: 2 });
    sink.apply(updates);
    expect(sink.names).toEqual(['step 1.1', 'step 2.2']);
  });

  it('tells anew when the file was replaced by a shorter one', async () => {
    const run = temporaryFolder();
    const path = join(run, 'metrics.jsonl');
    writeFileSync(path, [1, 2, 3].map(step => line(makeStep(step))).join(''));
    const [tail, sink] = [new RunTail(run), new Sink()];
    const position = await drain(tail, startPosition, sink);
    writeFileSync(path, line(makeStep(1, { lossNats: 9 })));
    await drain(tail, position, sink);
    expect(sink.names).toEqual(['step 1.1']);
  });

  it('ends with the rows that every reader shows, wherever reads and restarts fall', async () => {
    const attempts = fc.array(fc.record({ from: fc.nat(6), count: fc.integer({ min: 1, max: 5 }) }), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(
        attempts,
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.nat(3), { maxLength: 20 }),
        async (plan, maxRows, cuts) => {
          const run = temporaryFolder();
          const path = join(run, 'metrics.jsonl');
          let reached = 0;
          const lines = plan.flatMap(({ from, count }, i) => {
            // An attempt begins at a step that the ones before had reached.
            const first = Math.min(from, reached) + 1;
            reached = first + count - 1;
            return Array.from({ length: count }, (_, k) => line(makeStep(first + k, { attempt: i + 1 })));
          });
          writeFileSync(path, '');
          const sink = new Sink();
          let position = startPosition;
          let tail = new RunTail(run);
          for (const [i, text] of lines.entries()) {
            appendFileSync(path, text);
            if (cuts[i] === 0) position = await drain(tail, position, sink, maxRows);
            if (cuts[i] === 1) tail = new RunTail(run);
          }
          await drain(tail, position, sink, maxRows);
          const { steps } = parseMetrics(lines.join(''));
          expect(sink.names).toEqual(steps.map(({ attempt, step }) => `step ${attempt}.${step}`));
        },
      ),
      { numRuns: 60 },
    );
  });
});

import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Hyperparameters } from '../../../../../src/shared/hyperparameters.ts';
import { createBigramEngine } from '../../../../support/bigramEngine.ts';
import { temporaryFolder } from '../../../../support/temporaryFolder.ts';
import { makeTinyRun, runJob } from '../../../../support/tinyRun.ts';

/** What a run says at its start, on a dataset that `spoil` changed. */
async function startRun(spoil: (file: string) => void, settings: Partial<Hyperparameters> = {}) {
  const folder = temporaryFolder();
  const file = join(folder, 'rows.jsonl');
  const run = makeTinyRun(folder, { settings: { maxSteps: 1, ...settings }, request: { overrides: ['brokenRows'] } });
  spoil(file);
  const { events } = await runJob(run, { createEngine: async () => createBigramEngine(258) });
  return {
    file,
    notes: events.flatMap(event => (event.kind === 'note' ? [event.text] : [])),
    warnings: events.flatMap(event => (event.kind === 'warning' ? [event.problem] : [])),
  };
}

describe('describeChecked', () => {
  it('says how the file was read, and nothing else of a good one', async () => {
    const { file, notes, warnings } = await startRun(() => undefined);
    expect(notes).toEqual([expect.stringMatching(/jsonl, 40 rows, read as questionAnswer: /)]);
    expect(notes[0]).toContain(file);
    expect(warnings).toEqual([]);
  });

  it('names the first rows that were left out, and counts the rest', async () => {
    const { file, notes, warnings } = await startRun(path => appendFileSync(path, '{"question":"a"}\n'.repeat(8)));
    expect(notes[0]).toContain('jsonl, 40 of 48 rows');
    expect(warnings.map(({ line }) => line)).toEqual([41, 42, 43, 44, 45, null]);
    expect(warnings[0]).toMatchObject({ file, code: 'field-missing', fix: expect.stringMatching(/\w/) });
    expect(warnings[5]).toMatchObject({
      message: `${file}: 3 more problems.`,
      fix: expect.stringContaining('inspect'),
    });
  });

  it('names each setting that was changed and does nothing beside the others', async () => {
    const settings = { dpoBeta: 0.3, method: 'full', dropout: 0.1, processes: 4 } as const;
    const { notes } = await startRun(() => undefined, settings);
    expect(notes.slice(1)).toEqual([
      'dpoBeta: 0.3 has no effect here; it needs objective dpo.',
      'dropout: 0.1 has no effect here; it needs method lora.',
      expect.stringMatching(/^processes: 4 has no effect here; it needs .*launcher /),
    ]);
    const lora = await startRun(() => undefined, { dropout: 0.1 });
    expect(lora.notes).toHaveLength(1);
  });

  it('warns when nothing could be held out', async () => {
    const { file, warnings } = await startRun(path => writeFileSync(path, '{"question":"a","answer":"b"}\n'));
    expect(warnings).toEqual([expect.objectContaining({ file, line: null, code: 'nothing-held-out' })]);
  });
});

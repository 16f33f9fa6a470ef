import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonLine } from '../../src/shared/commandLine.ts';
import type { DriftReport } from '../../src/shared/drift.ts';
import { makePlace, runCli } from '../support/programs.ts';

const colours = ['red', 'blue', 'green', 'white', 'black', 'brown'];
const things = ['boat', 'door', 'flag', 'lamp', 'roof', 'wall', 'coat', 'bell'];
const old = things.flatMap((thing, i) =>
  colours.map((colour, j) => ({
    question: `Which mark has the ${colour} ${thing}?`,
    answer: `The ${colour} ${thing} has mark ${(3 * i + j) % 7}.`,
  })),
);
const fresh = Array.from({ length: 24 }, (_, i) => ({
  question: `Tell me the weekday on which ship number ${i} sails away from the northern harbour.`,
  answer: `Ship ${i} sails on a ${['Monday', 'Friday', 'Sunday'][i % 3]}, early in the morning, with the tide.`,
}));
const toLines = (rows: readonly unknown[]) => rows.map(row => `${JSON.stringify(row)}\n`).join('');

const resultOf = (lines: readonly JsonLine[]) =>
  lines.at(-1) as unknown as { path: string; report: DriftReport | null };
const lossesOf = (lines: readonly JsonLine[]) =>
  lines.flatMap(line => (line.type === 'evaluation' ? [line.evalLossNats] : []));

describe('tuning-fork drift', () => {
  it('finds what rows that came later change, goes on with them beside replayed ones, and forgets little', async () => {
    const place = makePlace();
    const path = join(place.folder, 'rows.jsonl');
    writeFileSync(path, toLines(old));
    const set = (settings: Readonly<Record<string, string | number>>) =>
      Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
    const settings = { maxSteps: 40, contextTokens: 64, evalEverySteps: 20, learningRate: 0.002, samplePrompts: '[]' };
    const first = await runCli(['train', 'rows.jsonl', '--model', 'tiny', '--json', ...set(settings)], place);
    expect(first.errorText.includes('Error')).toBe(false);
    const run = resultOf(first.lines).path;

    const same = await runCli(['drift', 'rows.jsonl', '--json'], place);
    expect(same.lines.at(-1)).toMatchObject({ type: 'result', newRows: 0, report: null });

    appendFileSync(path, toLines(fresh));
    const before = readFileSync(path);
    const grown = await runCli(['drift', 'rows.jsonl', '--json'], place);
    const report = resultOf(grown.lines).report!;
    expect(report).toMatchObject({
      run,
      rows: { old: 48, new: 24 },
      length: { isShifted: true },
      vocabulary: { isShifted: true },
      topics: { isShifted: true },
      hasDrifted: true,
    });
    expect(report.vocabulary.moreOften).toContain('ship');
    expect(report.loss!.low).toBeGreaterThan(0);
    expect(report.loss!.newNats - report.loss!.heldOutNats).toBeCloseTo(report.loss!.differenceNats);
    const measured = await runCli(['eval', '--adapter', run, '--run', run, '--json'], place);
    expect(report.loss!.heldOutNats).toBeCloseTo(lossesOf(measured.lines)[1]!, 3);

    const more = ['--no-loss', '--no-topics', '--continue', ...set({ maxSteps: 20, replayRatio: 0.4 })];
    const next = await runCli(['drift', 'rows.jsonl', ...more, '--json'], place);
    expect(next.code).toBe(0);
    expect(next.lines.find(line => line.type === 'drift')).toMatchObject({ report: { rows: { new: 24 } } });
    const continued = resultOf(next.lines).path;
    const record = JSON.parse(readFileSync(join(continued, 'run.json'), 'utf8')) as Record<string, unknown>;
    expect(record).toMatchObject({
      since: run,
      startFrom: { mode: 'continue', adapters: [{ path: run }] },
      forecast: { trainRows: 37, heldOutRows: 7 },
    });
    const losses = await runCli(['eval', '--adapter', run, '--adapter', continued, '--run', run, '--json'], place);
    const [base, learned, kept] = lossesOf(losses.lines);
    expect(learned).toBeLessThan(base! - 0.5);
    expect(kept).toBeLessThan(learned! + 0.15);
    expect(readFileSync(path)).toEqual(before);

    // Rows that the first run had and the second did not replay are no new ones.
    const after = await runCli(
      ['drift', 'rows.jsonl', '--run', continued, '--no-loss', '--no-topics', '--json'],
      place,
    );
    expect(after.lines.at(-1)).toMatchObject({ newRows: 0 });
  });

  it('says what it lacks: a finished run, and a run of that name', async () => {
    const place = makePlace();
    writeFileSync(join(place.folder, 'rows.jsonl'), toLines(old));
    const none = await runCli(['drift', 'rows.jsonl', '--json'], place);
    expect([none.code, none.lines.at(-1)]).toMatchObject([1, { type: 'error', code: 'run-invalid' }]);
    const wrong = await runCli(['drift', 'rows.jsonl', '--run', 'nobody', '--json'], place);
    expect(wrong.lines.at(-1)).toMatchObject({ type: 'error', code: 'run-invalid' });
  });
});

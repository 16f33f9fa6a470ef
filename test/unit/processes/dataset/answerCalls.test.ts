import { appendFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseCleaning } from '../../../../src/core/data/clean/parseCleaning.ts';
import { readDataset } from '../../../../src/core/data/readDataset.ts';
import { splitExamples } from '../../../../src/core/data/split/splitExamples.ts';
import { writeDatasetSnapshot } from '../../../../src/core/data/split/writeDatasetSnapshot.ts';
import { answerCalls } from '../../../../src/processes/dataset/answerCalls.ts';
import { defaultHyperparameters } from '../../../../src/shared/hyperparameters.ts';
import type { RunRequest } from '../../../../src/shared/recipe.ts';
import { suggestForInspection } from '../../../../src/shared/suggestSettings.ts';
import { demoRecipe } from '../../../../src/tools/demoRecipe.mjs';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const model = resolve('test/fixtures/models/folder');
const noPython = { root: '/nowhere', requirementsFolder: resolve('src/engines/pytorch/requirements'), env: {} };
const signal = new AbortController().signal;

function open() {
  const folder = temporaryFolder();
  const path = join(folder, 'train.jsonl');
  const rows = Array.from({ length: 30 }, (_, i) => ({ question: `what is ${i}`, answer: `it is ${i} and so on` }));
  writeFileSync(path, `${rows.map(row => JSON.stringify(row)).join('\n')}\n{"question": "broken"}\n`);
  return { folder, path, answers: answerCalls(model, noPython) };
}
const inspect = (path: string, changes = {}) => ({ path, mapping: null, model, contextTokens: 64, ...changes });
const request = (path: string, changes: Partial<RunRequest> = {}): RunRequest => ({
  name: 'try',
  model,
  datasets: [{ path, mapping: null }],
  hyperparameters: { ...defaultHyperparameters, contextTokens: 64, targetModules: ['q_proj', 'v_proj'] },
  overrides: [],
  parents: [],
  ...changes,
});

describe('answerCalls', () => {
  it('counts rows by their length in tokens, and takes decisions on rows', async () => {
    const { path, answers } = open();
    const lengths = await answers['dataset/lengths']({ path, model, contextTokens: 64 }, signal);
    expect(lengths.counts.reduce((sum, count) => sum + count, 0)).toBe(30);
    expect(lengths).toMatchObject({ model, contextTokens: 64 });
    const { tokens } = await answers['dataset/inspect'](inspect(path), signal);
    const last = lengths.counts.findLastIndex(count => count > 0);
    expect(tokens!.longestRow).toBeGreaterThanOrEqual(lengths.edges[last]!);
    expect(tokens!.longestRow).toBeLessThan(lengths.edges[last + 1]!);
    const queue = { path, state: 'pending' as const, offset: 0, limit: 5 };
    const { key } = (await answers['review/page'](queue, signal)).rows[0]!;
    const decision = { path, key, decision: 'reject' as const, reviewer: 'ada', note: '', answer: null };
    await answers['review/set'](decision, signal);
    expect((await answers['review/page'](queue, signal)).counts).toMatchObject({ pending: 29, rejected: 1 });
  });

  it('checks the rows, shows what cleaning would do, and writes a new file only where one is named', async () => {
    const { folder, answers } = open();
    const path = join(folder, 'dirty.jsonl');
    const rows = [
      { question: '<b>Who?</b>', answer: 'Ada.' },
      { question: 'Who?', answer: 'Ada.' },
    ];
    writeFileSync(path, rows.map(row => `${JSON.stringify(row)}\n`).join(''));
    const { checks } = await answers['dataset/check']({ path, mapping: null }, signal);
    expect(checks).toMatchObject([{ check: 'html', count: 1, step: 'stripHtml', findings: [{ file: path, line: 1 }] }]);
    const recipe = parseCleaning('stripHtml,dropDuplicates');
    const preview = await answers['dataset/clean']({ path, mapping: null, recipe, out: null }, signal);
    expect(preview).toEqual({
      rowsBefore: 2,
      rowsAfter: 1,
      brokenRows: 0,
      steps: [
        {
          ...{ step: 'stripHtml', rowsBefore: 2, rowsAfter: 2, removed: 0, changed: 1, removedRows: [] },
          changedRows: [{ file: path, line: 1, before: '<b>Who?</b>', after: 'Who?' }],
        },
        {
          ...{ step: 'dropDuplicates', rowsBefore: 2, rowsAfter: 1, removed: 1, changed: 0, changedRows: [] },
          removedRows: [{ file: path, line: 2, reason: `equals ${path}:1`, text: 'Who? | Ada.' }],
        },
      ],
      written: null,
    });
    const out = join(folder, 'clean.jsonl');
    const { written } = await answers['dataset/clean']({ path, mapping: null, recipe, out }, signal);
    expect(written).toEqual({ path: out, report: `${out}.report.json` });
    expect((await readDataset(out)).examples).toHaveLength(1);
  });

  it('inspects a file: mapping, counts, problems by line, first rows and tokens', async () => {
    const { path, answers } = open();
    const inspection = await answers['dataset/inspect'](inspect(path), signal);
    expect(inspection).toMatchObject({
      format: 'jsonl',
      mapping: { kind: 'questionAnswer' },
      mappingChosen: false,
      rows: 31,
      usableRows: 30,
      problemCount: 1,
      problems: [{ file: path, line: 31, code: 'field-missing' }],
    });
    expect(inspection.firstRows[0]).toEqual({ line: 1, prompt: 'what is 0', answer: 'it is 0 and so on' });
    expect(inspection.tokens!.supervised).toBeGreaterThan(0);
    expect(inspection.tokens!.supervised).toBeLessThan(inspection.tokens!.total);
    expect(inspection.model!.parameterCount).toBeGreaterThan(inspection.model!.hiddenSize);
  });

  it('measures the shipped model and dataset so that the form suggests what the demo trains with', async () => {
    const answers = answerCalls(resolve('media/tiny'), noPython);
    const path = resolve('media/sample/harbour-museum.jsonl');
    const inspection = await answers['dataset/inspect'](inspect(path, { model: 'tiny', contextTokens: 128 }), signal);
    const { learningRate, epochs, contextTokens, ...others } = demoRecipe;
    expect(suggestForInspection(inspection, defaultHyperparameters)?.values).toEqual({
      learningRate,
      epochs,
      contextTokens,
    });
    expect(defaultHyperparameters).toMatchObject(others);
  });

  it('inspects without a model, and with one that cannot be opened, without tokens', async () => {
    const { path, answers, folder } = open();
    expect((await answers['dataset/inspect'](inspect(path, { model: null }), signal)).tokens).toBeNull();
    const missing = join(folder, 'no-model');
    expect((await answers['dataset/inspect'](inspect(path, { model: missing }), signal)).tokens).toBeNull();
  });

  it('reads a file again when it changed', async () => {
    const { path, answers } = open();
    await answers['dataset/inspect'](inspect(path), signal);
    appendFileSync(path, '{"question":"more","answer":"rows"}\n');
    expect((await answers['dataset/inspect'](inspect(path), signal)).usableRows).toBe(31);
  });

  it('refuses a file that is no dataset with its name', async () => {
    const { folder, answers } = open();
    const path = join(folder, 'empty.jsonl');
    writeFileSync(path, '');
    await expect(answers['dataset/inspect'](inspect(path), signal)).rejects.toMatchObject({ code: 'dataset-empty' });
  });

  it('shows a row as the model sees it, with the answer and its end supervised', async () => {
    const { path, answers } = open();
    const row = await answers['dataset/row']({ ...inspect(path), model, row: 2 }, signal);
    expect(row.line).toBe(3);
    const supervised = row.tokens.filter(token => token.supervised).map(token => token.text);
    expect(supervised.join('')).toContain('it is 2 and so on');
    expect(row.tokens.map(token => token.text).join('')).toContain('what is 2');
    await expect(answers['dataset/row']({ ...inspect(path), model, row: 99 }, signal)).rejects.toMatchObject({
      code: 'usage',
    });
  });

  it('shows a row whose answer is cut away as it stands in the file, with nothing supervised', async () => {
    const { path, answers } = open();
    const row = await answers['dataset/row']({ ...inspect(path), model, row: 2, contextTokens: 3 }, signal);
    expect(row.tokens.length).toBeGreaterThan(3);
    expect(row.tokens.some(token => token.supervised)).toBe(false);
  });

  it('forecasts steps, tokens and memory of a run', async () => {
    const { path, answers } = open();
    const hyperparameters = { ...request(path).hyperparameters, maxSteps: 7 };
    const rows = request(path, { hyperparameters, overrides: ['brokenRows'] });
    const report = await answers['dataset/forecast']({ request: rows }, signal);
    expect(report.error).toBeNull();
    expect(report.forecast).toMatchObject({ totalSteps: 7 });
    expect(report.forecast!.trainRows + report.forecast!.heldOutRows).toBe(30);
    expect(report.forecast!.peakMemoryBytes).toBeGreaterThan(0);
  });

  it('says what is wrong with a model instead of a forecast', async () => {
    const { path, answers, folder } = open();
    const report = await answers['dataset/forecast'](
      { request: request(path, { model: join(folder, 'gone') }) },
      signal,
    );
    expect(report).toMatchObject({ forecast: null, canStart: false, error: { code: 'model-not-found' } });
  });

  it('asks no Hub for a model that is not on this machine, and lets the run start', async () => {
    const { path, answers, folder } = open();
    const hub = { endpoint: 'http://127.0.0.1:9', cache: join(folder, 'cache'), token: null };
    await answers['hub/configure'](hub, signal);
    const report = await answers['dataset/forecast']({ request: request(path, { model: 'owner/name' }) }, signal);
    expect(report).toMatchObject({ forecast: null, canStart: true, findings: [{ code: 'model-not-here' }] });
    const inspection = await answers['dataset/inspect'](inspect(path, { model: 'owner/name' }), signal);
    expect(inspection.tokens).toBeNull();
  });

  it('shows which rows differ from what a run was trained on', async () => {
    const { path, answers, folder } = open();
    const dataset = await readDataset(path);
    const split = splitExamples(dataset.examples, { seed: 1, evalRatio: 0.1, testRatio: 0 });
    const snapshot = writeDatasetSnapshot(folder, dataset, split);
    const compare = { path, store: folder, snapshot, mapping: dataset.mapping.mapping };
    expect(await answers['dataset/compare'](compare, signal)).toMatchObject({ sameBytes: true, differenceCount: 0 });
    appendFileSync(path, '{"question":"more","answer":"rows"}\n');
    const { sameBytes, differences } = await answers['dataset/compare'](compare, signal);
    expect([sameBytes, differences.map(d => [d.change, d.line])]).toEqual([false, [['added', 32]]]);
  });
});

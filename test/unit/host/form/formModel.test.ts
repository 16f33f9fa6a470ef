import { describe, expect, it } from 'vitest';
import {
  buildRequest,
  emptyForm,
  findProblems,
  recallForm,
  withDataset,
  withFit,
  withInspection,
  withMapping,
  withModel,
  withName,
  withOverride,
  withRecipe,
  withStart,
  withSuggestion,
  withTeacher,
  withText,
} from '../../../../src/host/form/formModel.ts';
import { withAdapter, withStartMode } from '../../../../src/host/form/startFrom.ts';
import type { DatasetInspection } from '../../../../src/shared/datasetProtocol.ts';
import { defaultHyperparameters, hyperparametersSchema } from '../../../../src/shared/hyperparameters.ts';
import { runRequestSchema } from '../../../../src/shared/recipe.ts';
import { makeRecord, makeRequest } from '../runFixture.ts';

const empty = emptyForm({ model: 'tiny', memoryLimitBytes: 4e9, trackers: [] });
const ready = withDataset(empty, '/data/Support tickets.jsonl');

const inspection: DatasetInspection = {
  path: '/data/Support tickets.jsonl',
  fileBytes: 10,
  format: 'jsonl',
  encoding: 'UTF-8',
  fileCount: 1,
  mapping: { kind: 'questionAnswer', fields: { question: 'question', answer: 'answer' } },
  mappingChosen: false,
  mappingReason: 'question and answer',
  fields: ['question', 'answer'],
  rows: 538,
  usableRows: 538,
  problemCount: 0,
  problems: [],
  firstRows: [],
  tokens: { total: 14_648, supervised: 5277, longestRow: 37, rowsOverContext: 0 },
  model: { hiddenSize: 128, parameterCount: 1_100_000, maxContextTokens: 1024 },
};

describe('form model', () => {
  it('cannot start without a dataset and says so', () => {
    expect(findProblems(empty)).toEqual([{ name: 'dataset', message: 'expected a dataset, got none' }]);
    expect(buildRequest(empty)).toBeUndefined();
  });

  it('asks for a run of what is in it', () => {
    const request = buildRequest(ready);
    expect(runRequestSchema.parse(request)).toEqual(request);
    expect(request).toMatchObject({
      name: 'Support tickets',
      model: 'tiny',
      hyperparameters: { memoryLimitBytes: 4e9 },
    });
  });

  it('takes over a good value and its text', () => {
    const form = withText(ready, 'learningRate', ' 1e-3 ');
    expect(form.values.learningRate).toBe(1e-3);
    expect(findProblems(form)).toEqual([]);
  });

  it('keeps the last good value beside what is wrong with the typed one', () => {
    const form = withText(withText(ready, 'rank', '8'), 'rank', '8.5');
    expect(form.values.rank).toBe(8);
    expect(findProblems(form)).toEqual([{ name: 'rank', message: 'expected a whole number from 1 to 512, got 8.5' }]);
    expect(buildRequest(form)).toBeUndefined();
    expect(findProblems(withText(form, 'rank', '4'))).toEqual([]);
  });

  it('turns an emptied optional number into nothing', () => {
    expect(withText(withText(ready, 'maxSteps', '50'), 'maxSteps', '').values.maxSteps).toBeNull();
  });

  it('keeps its values valid whatever is typed', () => {
    for (const text of ['', 'x', '-1', '1e99', 'NaN', '{}', 'true', 'q_proj,zzz']) {
      for (const name of Object.keys(ready.values) as (keyof typeof ready.values)[]) {
        expect(hyperparametersSchema.safeParse(withText(ready, name, text).values).success).toBe(true);
      }
    }
  });

  it('forgets a forecast that no longer fits', () => {
    const forecast = { forecast: null, trainingMs: null, fit: null, canStart: true, findings: [], error: null };
    const form = { ...ready, forecast };
    expect(withText(form, 'rank', '8').forecast).toBeNull();
    expect(withText(form, 'rank', '16').forecast).toBe(forecast);
    expect(withText(form, 'rank', 'x').forecast).toBe(forecast);
    expect(withModel(form, 'other').forecast).toBeNull();
  });

  it('takes what makes it fit, over what was typed', () => {
    const fit = { batchRows: 2, gradientAccumulation: 2 };
    const forecast = { forecast: null, trainingMs: null, fit, canStart: false, findings: [], error: null };
    const fitted = withFit({ ...withText(ready, 'batchRows', 'many'), forecast });
    expect(fitted.values).toMatchObject(fit);
    expect(fitted).toMatchObject({ forecast: null, typedProblems: {} });
    expect(fitted.chosen).toEqual(expect.arrayContaining(['batchRows', 'gradientAccumulation']));
    expect(withFit(ready)).toBe(ready);
  });

  it('names the run after the dataset until the user names it', () => {
    expect(withDataset(ready, '/data/other.csv').runName).toBe('other');
    expect(withDataset(withName(ready, 'mine'), '/data/other.csv').runName).toBe('mine');
    expect(findProblems(withName(ready, ' ')).map(p => p.name)).toEqual(['runName']);
  });

  it('keeps the mapping and overrides of a dataset, not of another one', () => {
    const mapping = { kind: 'text', fields: { text: 'body' } } as const;
    const form = withOverride(withMapping(ready, mapping), 'mask', true);
    expect(withDataset(form, form.datasetPath!)).toMatchObject({ mapping, overrides: ['mask'] });
    expect(withDataset(form, '/data/other.csv')).toMatchObject({ mapping: null, overrides: [] });
  });

  it('knows only the overrides of the recipe', () => {
    expect(withOverride(ready, 'everything', true).overrides).toEqual([]);
    expect(withOverride(withOverride(ready, 'memory', true), 'memory', false).overrides).toEqual([]);
  });

  it('refuses shares that leave nothing to train on', () => {
    const form = withText(withText(ready, 'evalRatio', '0.5'), 'testRatio', '0.5');
    expect(findProblems(form).map(p => p.name)).toEqual(['testRatio']);
  });

  it('makes a run again from its record, with the mapping detected anew when nobody chose it', () => {
    const record = makeRecord('20261124-093000-capitals-1f3a');
    const again = withRecipe(ready, record, 'capitals');
    expect(buildRequest(again)).toMatchObject({ name: 'capitals', model: 'tiny', datasets: [{ mapping: null }] });
    const chosen = { ...record, datasets: [{ ...record.datasets[0]!, mappingChosen: true }] };
    expect(withRecipe(ready, chosen, 'capitals').mapping).toEqual(record.datasets[0]!.mapping);
  });

  it('sets what nobody chose to what suits model and dataset, and lets a choice stand', () => {
    const form = withInspection(withText(ready, 'epochs', '2'), inspection);
    expect(form.values).toMatchObject({ learningRate: 0.004, epochs: 2, contextTokens: 128 });
    expect(withText(form, 'method', 'full').values).toMatchObject({ learningRate: 0.0004, epochs: 2 });
    const larger = { ...inspection, model: { hiddenSize: 4096, parameterCount: 8e9, maxContextTokens: 8192 } };
    expect(withInspection(form, larger).values).toMatchObject({ learningRate: 0.0003, epochs: 2 });
    expect(withInspection(form, { ...inspection, model: null }).values.learningRate).toBe(
      defaultHyperparameters.learningRate,
    );
  });

  it('takes preferences for preference tuning and leaves it for other data, unless the user chose', () => {
    const preferences = { ...inspection, mapping: { kind: 'preference', fields: {} } } as const;
    const form = withInspection(ready, preferences);
    expect(form.values.objective).toBe('dpo');
    expect(withInspection(form, inspection).values.objective).toBe('sft');
    const chosen = withText(ready, 'objective', 'distill');
    expect(withInspection(chosen, preferences).values.objective).toBe('distill');
  });

  it('asks for a teacher where one is learned from, and hands it on only there', () => {
    const form = withText(ready, 'objective', 'distill');
    expect(findProblems(form)).toEqual([{ name: 'teacher', message: 'expected a model to learn from, got none' }]);
    expect(buildRequest(form)).toBeUndefined();
    const taught = withTeacher(form, ' big/model ');
    expect(buildRequest(taught)).toMatchObject({ teacher: 'big/model', hyperparameters: { objective: 'distill' } });
    expect(buildRequest(withText(taught, 'objective', 'sft'))).not.toHaveProperty('teacher');
  });

  it('keeps where a run that is made again started from, and leaves it out where all weights are trained', () => {
    const request = makeRequest({ startFrom: { mode: 'continue', adapters: ['/adapters/a'] } });
    const again = withInspection(withRecipe(ready, request, 'again'), inspection);
    expect(buildRequest(again)).toMatchObject({ startFrom: request.startFrom });
    expect(buildRequest(withText(again, 'method', 'full'))).not.toHaveProperty('startFrom');
    expect(buildRequest(withRecipe(ready, makeRequest({}), 'again'))).not.toHaveProperty('startFrom');
  });

  it('takes one adapter to train on, and no DoRA on top of others', () => {
    const two = withAdapter(withAdapter(withStartMode(ready.start, 'stack'), '/a'), '/b');
    expect(withStartMode(two, 'continue').adapters).toEqual(['/a']);
    expect(withAdapter(withStartMode(two, 'continue'), '/c').adapters).toEqual(['/c']);
    const stacked = withStart(ready, two);
    expect(findProblems(stacked)).toEqual([]);
    expect(findProblems(withText(stacked, 'dora', 'true'))).toEqual([
      { name: 'startFrom', message: 'expected a new adapter without DoRA on top of others, got one with it' },
    ]);
  });

  it('keeps the values of a run that is made again', () => {
    const again = withRecipe(ready, makeRequest({}), 'again');
    expect(withInspection(again, inspection).values).toEqual(again.values);
  });

  it('turns suggested values off and on', () => {
    const suggested = withInspection(ready, inspection);
    const off = withSuggestion(withText(suggested, 'epochs', 'many'), false);
    expect(off.values).toMatchObject({ learningRate: 2e-4, epochs: 3, contextTokens: 512 });
    expect(findProblems(off)).toEqual([]);
    expect(withInspection(off, inspection).values).toEqual(off.values);
    expect(withSuggestion(off, true).values).toEqual(suggested.values);
  });

  it('comes back as it was kept, without what was typed wrongly: the page says that again', () => {
    const kept = withText(withText(ready, 'rank', '8'), 'alpha', 'x');
    expect(recallForm(kept)).toEqual({ ...kept, typedProblems: {} });
    expect(recallForm(undefined)).toBeUndefined();
    expect(recallForm({ ...kept, values: { ...kept.values, rank: -1 } })).toBeUndefined();
  });

  it('makes a run again from a request that came to nothing', () => {
    const request = makeRequest({ overrides: ['memory'] });
    expect(buildRequest(withRecipe(ready, request, request.name))).toEqual(request);
  });
});

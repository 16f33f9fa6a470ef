import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findFreeName } from '../../../../src/host/form/findFreeName.ts';
import { type DatasetCaller, FormController, type FormServices } from '../../../../src/host/form/formController.ts';
import { listTrackerChoices } from '../../../../src/host/trackers/trackerTargets.ts';
import type { DatasetInspection } from '../../../../src/shared/datasetProtocol.ts';
import type { EngineChoice } from '../../../../src/shared/engineChoice.ts';
import { TuneError } from '../../../../src/shared/errors.ts';
import { formStateSchema } from '../../../../src/shared/pageSnapshots.ts';

const inspection: DatasetInspection = {
  path: '/data/a.jsonl',
  fileBytes: 10,
  format: 'jsonl',
  encoding: 'UTF-8',
  fileCount: 1,
  mapping: { kind: 'questionAnswer', fields: { question: 'question', answer: 'answer' } },
  mappingChosen: false,
  mappingReason: 'question and answer',
  fields: ['question', 'answer'],
  rows: 3,
  usableRows: 3,
  problemCount: 0,
  problems: [],
  firstRows: [],
  tokens: null,
  model: null,
};
const forecast = { forecast: null, canStart: true, trainingMs: null, fit: null, findings: [], error: null };

const trackerSettings = {
  tensorboardFolder: '',
  mlflowUri: '',
  mlflowExperiment: 'team',
  wandbProject: 'support',
  wandbEntity: '',
  wandbUrl: '',
};

describe('FormController', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function open(changes: Partial<FormServices> = {}) {
    const calls: [string, unknown, AbortSignal | undefined][] = [];
    const answers: Record<string, () => unknown> = {
      'dataset/inspect': () => inspection,
      'dataset/forecast': () => forecast,
      'dataset/row': () => ({ line: 1, tokens: [] }),
    };
    const call: DatasetCaller = async (name, parameters, signal) => {
      calls.push([name, parameters, signal]);
      return answers[name]!() as never;
    };
    const started: unknown[] = [];
    const names: string[] = [];
    const reported: (readonly string[])[] = [];
    const followed: [string | null, () => void][] = [];
    const services: FormServices = {
      isTrusted: () => true,
      call,
      listModels: async () => [],
      start: async (request, trackers) => {
        started.push(request);
        reported.push(trackers);
        names.push(request.name);
      },
      findBest: async (request, models) => {
        started.push({ request, models });
      },
      measureTime: async () => ({ ...forecast, trainingMs: 61_000 }),
      defaults: () => ({ model: 'tiny', memoryLimitBytes: null, trackers: [] }),
      listTrackers: chosen => listTrackerChoices(chosen, trackerSettings),
      remember: () => undefined,
      recall: () => undefined,
      findFreeName: name => findFreeName(name, names),
      chooseDataset: async () => undefined,
      chooseModel: async () => undefined,
      chooseAdapter: async () => undefined,
      openLine: async () => undefined,
      openTrust: async () => undefined,
      knownPython: () => null,
      lookForPython: () => undefined,
      setUpPyTorch: async () => undefined,
      watchDataset: onDidChange => ({
        follow: path => void followed.push([path, onDidChange]),
        dispose: () => undefined,
      }),
      ...changes,
    };
    return {
      form: new FormController(services),
      calls,
      answers,
      started,
      reported,
      followed,
      names: () => calls.map(([name]) => name),
    };
  }

  it('measures the time of the run when asked, with the settings as they are', async () => {
    const asked: unknown[] = [];
    const { form } = open({
      measureTime: async request => {
        asked.push(request.hyperparameters.rank);
        return { ...forecast, trainingMs: 61_000 };
      },
    });
    form.useDataset('/data/a.jsonl');
    await vi.runAllTimersAsync();
    expect(form.snapshot().forecast).toMatchObject({ trainingMs: null });
    await form.receive({ type: 'form/set', name: 'rank', text: '4' });
    await vi.runAllTimersAsync();
    await form.receive({ type: 'form/measure' });
    expect(form.snapshot().forecasting).toBe(true);
    await vi.runAllTimersAsync();
    expect(form.snapshot()).toMatchObject({ forecasting: false, forecast: { trainingMs: 61_000 } });
    expect(asked).toEqual([4]);
  });

  it('keeps which engine trains when the time is measured, and measures none of PyTorch', async () => {
    const embedded = { engine: 'embedded', reason: 'the machine has no card' } as const;
    let engine: EngineChoice = embedded;
    let measured = 0;
    const { form, answers, names } = open({
      measureTime: async () => {
        measured++;
        return { ...forecast, engine: { engine: 'embedded', reason: 'no Python is known' }, trainingMs: 61_000 };
      },
    });
    answers['dataset/forecast'] = () => ({ ...forecast, engine });
    form.useDataset('/data/a.jsonl');
    await vi.runAllTimersAsync();
    await form.receive({ type: 'form/measure' });
    await vi.runAllTimersAsync();
    expect(form.snapshot().forecast).toMatchObject({ engine: embedded, trainingMs: 61_000 });
    engine = { engine: 'pytorch', reason: 'a card was found' };
    await form.receive({ type: 'form/set', name: 'rank', text: '4' });
    await vi.runAllTimersAsync();
    await form.receive({ type: 'form/measure' });
    await vi.runAllTimersAsync();
    expect(form.snapshot().forecast).toMatchObject({ engine, trainingMs: null });
    expect(measured).toBe(1);
    expect(names().slice(-2)).toEqual(['dataset/forecast', 'dataset/forecast']);
  });

  it('forecasts anew from the adapters that were chosen, and starts from them', async () => {
    const picked = ['/runs/a', '/adapters/b', undefined, '/runs/a'];
    const { form, calls, started } = open({ chooseAdapter: async () => picked.shift() });
    form.useDataset('/data/a.jsonl');
    await vi.runAllTimersAsync();
    await form.receive({ type: 'form/startMode', mode: 'stack' });
    expect(form.snapshot().problems).toEqual([
      { name: 'startFrom', message: 'expected an adapter to start from, got none' },
    ]);
    for (let i = 0; i < 4; i++) await form.receive({ type: 'form/addAdapter' });
    expect(form.snapshot().start).toEqual({
      mode: 'stack',
      adapters: [
        { path: '/runs/a', label: 'a' },
        { path: '/adapters/b', label: 'b' },
      ],
    });
    await form.receive({ type: 'form/removeAdapter', path: '/runs/a' });
    await vi.runAllTimersAsync();
    const startFrom = { mode: 'stack', adapters: ['/adapters/b'] };
    expect(calls.at(-1)).toMatchObject(['dataset/forecast', { request: { startFrom } }, expect.anything()]);
    await form.receive({ type: 'form/start' });
    expect(started).toEqual([expect.objectContaining({ startFrom })]);
  });

  it('inspects a dataset, then forecasts the run', async () => {
    const { form, names } = open();
    form.useDataset('/data/a.jsonl');
    expect(form.snapshot()).toMatchObject({ inspecting: true, inspection: null });
    await vi.runAllTimersAsync();
    expect(names()).toEqual(['dataset/inspect', 'dataset/forecast']);
    expect(form.snapshot()).toMatchObject({ inspecting: false, forecasting: false, inspection, forecast });
    expect(formStateSchema.parse(form.snapshot())).toEqual(form.snapshot());
  });

  it('asks once for many quick changes and cancels what is under way', async () => {
    const { form, calls, names } = open();
    form.useDataset('/data/a.jsonl');
    await vi.runAllTimersAsync();
    calls.length = 0;
    for (const text of ['1', '12', '128']) await form.receive({ type: 'form/set', name: 'rank', text });
    await vi.runAllTimersAsync();
    expect(names()).toEqual(['dataset/forecast']);
    form.useDataset('/data/a.jsonl');
    await vi.advanceTimersByTimeAsync(130);
    form.useDataset('/data/b.jsonl');
    await vi.runAllTimersAsync();
    expect(calls.at(-2)?.[1]).toMatchObject({ path: '/data/b.jsonl' });
  });

  it('reads again with the context that suits the rows, once', async () => {
    const { form, answers, calls } = open();
    answers['dataset/inspect'] = () => ({
      ...inspection,
      tokens: { total: 900, supervised: 300, longestRow: 700, rowsOverContext: 1 },
      model: { hiddenSize: 128, parameterCount: 1e6, maxContextTokens: 2048 },
    });
    form.useDataset('/data/a.jsonl');
    await vi.runAllTimersAsync();
    const inspected = calls.filter(([name]) => name === 'dataset/inspect').map(([, parameters]) => parameters);
    expect(inspected).toMatchObject([{ contextTokens: 512 }, { contextTokens: 1024 }]);
    expect(form.snapshot()).toMatchObject({ inspecting: false, forecasting: false, values: { contextTokens: 1024 } });
    expect(form.snapshot().suggestion?.values).toMatchObject({ contextTokens: 1024, learningRate: 0.004 });
    await form.receive({ type: 'form/suggest', on: false });
    await vi.runAllTimersAsync();
    expect(form.snapshot()).toMatchObject({ forecast, values: { contextTokens: 512, learningRate: 2e-4 } });
  });

  it('does not ask again for a value that is wrong', async () => {
    const { form, calls } = open();
    form.useDataset('/data/a.jsonl');
    await vi.runAllTimersAsync();
    calls.length = 0;
    await form.receive({ type: 'form/set', name: 'rank', text: 'x' });
    await vi.runAllTimersAsync();
    expect(calls).toEqual([]);
    expect(form.snapshot().problems.map(p => p.name)).toEqual(['rank']);
  });

  it('ignores an answer for a dataset that was replaced', async () => {
    const { form, answers } = open();
    let release: (value: unknown) => void = () => undefined;
    answers['dataset/inspect'] = () => new Promise(resolve => (release = resolve));
    form.useDataset('/data/a.jsonl');
    await vi.advanceTimersByTimeAsync(200);
    const releaseFirst = release;
    form.useDataset('/data/b.jsonl');
    await vi.advanceTimersByTimeAsync(200);
    releaseFirst({ ...inspection, rows: 99 });
    await vi.advanceTimersByTimeAsync(10);
    expect(form.snapshot().inspection).toBeNull();
    release(inspection);
    await vi.advanceTimersByTimeAsync(10);
    expect(form.snapshot().inspection?.rows).toBe(3);
  });

  it('reads the file again when somebody changed it', async () => {
    const { form, followed, names } = open();
    form.useDataset('/data/a.jsonl');
    await vi.runAllTimersAsync();
    const [path, tellChange] = followed.at(-1)!;
    expect(path).toBe('/data/a.jsonl');
    tellChange();
    await vi.runAllTimersAsync();
    expect(names().filter(name => name === 'dataset/inspect')).toHaveLength(2);
  });

  it('shows why a file cannot be read and asks for no forecast', async () => {
    const { form, answers, names } = open();
    answers['dataset/inspect'] = () => {
      throw new TuneError('dataset-empty', '/data/a.jsonl: expected rows, got none');
    };
    form.useDataset('/data/a.jsonl');
    await vi.runAllTimersAsync();
    expect(form.snapshot().error?.code).toBe('dataset-empty');
    expect(names()).toEqual(['dataset/inspect']);
  });

  it('starts what is in the form', async () => {
    const { form, started } = open();
    form.useDataset('/data/a.jsonl');
    await vi.runAllTimersAsync();
    await form.receive({ type: 'form/set', name: 'maxSteps', text: '7' });
    await form.receive({ type: 'form/start' });
    expect(started).toMatchObject([{ model: 'tiny', hyperparameters: { maxSteps: 7 } }]);
    expect(form.snapshot().starting).toBe(false);
  });

  it('reports where the user said, and keeps what is not ready out of reach', async () => {
    const { form, reported } = open();
    form.useDataset('/data/a.jsonl');
    await vi.runAllTimersAsync();
    await form.receive({ type: 'form/tracker', kind: 'wandb', on: true });
    await form.receive({ type: 'form/tracker', kind: 'tensorboard', on: true });
    await form.receive({ type: 'form/tracker', kind: 'wandb', on: false });
    expect(form.snapshot().trackers).toEqual([
      { kind: 'tensorboard', on: true, isReady: true, detail: "event files in the run's folder" },
      { kind: 'mlflow', on: false, isReady: false, detail: expect.stringContaining('tuningFork.mlflowUri') },
      { kind: 'wandb', on: false, isReady: true, detail: 'support, offline until you upload it' },
    ]);
    await form.receive({ type: 'form/start' });
    expect(reported).toEqual([['tensorboard']]);
  });

  it('gives each run of a dataset a name of its own, unless the user named it', async () => {
    const { form, started } = open();
    form.useDataset('/data/a.jsonl');
    for (let i = 0; i < 3; i++) await form.receive({ type: 'form/start' });
    await form.receive({ type: 'form/name', name: 'mine' });
    for (let i = 0; i < 2; i++) await form.receive({ type: 'form/start' });
    expect(started).toMatchObject(['a', 'a 2', 'a 3', 'mine', 'mine'].map(name => ({ name })));
  });

  it('starts nothing in Restricted Mode and says why, while reading goes on', async () => {
    const { form, started, names } = open({ isTrusted: () => false });
    form.useDataset('/data/a.jsonl');
    await vi.runAllTimersAsync();
    expect(names()).toContain('dataset/inspect');
    await form.receive({ type: 'form/start' });
    expect(started).toEqual([]);
    expect(form.snapshot()).toMatchObject({ trusted: false, error: { code: 'untrusted-workspace' } });
  });

  it('searches for the best among the models that it lists, the chosen one first', async () => {
    const model = (id: string) => ({ id, label: id, detail: '' });
    const { form, started } = open({ listModels: async () => ['a', 'tiny', 'b', 'c', 'd', 'e'].map(model) });
    await form.refreshSurroundings();
    form.useDataset('/data/a.jsonl');
    await form.receive({ type: 'form/findBest' });
    expect(started).toEqual([
      { request: expect.objectContaining({ model: 'tiny' }), models: ['tiny', 'a', 'b', 'c', 'd'] },
    ]);
  });

  it('shows what the trainer refused', async () => {
    const { form } = open({
      start: () => Promise.reject(new TuneError('preflight', 'mask: expected supervised tokens')),
    });
    form.useDataset('/data/a.jsonl');
    await form.receive({ type: 'form/start' });
    expect(form.snapshot()).toMatchObject({ starting: false, error: { code: 'preflight' } });
  });
});

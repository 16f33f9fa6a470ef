import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { usualCleaning } from '../../src/shared/cleaning.ts';
import type { JsonLine } from '../../src/shared/commandLine.ts';
import { runRecordSchema } from '../../src/shared/recipe.ts';
import { searchRecordSchema } from '../../src/shared/searchRecord.ts';
import { studySnapshotSchema } from '../../src/shared/studySnapshot.ts';
import { makePlace, type Place, runCli, startCli, waitUntil } from '../support/programs.ts';
import { type TinyModelOptions, writeTinyDataset, writeTinyModel } from '../support/tinyModel.ts';

const settings = [
  'contextTokens=48',
  'batchRows=2',
  'learningRate=0.005',
  'threads=1',
  'memoryLimitBytes=4000000000',
  'evalEverySteps=2',
];

function searchArguments(place: Place, more: readonly string[], options: TinyModelOptions = {}): string[] {
  const model = writeTinyModel(join(place.folder, 'model'), options);
  writeTinyDataset(join(place.folder, 'rows.jsonl'));
  const set = settings.flatMap(setting => ['--set', setting]);
  return ['search', 'rows.jsonl', '--model', model, '--runs', 'store', '--json', ...set, ...more];
}

/** Long enough to be met in the middle. */
const patient = ['maxSteps=120', 'earlyStoppingPatience=0'].flatMap(setting => ['--set', setting]);
/** For two that start one after the other and are met together. */
const longer = ['maxSteps=800', 'earlyStoppingPatience=0', 'evalEverySteps=40'].flatMap(setting => ['--set', setting]);
const space = ['--space', 'learningRate=0.0005..0.05:log', '--space', 'rank=4..16:log'];
type Trial = Extract<JsonLine, { type: 'trial' }>;
const trialsOf = (lines: readonly JsonLine[]) => lines.filter((line): line is Trial => line.type === 'trial');
const readStudy = (run: string) => studySnapshotSchema.parse(JSON.parse(readFileSync(join(run, 'study.json'), 'utf8')));
const line = (row: object) => `${JSON.stringify(row)}\n`;
const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

/** Of a dataset's snapshot: how many rows of people's and of programs' train, and the rows that losses are measured on. */
function readSides(snapshot: string) {
  const { rows: sides } = readJson(join(snapshot, 'split.json')) as { rows: string[] };
  const rows = readFileSync(join(snapshot, 'examples.jsonl'), 'utf8').trimEnd().split('\n');
  const messages = rows.map(row => JSON.stringify((JSON.parse(row) as { messages: unknown }).messages));
  const training = messages.filter((_, row) => sides[row] === 'train');
  const madeRows = training.filter(text => text.includes('made ')).length;
  const heldOut = messages.filter((_, row) => sides[row] === 'heldOut').join('\n');
  return { writtenRows: training.length - madeRows, madeRows, heldOut };
}
const statusOf = (run: string) => JSON.parse(readFileSync(join(run, 'status.json'), 'utf8')) as { state: string };

describe('tuning-fork search', () => {
  it('runs its trials as ordinary runs, keeps the best and judges it once on rows that none of them saw', async () => {
    const place = makePlace();
    const { code, lines, errorText } = await runCli(
      searchArguments(place, [...space, '--trials', '4', '--set', 'maxSteps=6', '--pruner', 'none']),
      place,
    );
    expect(errorText).toContain('trial 3 complete');
    expect(code).toBe(0);
    const { path } = lines[0] as Extract<JsonLine, { type: 'run' }>;
    const result = lines.at(-1) as Record<string, unknown>;
    const study = readStudy(path);
    expect(study.trials.map(({ state }) => state)).toEqual(['complete', 'complete', 'complete', 'complete']);
    expect(study.trials[0]!.settings).toEqual({ learningRate: '0.005', rank: '16' });
    const best = Math.min(...study.trials.map(({ value }) => value!));
    expect(result).toMatchObject({ type: 'result', value: best, testRows: 4 });
    expect(result.testLossNats).toBeLessThan(result.baseTestLossNats as number);
    expect(existsSync(join(result.output as string, 'adapter_model.safetensors'))).toBe(true);
    expect(readFileSync(result.report as string, 'utf8')).toContain('| Trial | State | Held-out loss |');
    const runs = readdirSync(join(place.store, 'runs'));
    expect(runs).toHaveLength(5);
    for (const { run } of study.trials) {
      const record = JSON.parse(readFileSync(join(place.store, 'runs', run!, 'run.json'), 'utf8')) as Record<
        string,
        unknown
      >;
      expect(record).toMatchObject({ kind: 'train', parents: [path.split('/').at(-1)] });
    }
    expect(statusOf(path).state).toBe('finished');
  });

  it("is continued after its process was killed, from what its trials' folders say", async () => {
    const place = makePlace();
    const child = startCli(
      searchArguments(place, [...space, '--trials', '3', '--parallel', '1', '--pruner', 'none', ...patient]),
      place,
    );
    await waitUntil('the second trial at work', () =>
      child.lines.some(
        line =>
          line.type === 'child' &&
          line.line.type === 'step' &&
          line.line.step > 4 &&
          trialsOf(child.lines).some(({ number }) => number === 1),
      ),
    );
    const { path } = child.lines[0] as Extract<JsonLine, { type: 'run' }>;
    const { identity } = JSON.parse(readFileSync(join(path, 'status.json'), 'utf8')) as { identity: { pid: number } };
    process.kill(identity.pid, 'SIGKILL');
    await child.ended;
    const before = readStudy(path);
    const { code, lines } = await runCli(['resume', path, '--json'], place);
    expect(code).toBe(0);
    const after = readStudy(path);
    expect(after.trials.map(({ state }) => state)).toEqual(['complete', 'complete', 'complete']);
    expect(after.trials.map(({ run }) => run).slice(0, 2)).toEqual(before.trials.map(({ run }) => run).slice(0, 2));
    expect(after.trials[0]).toEqual(before.trials[0]);
    expect(lines.at(-1)).toMatchObject({ type: 'result', testRows: 4 });
    // The trial that was under way went on: no run was begun twice.
    expect(readdirSync(join(place.store, 'runs'))).toHaveLength(4);
  });

  it('pauses with its trials and goes on with them', async () => {
    const place = makePlace();
    const child = startCli(
      searchArguments(place, [...space, '--trials', '2', '--parallel', '2', '--pruner', 'none', ...longer]),
      place,
    );
    const steps = () =>
      new Set(child.lines.flatMap(line => (line.type === 'child' && line.line.type === 'step' ? [line.id] : [])));
    await waitUntil('both trials at work at once', () => steps().size === 2);
    const { path } = child.lines[0] as Extract<JsonLine, { type: 'run' }>;
    expect((await runCli(['pause', path], place)).code).toBe(0);
    expect((await child.ended).code).toBe(130);
    const states = [path, ...[...steps()].map(id => join(place.store, 'runs', id))].map(run => statusOf(run).state);
    expect(states).toEqual(['paused', 'paused', 'paused']);
    const { code, lines } = await runCli(['resume', path, '--json'], place);
    expect(code).toBe(0);
    expect(trialsOf(lines).filter(({ state }) => state === 'complete')).toHaveLength(2);
  });

  it('ends bad trials early, and trains the winner anew when it is to', async () => {
    const place = makePlace();
    const wide = ['--space', 'learningRate=0.0000001..0.05:log'];
    const { code, lines } = await runCli(
      searchArguments(place, [
        ...wide,
        '--trials',
        '5',
        '--set',
        'maxSteps=80',
        '--sampler',
        'random',
        '--winner',
        'retrain',
      ]),
      place,
    );
    expect(code).toBe(0);
    const { path } = lines[0] as Extract<JsonLine, { type: 'run' }>;
    const study = readStudy(path);
    expect(study.trials.some(({ state }) => state === 'pruned')).toBe(true);
    expect(study.winner).toMatchObject({ retrained: true, testRows: 4 });
    expect(study.trials.map(({ run }) => run)).not.toContain(study.winner!.run);
  });

  it('varies cleaning and the share of synthetic rows where that changes what is trained on, and measures on the same held-out rows', async () => {
    const place = makePlace();
    const args = searchArguments(place, ['--trials', '5', '--sampler', 'random', '--set', 'maxSteps=2']);
    const rows = readFileSync(join(place.folder, 'rows.jsonl'), 'utf8');
    const made = Array.from({ length: 30 }, (_, i) => line({ question: `made ${i}`, answer: 'zz', synthetic: true }));
    writeFileSync(join(place.folder, 'rows.jsonl'), rows + rows + made.join(''));
    const { code, lines, errorText } = await runCli(args, place);
    expect(code, errorText).toBe(0);
    const { path } = lines[0] as Extract<JsonLine, { type: 'run' }>;
    const { settings: asked } = searchRecordSchema.parse(readJson(join(path, 'run.json')));
    const choicesOf = (wanted: string) => asked.space.find(({ name }) => name === wanted)?.distribution;
    expect(choicesOf('cleaning')).toEqual({ kind: 'choice', choices: ['off', 'basic'] });
    expect(choicesOf('maxSyntheticShare')).toEqual({ kind: 'choice', choices: ['0', '0.25', '0.5'] });
    const { trials } = readStudy(path);
    expect(trials[0]!.settings).toMatchObject({ cleaning: 'off', learningRate: '0.005' });
    expect(new Set(trials.map(trial => trial.settings.cleaning))).toEqual(new Set(['off', 'basic']));
    const read = trials.map(({ run, settings: { cleaning: level, maxSyntheticShare } }) => {
      const [dataset] = runRecordSchema.parse(readJson(join(place.store, 'runs', run!, 'run.json'))).datasets;
      expect(dataset!.cleaning).toEqual(level === 'off' ? undefined : usualCleaning);
      return {
        level,
        share: Number(maxSyntheticShare),
        ...readSides(join(place.store, 'datasets', dataset!.snapshot)),
      };
    });
    expect(new Set(read.map(({ heldOut }) => heldOut)).size).toBe(1);
    for (const { level, share, writtenRows, madeRows } of read) {
      expect(writtenRows, level).toBe(level === 'off' ? 64 : 32);
      expect(madeRows === 0, `${level} ${share}`).toBe(share === 0);
    }
  });

  it('ends when as many tokens were trained on, and goes by token F1 where it is to', async () => {
    const place = makePlace();
    const budget = ['--tokens', '400', '--parallel', '1', '--metric', 'tokenF1', '--set', 'maxSteps=12'];
    const { code, lines, errorText } = await runCli(searchArguments(place, [...space, ...budget], { heads: 2 }), place);
    expect(code, errorText).toBe(0);
    const { path } = lines[0] as Extract<JsonLine, { type: 'run' }>;
    const { trials, tokens, direction, best } = readStudy(path);
    expect(direction).toBe('maximize');
    expect(tokens).toBeGreaterThanOrEqual(400);
    expect(tokens * ((trials.length - 1) / trials.length)).toBeLessThan(400);
    const values = trials.flatMap(({ value }) => (value === null ? [] : [value]));
    for (const value of values) expect(value).toBe(Math.min(1, Math.max(0, value)));
    expect(trials[best!]!.value).toBe(Math.max(...values));
    expect(lines.at(-1)).toMatchObject({ type: 'result', value: trials[best!]!.value, testRows: 4 });
  });

  it('refuses what cannot be searched before anything is made', async () => {
    const place = makePlace();
    const refusals = [
      { more: [], message: /budget/ },
      { more: ['--trials', '2', '--space', 'evalRatio=0.1..0.3'], message: /leaves what is measured/ },
      { more: ['--trials', '2', '--space', 'rank=0..8'], message: /from 1 to 512, got 0/ },
      { more: ['--trials', '2', '--space', 'learningRate=0..1:log'], message: /above 0/ },
      { more: ['--trials', '2', '--space', 'cleaning=off|scrub'], message: /expected some of normalizeText/ },
      { more: ['--trials', '2', '--sampler', 'best'], message: /--sampler/ },
    ];
    for (const { more, message } of refusals) {
      const { code, lines } = await runCli(searchArguments(place, more), place);
      expect(code).toBe(2);
      expect(lines.at(-1)).toMatchObject({ type: 'error', code: 'usage', message: expect.stringMatching(message) });
    }
    expect(existsSync(place.store)).toBe(false);
  });
});

describe('tuning-fork best', () => {
  it('chooses model, method and batch, searches within the time, and says in its report what it tried and why', async () => {
    const place = makePlace();
    const [small, large] = [
      writeTinyModel(join(place.folder, 'small'), { hiddenSize: 16, heads: 2 }),
      writeTinyModel(join(place.folder, 'large'), { heads: 2 }),
    ];
    writeTinyDataset(join(place.folder, 'rows.jsonl'));
    const models = [small, large].flatMap(model => ['--model', model]);
    const { code, lines } = await runCli(
      ['best', 'rows.jsonl', ...models, '--minutes', '0.3', '--runs', 'store', '--json', '--set', 'threads=1'],
      place,
    );
    const result = lines.at(-1) as Record<string, unknown>;
    expect(result.message).toBeUndefined();
    expect(result).toMatchObject({ type: 'result', testRows: 4, output: expect.any(String) });
    expect(code).toBe(0);
    const report = readFileSync(result.report as string, 'utf8');
    for (const part of [
      'What was chosen',
      'How it was decided',
      'Beside the best prompt',
      'What was tried',
      'What mattered',
    ]) {
      expect(report).toContain(`## ${part}`);
    }
    expect(report).toMatch(/- Data: 40 rows read, \d+ for training, 4 held out; all can be used\./);
    expect(report).toMatch(/- Model: \S+, the largest of which 4 trials fit/);
    expect(report).toMatch(/\| Base with its best prompt \| \d/);
  });
});

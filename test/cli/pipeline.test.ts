import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { JsonLine } from '../../src/shared/commandLine.ts';
import { pipelineProgressSchema, pipelineRecordSchema } from '../../src/shared/pipeline.ts';
import { runRecordSchema } from '../../src/shared/recipe.ts';
import { ChatServer, sendError } from '../support/chatServer.ts';
import { type CliResult, makePlace, type Place, runCli, startCli, waitUntil } from '../support/programs.ts';
import { writeTinyDataset, writeTinyModel } from '../support/tinyModel.ts';

const letter = (i: number) => String.fromCharCode(97 + (i % 26));

/** Running text, instructions and preferences of one small world, a model, and a pipeline over them. */
function writeStages(place: Place, { more = '', steps = 6 } = {}): void {
  const write = (name: string, rows: readonly unknown[]) =>
    writeFileSync(join(place.folder, name), rows.map(row => `${JSON.stringify(row)}\n`).join(''));
  const all = Array.from({ length: 30 }, (_, i) => i);
  write(
    'domain.jsonl',
    all.map(i => ({ text: `${letter(i)} is letter ${i}` })),
  );
  write(
    'pairs.jsonl',
    all.map(i => ({ prompt: `say ${letter(i)}`, chosen: letter(i), rejected: letter(i + 1) })),
  );
  writeTinyDataset(join(place.folder, 'rows.jsonl'), 30);
  writeTinyModel(join(place.folder, 'model'), { heads: 2 });
  writeFile(place, 'model', '0.01', more, steps);
}

function writeFile(place: Place, model: string, learningRate: string, more = '', steps = 6): void {
  const text = `name: three
model: ./${model}
set: { contextTokens: 48, batchRows: 4, maxSteps: ${steps}, evalEverySteps: ${steps / 2}, saveEverySteps: ${steps / 2}, threads: 1, rank: 4, memoryLimitBytes: 2000000000 }
stages:
  - name: domain
    dataset: domain.jsonl
  - name: instructions
    dataset: rows.jsonl
    set: { learningRate: ${learningRate} }
  - name: preferences
    start: merge
    dataset: pairs.jsonl
    objective: dpo
${more}`;
  writeFileSync(join(place.folder, 'three.pipeline.yaml'), text);
}

const student = `  - name: student
    model: ./small
    teacher: instructions
    dataset: rows.jsonl
  - name: pupil
    model: ./small
    teacher: previous
    distill: answers
    maxTokens: 5
    keepCut: true
    dataset: rows.jsonl
`;

const run = (place: Place, ...more: string[]) =>
  runCli(['pipeline', 'run', 'three.pipeline.yaml', '--runs', 'store', '--json', ...more], place);

const pathOf = (lines: readonly JsonLine[]) => (lines[0] as unknown as { path: string }).path;
const resultOf = ({ lines }: CliResult) =>
  lines.at(-1) as unknown as {
    output: string;
    stages: { name: string; state: string; run: string }[];
    forgetting: { sets: string[]; rows: { stage: string; cells: ({ lossNats: number } | null)[] }[] };
  };
const adapterOf = (place: Place, id: string) =>
  readFileSync(join(place.store, 'runs', id, 'adapter', 'adapter_model.safetensors'));

describe('tuning-fork pipeline', () => {
  it('trains each stage from the last, measures what is forgotten, and trains again only what has changed', async () => {
    const place = makePlace();
    writeStages(place, { more: student });
    writeTinyModel(join(place.folder, 'small'), { seed: 3, hiddenSize: 16, layers: 1, heads: 2 });
    const first = await run(place);
    expect(first.code, first.errorText).toBe(0);
    const names = ['domain', 'instructions', 'preferences', 'student', 'pupil'];
    const { stages, forgetting, output } = resultOf(first);
    expect(stages.map(({ name, state }) => `${name} ${state}`)).toEqual(names.map(name => `${name} finished`));
    const recordOf = (name: string) => {
      const id = stages.find(stage => stage.name === name)!.run;
      return runRecordSchema.parse(JSON.parse(readFileSync(join(place.store, 'runs', id, 'run.json'), 'utf8')));
    };
    const pipelineId = pathOf(first.lines).split('/').at(-1)!;
    for (const name of names) expect(recordOf(name).parents).toEqual([pipelineId]);
    expect(recordOf('instructions').startFrom).toMatchObject({ mode: 'continue' });
    expect(recordOf('preferences').model.path).toContain(join('cache', 'merged'));
    expect(recordOf('student')).toMatchObject({
      objective: 'distill',
      teacher: { path: expect.stringContaining('merged') },
    });
    expect(recordOf('pupil')).toMatchObject({ objective: 'sft' });
    const answers = recordOf('pupil').datasets[0]!.path;
    expect(JSON.parse(readFileSync(answers, 'utf8').split('\n')[0]!)).toMatchObject({
      synthetic: true,
      teacher: 'student',
    });
    expect(output).toContain(stages[4]!.run);

    expect(forgetting.sets).toEqual(names);
    for (const [i, { stage, cells }] of forgetting.rows.entries()) {
      expect(stage).toBe(names[i]);
      expect(cells.map(cell => cell !== null)).toEqual(names.map((_, set) => set <= i));
    }
    // What the run itself measured last, measured again.
    const metrics = readFileSync(join(place.store, 'runs', stages[1]!.run, 'metrics.jsonl'), 'utf8');
    const evaluations = metrics.split('\n').filter(line => line.includes('"evaluation"'));
    const best = Math.min(...evaluations.map(line => (JSON.parse(line) as { evalLossNats: number }).evalLossNats));
    expect(forgetting.rows[1]!.cells[1]!.lossNats).toBeCloseTo(best, 4);
    // The merged model is the model with its adapter: so is what is measured through it before anything is learned on top.
    const evalArgs = ['eval', '--run', stages[1]!.run, '--adapter', stages[1]!.run, '--runs', 'store', '--json'];
    const evaluated = (await runCli(evalArgs, place)).lines.at(-1) as unknown as {
      results: { evalLossNats: number }[];
    };
    expect(evaluated.results[1]!.evalLossNats).toBeCloseTo(best, 4);

    const again = await run(place);
    expect(again.code).toBe(0);
    expect(resultOf(again).stages).toEqual(stages.map(stage => ({ ...stage, state: 'reused' })));
    expect(resultOf(again).forgetting).toEqual(forgetting);
    expect(again.lines.some(line => line.type === 'child')).toBe(false);

    writeFile(place, 'model', '0.02', student);
    const changed = await run(place);
    expect(resultOf(changed).stages.map(stage => stage.state)).toEqual(['reused', ...Array(4).fill('finished')]);
    expect(resultOf(changed).stages[0]!.run).toBe(stages[0]!.run);

    const restarted = await run(place, '--from', 'pupil');
    expect(resultOf(restarted).stages.map(stage => stage.state)).toEqual([...Array(4).fill('reused'), 'finished']);
    const pupils = [changed, restarted].map(result => adapterOf(place, resultOf(result).stages[4]!.run));
    expect(pupils[0]).toEqual(pupils[1]);
  });

  it('is paused and killed, goes on from what its stages left, and ends with the same bytes', async () => {
    const place = makePlace();
    writeStages(place, { steps: 900 });
    const straight = await run(place);
    expect(straight.code, straight.errorText).toBe(0);
    const expected = resultOf(straight).stages.map(stage => adapterOf(place, stage.run));
    rmSync(place.store, { recursive: true });

    const child = startCli(['pipeline', 'run', 'three.pipeline.yaml', '--runs', 'store', '--json'], place);
    const isStep = (line: JsonLine) => line.type === 'child' && line.line.type === 'step';
    await waitUntil('a step of the first stage', () => child.lines.some(isStep));
    const path = pathOf(child.lines);
    const paused = await runCli(['pause', path, '--json'], place);
    expect(paused.lines.at(-1)).toMatchObject({ type: 'result', state: 'paused' });
    expect((await child.ended).code).toBe(130);
    const progress = () => pipelineProgressSchema.parse(JSON.parse(readFileSync(join(path, 'pipeline.json'), 'utf8')));
    const firstRun = progress().stages[0]!.run!;
    expect(JSON.parse(readFileSync(join(place.store, 'runs', firstRun, 'status.json'), 'utf8'))).toMatchObject({
      state: 'paused',
    });

    const resumed = startCli(['resume', path, '--json'], place);
    const isSecond = () => {
      const second = progress().stages[1]!.run;
      return second !== null && resumed.lines.some(line => line.type === 'child' && line.id === second && isStep(line));
    };
    await waitUntil('a step of the second stage', isSecond);
    const { identity } = JSON.parse(readFileSync(join(path, 'status.json'), 'utf8')) as { identity: { pid: number } };
    process.kill(identity.pid, 'SIGKILL');
    await resumed.ended;
    const listed = await runCli(['runs', '--runs', 'store', '--json'], place);
    expect(JSON.stringify(listed.lines)).toContain('"state":"interrupted"');

    const last = await runCli(['resume', path, '--json'], place);
    expect(last.code, last.errorText).toBe(0);
    const { stages, forgetting } = resultOf(last);
    expect(stages[0]!.run).toBe(firstRun);
    expect(stages.map(stage => adapterOf(place, stage.run))).toEqual(expected);
    expect(forgetting).toEqual(resultOf(straight).forgetting);
    // One run a stage and the pipeline's own: none was made twice.
    expect(readdirSync(join(place.store, 'runs'))).toHaveLength(4);
    const record = pipelineRecordSchema.parse(JSON.parse(readFileSync(join(path, 'run.json'), 'utf8')));
    expect(record.datasets.map(dataset => dataset.path.split('/').at(-1))).toEqual([
      'domain.jsonl',
      'rows.jsonl',
      'pairs.jsonl',
    ]);
  });

  it('lets an endpoint teach, with a key that is written nowhere, and asks nothing twice after a kill', async () => {
    const place = makePlace();
    writeTinyDataset(join(place.folder, 'rows.jsonl'), 30);
    writeTinyModel(join(place.folder, 'model'), { heads: 2 });
    const server = await ChatServer.start();
    onTestFinished(() => server.stop());
    writeFileSync(
      join(place.folder, 'taught.pipeline.yaml'),
      `model: ./model
set: { contextTokens: 64, batchRows: 4, maxSteps: 2, threads: 1, rank: 4, memoryLimitBytes: 2000000000 }
stages:
  - name: student
    teacher: ${server.baseUrl}
    teacherModel: wise
    dataset: rows.jsonl
`,
    );
    const key = 'secret-key-0123456789';
    const withKey = { ...place, env: { ...place.env, WISE_KEY: key } };
    let answered = 0;
    server.fault = ({ times, question }, response) => {
      if (answered >= 10) return true; // silent until the pipeline is killed
      if (times === 1 && question.endsWith('4')) {
        sendError(response, 429, 'slow', { headers: { 'retry-after': '0' } });
        return true;
      }
      answered++;
      return false;
    };
    const child = startCli(
      ['pipeline', 'run', 'taught.pipeline.yaml', '--runs', 'store', '--json', '--key-env', 'WISE_KEY'],
      withKey,
    );
    await waitUntil('a run', () => child.lines[0]);
    const path = pathOf(child.lines);
    const journal = join(path, 'stages', 'student', 'answers-1.jsonl.partial.jsonl');
    const kept = () => (existsSync(journal) ? readFileSync(journal, 'utf8').split('\n').length - 2 : 0);
    await waitUntil('ten answers', () => kept() >= 10);
    const { identity } = JSON.parse(readFileSync(join(path, 'status.json'), 'utf8')) as { identity: { pid: number } };
    process.kill(identity.pid, 'SIGKILL');
    await child.ended;
    const before = server.asked.length;
    server.fault = () => false;
    const resumed = await runCli(['resume', path, '--json', '--key-env', 'WISE_KEY'], withKey);
    expect(resumed.code, resumed.errorText).toBe(0);
    const stage = resultOf(resumed).stages[0]!;
    const answers = readFileSync(join(path, 'stages', 'student', 'answers-1.jsonl'), 'utf8')
      .trimEnd()
      .split('\n');
    expect(answers.length).toBeGreaterThan(10);
    expect(server.asked.length - before).toBe(answers.length - 10);
    expect(server.asked.every(({ authorization }) => authorization === `Bearer ${key}`)).toBe(true);
    const record = readFileSync(join(place.store, 'runs', stage.run, 'run.json'), 'utf8');
    expect(runRecordSchema.parse(JSON.parse(record)).objective).toBe('sft');
    for (const file of readdirSync(place.folder, { recursive: true, encoding: 'utf8' })) {
      const full = join(place.folder, file);
      if (statSync(full).isFile()) expect(readFileSync(full).includes(key), file).toBe(false);
    }
    expect(resumed.errorText + JSON.stringify(resumed.lines)).not.toContain(key);
  });

  it('says what is wrong with file, data and models before anything is trained', async () => {
    const place = makePlace();
    writeStages(place);
    const checked = await runCli(['pipeline', 'check', 'three.pipeline.yaml'], place);
    expect(checked.code, checked.errorText).toBe(0);
    const refuse = async (args: readonly string[], exit: number, error: Record<string, unknown>) => {
      const { code, lines } = await runCli(['pipeline', ...args, '--runs', 'store', '--json'], place);
      expect(code).toBe(exit);
      expect(lines.at(-1)).toMatchObject({ type: 'error', ...error });
      expect(existsSync(place.store) ? readdirSync(join(place.store, 'runs')) : []).toEqual([]);
      return lines;
    };
    const file = 'three.pipeline.yaml';
    await refuse(['bake', file], 2, { code: 'usage' });
    await refuse(['run', 'none.yaml'], 2, { code: 'usage', message: expect.stringContaining('ENOENT') });
    await refuse(['run', file, '--from', 'nothing'], 2, { message: expect.stringContaining('domain, instructions') });
    writeFile(place, 'nowhere', '0.01');
    await refuse(['run', file], 1, { code: 'model-not-found', message: expect.stringMatching(/^stage domain: /) });
    writeFile(place, 'model', 'fast');
    const lines = await refuse(['check', file], 2, {
      line: 9,
      message: expect.stringContaining(`${file}:9:26: learningRate`),
    });
    expect(lines[0]).toMatchObject({ type: 'problem', line: 9, fix: expect.stringMatching(/./) });
    writeFile(place, 'model', '0.01');
    writeFileSync(
      join(place.folder, 'pairs.jsonl'),
      '{"question": "a", "answer": "b"}\n{"question": "c", "answer": "d"}\n',
    );
    await refuse(['run', file], 1, { code: 'dataset-invalid', message: expect.stringMatching(/^stage preferences: /) });
  });
});

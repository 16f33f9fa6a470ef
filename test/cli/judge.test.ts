import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type EvaluationLine, evaluationNames, evaluationResultSchema } from '../../src/shared/evaluationFiles.ts';
import { makeAnsweringRun } from '../support/answeringRun.ts';
import { ChatServer, sendChunk, sendError, sendWhole, startStream } from '../support/chatServer.ts';
import { runCli, startCli, waitUntil } from '../support/programs.ts';

const readLines = (path: string): EvaluationLine[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as EvaluationLine);

const readResult = (run: string) =>
  evaluationResultSchema.parse(
    JSON.parse(readFileSync(join(run, evaluationNames.folder, evaluationNames.metrics), 'utf8')),
  );

describe('tuning-fork judge', () => {
  it('judges base, prompt, adapter and checkpoints on held-out rows, with the losses that training measured', async () => {
    const { place, model, run, baseEvalLossNats, bestEvalLossNats } = await makeAnsweringRun();
    writeFileSync(join(place.folder, 'terms.txt'), 'answer\nnumber|count\n');
    const args = ['judge', '--run', run, '--checkpoints', '--glossary', 'terms.txt', '--max-tokens', '8', '--json'];
    const { code, lines } = await runCli([...args, '--judge', model], place);
    expect(code).toBe(0);
    const result = lines.at(-1) as unknown as { path: string; report: string; html: string; rows: number };
    expect(result).toMatchObject({ type: 'result', rows: 8 });
    const { candidates, metrics, judge } = readResult(result.path);
    expect(candidates.map(({ kind }) => kind).slice(0, 3)).toEqual(['base', 'prompted', 'adapter']);
    expect(candidates.length).toBeGreaterThan(3);
    const lossOf = (id: string) => metrics.find(({ name }) => name === 'loss')!.values.find(v => v.candidate === id)!;
    expect(lossOf('base').value).toBeCloseTo(baseEvalLossNats, 5);
    expect(lossOf('adapter-1').value).toBeCloseTo(bestEvalLossNats, 4);
    expect(lossOf('adapter-1').rows).toBe(8);
    // The run's adapter is its best checkpoint, which is among the checkpoints.
    const others = candidates.slice(3).map(({ id }) => lossOf(id).value);
    expect(Math.min(...others.map(loss => Math.abs(loss - lossOf('adapter-1').value)))).toBeLessThan(1e-5);
    expect(judge).toMatchObject({ opponent: 'prompted' });
    const written = readLines(join(result.path, evaluationNames.folder, evaluationNames.answers));
    expect(written.filter(line => line.kind === 'answer')).toHaveLength(8 * candidates.length);
    expect(written.filter(line => line.kind === 'verdict')).toHaveLength(2 * 8 * (candidates.length - 1));
    for (const path of [result.report, result.html])
      expect(readFileSync(path, 'utf8')).toContain('Base with its best prompt');
    expect(lines.filter(line => line.type === 'evaluation')).toHaveLength(candidates.length);
  });

  it('asks a faulty endpoint, is killed, goes on: nothing lost, nothing twice, and the order of a pair decides nothing', async () => {
    const { place: bare, run } = await makeAnsweringRun({ evalRatio: 0.5 });
    const server = await ChatServer.start();
    onTestFinished(() => server.stop());
    const env: NodeJS.ProcessEnv = { ...bare.env, TUNING_FORK_ENDPOINT_KEY: 'secret-key' };
    const place = { ...bare, env };
    const answered: string[] = [];
    let limit = 8;
    server.fault = ({ question, times, body }, response) => {
      if (body.model === 'judge') {
        // Prefers whatever stands first: both orders together are a tie.
        if (times === 1 && answered.length % 3 === 0) {
          sendError(response, 503, 'busy', { headers: { 'retry-after': '0' } });
          answered.push(question);
          return true;
        }
        answered.push(question);
        sendWhole(response, 'A');
        return true;
      }
      if (answered.length >= limit) return true;
      const number = Number(question.split(' ').at(-1));
      if (times === 1 && number % 4 === 0) {
        sendError(response, 429, 'slow', { headers: { 'retry-after': '0' } });
        return true;
      }
      if (times === 1 && number % 5 === 0) {
        startStream(response);
        sendChunk(response, { content: 'half an ans' });
        setImmediate(() => response.destroy());
        return true;
      }
      if (times === 1 && number % 7 === 0) return true; // silence, until it times out
      answered.push(question);
      return false;
    };
    const endpoint = ['--endpoint', server.baseUrl, '--endpoint-model', 'wise', '--parallel', '3', '--timeout', '1'];
    const judge = ['--judge', server.baseUrl, '--judge-model', 'judge'];
    const metrics = ['--metrics', 'tokenF1,judge', '--max-tokens', '4', '--runs', place.store];
    const child = startCli(
      ['judge', '--run', run, '--without', 'prompted', ...endpoint, ...judge, ...metrics, '--json'],
      place,
    );
    const folder = await waitUntil('the evaluation', () => {
      const line = child.lines.find(({ type }) => type === 'run');
      return line?.type === 'run' ? line.path : undefined;
    });
    const file = join(folder, evaluationNames.folder, evaluationNames.answers);
    const countAnswers = (): number =>
      existsSync(file)
        ? readFileSync(file, 'utf8')
            .split('\n')
            .filter(line => line.includes('endpoint-1') && line.includes('"answer"')).length
        : 0;
    await waitUntil('eight answers', () => countAnswers() >= 8);
    const [entry] = readdirSync(join(env.TUNING_FORK_STATE!, 'processes'));
    const { pid } = JSON.parse(readFileSync(join(env.TUNING_FORK_STATE!, 'processes', entry!), 'utf8')) as {
      pid: number;
    };
    process.kill(pid, 'SIGKILL');
    await child.ended;
    limit = Number.POSITIVE_INFINITY;
    const before = new Set(answered);
    server.asked.length = 0;
    // A run folder may come from anyone: where the user has named no such endpoint, nothing is sent.
    const named = join(env.TUNING_FORK_STATE!, 'endpoints.json');
    renameSync(named, `${named}.aside`);
    const refused = await runCli(['resume', folder, '--runs', place.store, '--json'], place);
    expect(refused.lines.at(-1)).toMatchObject({ type: 'error', code: 'usage' });
    expect(server.asked).toEqual([]);
    renameSync(`${named}.aside`, named);
    const { code, lines, errorText } = await runCli(['resume', folder, '--runs', place.store, '--json'], place);
    expect(code).toBe(0);
    const asked = server.asked.filter(({ body }) => body.model === 'wise').map(({ question }) => question);
    expect(asked.filter(question => before.has(question))).toEqual([]);
    expect(server.asked.every(({ authorization }) => authorization === 'Bearer secret-key')).toBe(true);
    const written = readLines(file);
    const rows = written.filter(line => line.kind === 'row').length;
    const answers = written.filter(line => line.kind === 'answer' && line.candidate === 'endpoint-1');
    expect(answers).toHaveLength(rows);
    for (const line of written) {
      if (line.kind !== 'answer' || line.candidate !== 'endpoint-1') continue;
      const row = written.find(other => other.kind === 'row' && other.row === line.row);
      expect(line.text).toBe(row?.kind === 'row' ? ChatServer.answerTo(row.question!) : '');
    }
    expect(written.filter(line => line.kind === 'verdict')).toHaveLength(2 * 2 * rows);
    const result = readResult(folder);
    for (const { value } of result.metrics.find(({ name }) => name === 'judge')!.values) expect(value).toBe(0.5);
    expect(result.judge).toMatchObject({ contradictions: 2 * rows, unclear: 0 });
    expect(JSON.stringify(lines) + errorText + readFileSync(file, 'utf8')).not.toContain('secret-key');
  });

  it('refuses what cannot be judged before a run begins', async () => {
    const { place, run } = await makeAnsweringRun();
    const refused = async (...args: string[]) => (await runCli(['judge', ...args, '--json'], place)).lines.at(-1);
    expect(await refused('--run', run, '--metrics', 'nonsense')).toMatchObject({ type: 'error', code: 'usage' });
    expect(await refused('--run', run, '--metrics', 'judge')).toMatchObject({
      code: 'usage',
      message: expect.stringContaining('--judge'),
    });
    expect(await refused('--run', run, '--labels', 'one')).toMatchObject({ code: 'usage' });
    expect(await refused('--run', run, '--glossary', 'field:nowhere')).toMatchObject({
      code: 'usage',
      message: expect.stringContaining('nowhere'),
    });
  });
});

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ChatServer, sendChunk, sendError, startStream } from '../support/chatServer.ts';
import { makePlace, type Place, runCli, startCli, waitUntil } from '../support/programs.ts';
import { writeTinyDataset, writeTinyModel } from '../support/tinyModel.ts';

const readRows = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as { messages: { content: string }[]; teacher: string });

async function startServer(): Promise<ChatServer> {
  const server = await ChatServer.start();
  onTestFinished(() => server.stop());
  return server;
}

const withKey = (place: Place): Place => ({ ...place, env: { ...place.env, TUNING_FORK_TEACHER_KEY: 'secret-key' } });

describe('tuning-fork distill', () => {
  it('lets an endpoint with faults answer, is killed in the midst of it, and goes on with nothing lost and nothing twice', async () => {
    const place = withKey(makePlace());
    writeTinyDataset(join(place.folder, 'rows.jsonl'));
    const server = await startServer();
    const args = ['distill', 'rows.jsonl', '--teacher', server.baseUrl, '--teacher-model', 'wise'];
    const more = [
      '--out',
      'answers.jsonl',
      '--held-out',
      'heldOut.jsonl',
      '--json',
      '--parallel',
      '3',
      '--timeout',
      '1',
    ];
    const answered: string[] = [];
    server.fault = ({ question, times }, response) => {
      if (answered.length >= 12) return true;
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
      answered.push(question);
      return false;
    };
    const child = startCli([...args, ...more], place);
    const partial = join(place.folder, 'answers.jsonl.partial.jsonl');
    const countKept = () => (existsSync(partial) ? readFileSync(partial, 'utf8').split('\n').length - 2 : 0);
    await waitUntil('twelve answers', () => countKept() >= 12);
    child.process.kill('SIGKILL');
    await child.ended;
    expect(existsSync(join(place.folder, 'answers.jsonl'))).toBe(false);
    server.asked.length = 0;
    server.fault = () => false;
    const { code, lines, errorText } = await runCli([...args, ...more], place);
    expect(code).toBe(0);
    expect(lines.at(-1)).toMatchObject({ type: 'result', answered: 36, keptBack: 4, resumed: 12, rows: 40 });
    expect(lines.some(line => line.type === 'progress' && line.phase === 'asking the teacher')).toBe(true);
    expect(server.asked).toHaveLength(24);
    expect(server.asked.every(({ authorization }) => authorization === 'Bearer secret-key')).toBe(true);
    expect(server.asked.map(({ question }) => question).filter(question => answered.includes(question))).toEqual([]);
    const rows = readRows(join(place.folder, 'answers.jsonl'));
    expect(rows.every(({ messages }) => messages[1]!.content === ChatServer.answerTo(messages[0]!.content))).toBe(true);
    expect(new Set(rows.map(({ messages }) => messages[0]!.content)).size).toBe(36);
    expect(readFileSync(join(place.folder, 'answers.jsonl'), 'utf8') + errorText).not.toContain('secret-key');
    expect(existsSync(partial)).toBe(false);
    const asked = new Set(rows.map(({ messages }) => messages[0]!.content));
    for (const { messages } of readRows(join(place.folder, 'heldOut.jsonl'))) {
      expect(asked.has(messages[0]!.content)).toBe(false);
    }
    const again = await runCli([...args, ...more], place);
    expect(again).toMatchObject({ code: 2 });
    expect(again.lines.at(-1)).toMatchObject({ type: 'error', code: 'usage' });
  });

  it('lets a model of ours and a run of it answer, in groups as alone', async () => {
    const place = makePlace();
    writeTinyDataset(join(place.folder, 'rows.jsonl'));
    const model = writeTinyModel(join(place.folder, 'model'), { heads: 2 });
    const settings = ['method=lora', 'rank=4', 'maxSteps=6', 'contextTokens=48', 'threads=1', 'learningRate=0.01'];
    const train = ['train', 'rows.jsonl', '--model', model, '--runs', 'store', '--json', '--override', 'memory'];
    const trained = await runCli([...train, ...settings.flatMap(setting => ['--set', setting])], place);
    const { path } = trained.lines[0] as unknown as { path: string };
    const distill = async (teacher: string, out: string) => {
      const { code, lines } = await runCli(
        ['distill', 'rows.jsonl', '--teacher', teacher, '--out', out, '--keep-cut', '--max-tokens', '6', '--json'],
        place,
      );
      expect(code).toBe(0);
      expect(lines.at(-1)).toMatchObject({ type: 'result', rows: 40, keptBack: 4 });
      return readRows(join(place.folder, out));
    };
    const base = await distill(model, 'base.jsonl');
    const tuned = await distill(path, 'tuned.jsonl');
    expect(tuned[0]!.teacher).toContain(`on ${model}`);
    expect(tuned.map(row => row.messages[1])).not.toEqual(base.map(row => row.messages[1]));
    const prompt = tuned[0]!.messages[0]!.content;
    const args = ['generate', '--adapter', path, '--prompt', prompt, '--max-tokens', '6', '--json'];
    const alone = await runCli(args, place);
    expect(alone.lines.at(-1)).toMatchObject({ text: tuned[0]!.messages[1]!.content });
  });

  it('says what is wrong with a teacher before anything is written', async () => {
    const place = withKey(makePlace());
    writeTinyDataset(join(place.folder, 'rows.jsonl'));
    const server = await startServer();
    server.fault = (_, response) => {
      sendError(response, 401, 'bad key');
      return true;
    };
    const refuse = async (more: readonly string[], exit: number, code: string, message: RegExp) => {
      const { code: got, lines, errorText } = await runCli(['distill', 'rows.jsonl', '--json', ...more], place);
      expect(got).toBe(exit);
      expect(lines.at(-1)).toMatchObject({ type: 'error', code, hint: expect.stringMatching(/./) });
      expect((lines.at(-1) as unknown as { message: string }).message).toMatch(message);
      expect(errorText).not.toContain('secret-key');
    };
    const out = ['--out', 'answers.jsonl'];
    await refuse(out, 2, 'usage', /--teacher: expected a value/);
    await refuse([...out, '--teacher', server.baseUrl], 2, 'usage', /--teacher-model/);
    await refuse([...out, '--teacher', 'http://', '--teacher-model', 'm'], 2, 'usage', /expected an http/);
    const refused = [...out, '--teacher', server.baseUrl, '--teacher-model', 'm'];
    await refuse(refused, 1, 'endpoint-failed', /status 401: bad key/);
    writeFileSync(join(place.folder, 'broken.jsonl'), '{"question": "a"\n');
    await refuse([...out, '--teacher', join(place.folder, 'nowhere')], 1, 'model-not-found', /nowhere/);
    expect(existsSync(join(place.folder, 'answers.jsonl'))).toBe(false);
  });
});

/** What Python programs use to talk to OpenAI's servers, talking to ours. */
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { makeAnsweringRun } from '../support/answeringRun.ts';
import { runCli } from '../support/programs.ts';
import { serveModels } from '../support/servedModels.ts';

const python = process.env.TUNING_FORK_PYTHON;
const here = dirname(fileURLToPath(import.meta.url));

interface Answers {
  readonly models: string[];
  readonly retrieved: string;
  readonly answers: Record<string, string>;
  readonly streamed: Record<string, { text: string; reason: string; outputTokens: number }>;
  readonly together: string[];
  readonly completion: { text: string; logprobs: { tokens: string[]; token_logprobs: number[] } };
  readonly wrongKey: unknown[];
  readonly wrongModel: unknown[];
  readonly tools: unknown[];
  readonly llamaIndex: { chat: string; streamed: string; pieces: number; complete: string };
}

describe.skipIf(!python)("OpenAI's Python client and LlamaIndex's OpenAILike", () => {
  it('get the answers of generate, alone and together, and errors as their own classes', async () => {
    const { place, model, run } = await makeAnsweringRun({ maxSteps: 2, evalEverySteps: 1 });
    const { baseUrl, key } = await serveModels(['--model', model, '--adapter', run], place);
    const names = ['chat', 'tiny run'];
    const question = 'say a 1';
    const expected: string[] = [];
    for (const adapter of [[], ['--adapter', run]]) {
      const args = ['--model', model, ...adapter, '--prompt', question, '--max-tokens', '12', '--json'];
      const { lines } = await runCli(['generate', ...args], place);
      expected.push((lines.at(-1) as { text?: string }).text!);
    }
    expect(new Set([...expected, '']).size).toBe(3);
    const asked = [join(here, 'clients.py'), baseUrl, key, ...names, question];
    const { stdout } = await promisify(execFile)(python!, asked, { env: { ...process.env, NO_PROXY: '*' } });
    const got = JSON.parse(stdout) as Answers;
    expect(got).toMatchObject({ models: names, retrieved: names[1] });
    expect(names.map(name => got.answers[name])).toEqual(expected);
    expect(names.map(name => got.streamed[name]!.text)).toEqual(expected);
    expect(got.streamed.chat).toMatchObject({ reason: 'length', outputTokens: 12 });
    expect(got.together).toEqual(Array.from({ length: 16 }, (_, i) => expected[i % 2]));
    expect(got.completion.logprobs.tokens.join('')).toBe(got.completion.text);
    expect(got.completion.logprobs.token_logprobs.every(score => score <= 0)).toBe(true);
    expect(got.wrongKey).toEqual(['AuthenticationError', 401, 'invalid_api_key', null]);
    expect(got.wrongModel).toEqual(['NotFoundError', 404, 'model_not_found', 'model']);
    expect(got.tools).toEqual(['BadRequestError', 400, 'unsupported_parameter', 'tools']);
    expect(got.llamaIndex).toMatchObject({ chat: expected[1], streamed: expected[1], complete: expected[1] });
    expect(got.llamaIndex.pieces).toBeGreaterThan(1);
  });
});

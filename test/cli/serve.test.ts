import { readFileSync, statSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import OpenAI, { APIError } from 'openai';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/shared/commandLine.ts';
import { makeAnsweringRun } from '../support/answeringRun.ts';
import { makePlace, type Place, runCli } from '../support/programs.ts';
import { type ServedModels, serveModels } from '../support/servedModels.ts';
import { writeTinyModel } from '../support/tinyModel.ts';

interface Served extends ServedModels {
  readonly client: OpenAI;
}

async function startServer(args: readonly string[], place: Place): Promise<Served> {
  const served = await serveModels(args, place);
  return { ...served, client: new OpenAI({ baseURL: served.baseUrl, apiKey: served.key, maxRetries: 0 }) };
}

const ask = (content: string) => [{ role: 'user' as const, content }];

async function generate(place: Place, args: readonly string[]): Promise<string> {
  const { lines } = await runCli(['generate', '--json', ...args], place);
  return (lines.at(-1) as { text?: string }).text!;
}

async function refusal(
  promise: Promise<unknown>,
): Promise<{ status: unknown; code: unknown; param: unknown; message: string }> {
  const error: unknown = await promise.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(APIError);
  const { status, code, param, message } = error as InstanceType<typeof APIError>;
  return { status, code, param, message };
}

interface RawRequest {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** What fetch does not let one send: another Host, an Origin, broken bodies. */
function sendRaw(
  { baseUrl, key }: Served,
  { method = 'POST', path = '/v1/chat/completions', headers, body }: RawRequest,
) {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }>((resolve, reject) => {
    const url = new URL(baseUrl);
    const sent = httpRequest({
      host: url.hostname,
      port: url.port,
      method,
      path,
      headers: { authorization: `Bearer ${key}`, ...headers },
    });
    sent.on('error', reject);
    sent.on('response', response => {
      let text = '';
      response.setEncoding('utf8').on('data', piece => (text += piece));
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: text }));
    });
    sent.end(body);
  });
}

const asked = (value: object) => JSON.stringify({ model: 'chat', messages: ask('say a 1'), max_tokens: 4, ...value });

describe('tuning-fork serve', () => {
  it('answers the official client: base and adapter, whole and streamed, as generate does', async () => {
    const { place, model, run } = await makeAnsweringRun({ maxSteps: 2, evalEverySteps: 1 });
    const served = await startServer(['--model', model, '--adapter', run], place);
    const { client } = served;
    expect(served.models).toEqual(['chat', 'tiny run']);
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(served.models);
    expect(await client.models.retrieve('tiny run')).toMatchObject({ id: 'tiny run', object: 'model' });
    const prompt = ['--prompt', 'say a 1', '--max-tokens', '12', '--model', model];
    const expected = {
      chat: await generate(place, prompt),
      'tiny run': await generate(place, [...prompt, '--adapter', run]),
    };
    expect(new Set([...Object.values(expected), '']).size).toBe(3);
    for (const [name, text] of Object.entries(expected)) {
      const request = { model: name, messages: ask('say a 1'), max_tokens: 12 };
      const whole = await client.chat.completions.create(request);
      expect(whole.choices[0]).toMatchObject({ message: { role: 'assistant', content: text }, index: 0 });
      const usage = whole.usage!;
      expect(usage.total_tokens).toBe(usage.prompt_tokens + usage.completion_tokens);
      const stream = await client.chat.completions.create({
        ...request,
        stream: true,
        stream_options: { include_usage: true },
      });
      let streamed = '';
      const reasons: string[] = [];
      let last: unknown;
      for await (const chunk of stream) {
        streamed += chunk.choices[0]?.delta.content ?? '';
        if (chunk.choices[0]?.finish_reason) reasons.push(chunk.choices[0].finish_reason);
        last = chunk.usage;
      }
      expect(streamed).toBe(text);
      expect(reasons).toEqual([whole.choices[0]!.finish_reason]);
      expect(last).toEqual(usage);
    }

    // Drawn answers repeat with their seed; several choices differ; a stop text ends an answer before it.
    const drawn = { model: 'chat', messages: ask('say a 1'), max_tokens: 12, temperature: 1, seed: 7, n: 3 };
    const draw = async () =>
      (await client.chat.completions.create(drawn)).choices.map(({ message }) => message.content);
    const first = await draw();
    expect(new Set(first).size).toBeGreaterThan(1);
    expect(await draw()).toEqual(first);
    const stop = expected.chat.slice(3, 5);
    const stopped = await client.chat.completions.create({
      model: 'chat',
      messages: ask('say a 1'),
      max_tokens: 12,
      stop,
    });
    expect(stopped.choices[0]).toMatchObject({
      message: { content: expected.chat.split(stop)[0] },
      finish_reason: 'stop',
    });

    // Legacy completions: texts, several, tokens, echo with scores. A byte is a token of this model.
    const completion = await client.completions.create({ model: 'chat', prompt: ['ab', 'xyz'], max_tokens: 3, n: 2 });
    expect(completion.choices.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    expect(completion.choices[0]!.text).toBe(completion.choices[1]!.text);
    const echoed = await client.completions.create({
      model: 'chat',
      prompt: 'ab',
      max_tokens: 3,
      echo: true,
      logprobs: 2,
    });
    const text = `ab${completion.choices[0]!.text}`;
    expect(echoed.choices[0]!.text).toBe(text);
    const scores = echoed.choices[0]!.logprobs!;
    expect(scores.token_logprobs!.slice(0, 2)).toEqual([null, expect.any(Number)]);
    expect(scores.token_logprobs!.length).toBe(scores.text_offset!.length);
    const scored = await client.chat.completions.create({
      model: 'chat',
      messages: ask('say a 1'),
      max_tokens: 3,
      logprobs: true,
      top_logprobs: 2,
    });
    const content = scored.choices[0]!.logprobs!.content!;
    expect(content[0]!.top_logprobs[0]!.logprob).toBe(content[0]!.logprob);

    served.child.process.kill('SIGTERM');
    const { code, lines } = await served.child.ended;
    expect(code).toBe(exitCodes.done);
    expect(lines.at(-1)).toMatchObject({ type: 'result', baseUrl: served.baseUrl });
  });

  it('refuses strangers, pages in browsers, and what it does not support or cannot read', async () => {
    const place = makePlace();
    const model = writeTinyModel(join(place.folder, 'chat'), { heads: 2 });
    const file = join(place.folder, 'key');
    const served = await startServer(['--model', model, '--token-file', file], place);
    expect(served.key).toBe('no key was shown');
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600);
    const key = readFileSync(file, 'utf8').trim();
    const client = new OpenAI({ baseURL: served.baseUrl, apiKey: key, maxRetries: 0 });
    const send = (raw: RawRequest) => sendRaw({ ...served, key }, raw);
    const { port } = new URL(served.baseUrl);

    expect(await refusal(served.client.models.list())).toMatchObject({ status: 401, code: 'invalid_api_key' });
    expect((await send({ method: 'GET', path: '/v1/models', headers: { host: `localhost:${port}` } })).status).toBe(
      200,
    );
    for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1', `127.0.0.1.evil.example:${port}`]) {
      expect((await send({ method: 'GET', path: '/v1/models', headers: { host } })).status).toBe(403);
    }
    for (const origin of ['https://evil.example', `http://127.0.0.1:${port}`, 'null']) {
      const answer = await send({ headers: { origin }, body: asked({}) });
      expect(answer.status).toBe(403);
      expect(Object.keys(answer.headers).some(name => name.startsWith('access-control'))).toBe(false);
    }
    expect((await send({ method: 'OPTIONS', headers: { origin: 'https://evil.example' } })).status).toBe(403);

    expect((await send({ body: asked({}), headers: { 'content-type': 'text/plain' } })).status).toBe(200);
    const broken = [
      '',
      '{',
      '[]',
      'null',
      '{"model":"chat"}',
      asked({ messages: [] }),
      asked({ max_tokens: 0 }),
      asked({ temperature: 3 }),
    ];
    for (const body of [...broken, Buffer.from([0x7b, 0x22, 0xff, 0xfe])]) {
      const answer = await send({ body });
      expect([answer.status, JSON.parse(answer.body)]).toMatchObject([
        400,
        { error: { type: 'invalid_request_error' } },
      ]);
    }
    expect((await send({ body: asked({ text: 'x'.repeat(3 * 2 ** 20) }) })).status).toBe(413);
    expect(
      (await send({ headers: { 'transfer-encoding': 'chunked' }, body: asked({ text: 'x'.repeat(3 * 2 ** 20) }) }))
        .status,
    ).toBe(413);
    expect((await send({ headers: { 'content-encoding': 'gzip' }, body: asked({}) })).status).toBe(415);
    expect((await send({ path: '/v1/nothing', body: '{}' })).status).toBe(404);
    expect((await send({ method: 'GET' })).status).toBe(405);
    expect((await send({ method: 'GET', path: '/v1/models', headers: { 'x-long': 'x'.repeat(20_000) } })).status).toBe(
      431,
    );

    const chat = (more: object) => client.chat.completions.create({ model: 'chat', messages: ask('say a 1'), ...more });
    expect(await refusal(chat({ model: 'other' }))).toMatchObject({
      status: 404,
      code: 'model_not_found',
      param: 'model',
    });
    const tool = { type: 'function' as const, function: { name: 'look', parameters: {} } };
    for (const [param, value] of Object.entries({
      tools: [tool],
      frequency_penalty: 1,
      logit_bias: { 5: 1 },
      response_format: { type: 'json_object' },
    })) {
      expect(await refusal(chat({ [param]: value }))).toMatchObject({
        status: 400,
        code: 'unsupported_parameter',
        param,
      });
    }
    const image = [{ type: 'image_url' as const, image_url: { url: 'data:,' } }];
    expect(await refusal(chat({ messages: [{ role: 'user', content: image }] }))).toMatchObject({
      param: 'messages[0].content[0]',
    });
    expect(await refusal(chat({ messages: ask('x'.repeat(300)) }))).toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
    });
    expect(await refusal(client.completions.create({ model: 'chat', prompt: [5, 9999] }))).toMatchObject({
      param: 'prompt',
    });
    const parts = [
      { type: 'text' as const, text: 'say ' },
      { type: 'text' as const, text: 'a 1' },
    ];
    const inParts = await chat({
      messages: [{ role: 'user', content: parts }],
      max_tokens: 5,
      tools: [],
      frequency_penalty: 0,
      user: 'me',
    });
    expect(inParts.choices[0]!.message.content).toBe((await chat({ max_tokens: 5 })).choices[0]!.message.content);

    // What is no HTTP gets an answer too.
    const garbage = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.write('nonsense\r\n\r\n'));
      let text = '';
      socket.on('data', piece => (text += piece));
      socket.on('end', () => resolve(text));
      socket.on('error', reject);
    });
    expect(garbage).toMatch(/^HTTP\/1\.1 400 /);
    const taken = await runCli(['serve', '--model', model, '--port', port, '--json'], place);
    expect(taken.lines.at(-1)).toMatchObject({
      type: 'error',
      code: 'usage',
      message: expect.stringContaining('EADDRINUSE'),
    });
  });

  it('gives 32 clients at once their own right answers, whoever leaves, with flat memory', async () => {
    const { place, model, run } = await makeAnsweringRun({ maxSteps: 2, evalEverySteps: 1 });
    // Room for some that have left and are still to be noticed.
    const served = await startServer(['--model', model, '--adapter', run, '--parallel', '8', '--queue', '40'], place);
    const { client, child } = served;
    const models = ['chat', 'tiny run'];
    const questions = Array.from({ length: 32 }, (_, i) => ({
      model: models[i % 2]!,
      messages: ask(`say ${'abc'[i % 3]} ${i % 5}`),
      max_tokens: 16 + (i % 7),
    }));
    const text = async (request: (typeof questions)[number]) =>
      (await client.chat.completions.create(request)).choices[0]!.message.content;
    const alone: (string | null)[] = [];
    for (const question of questions) alone.push(await text(question));
    const memory = async () => {
      if (process.platform !== 'linux') return 0;
      const pid = Number(
        readFileSync(`/proc/${child.process.pid}/task/${child.process.pid}/children`, 'utf8').trim().split(' ')[0],
      );
      return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
    };
    const round = async () => {
      const answers = questions.map(question => text(question));
      expect(await Promise.all(answers)).toEqual(alone);
    };
    await round();
    // Cut connections: in the queue, in the middle of a stream, in the middle of a request.
    const cut = async () => {
      const controllers = questions.map(() => new AbortController());
      const left = questions.map(async (question, i) => {
        const options = { signal: controllers[i]!.signal };
        const stream = await client.chat.completions.create({ ...question, max_tokens: 150, stream: true }, options);
        for await (const _ of stream) controllers[i]!.abort();
      });
      const { hostname, port } = new URL(served.baseUrl);
      const half = connect(Number(port), hostname, () => {
        half.write(
          `POST /v1/completions HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${served.key}\r\ncontent-length: 999\r\n\r\n{"mod`,
        );
        setTimeout(() => half.destroy(), 50);
      });
      await Promise.allSettled(left);
    };
    await cut();
    await round();
    const before = await memory();
    for (let i = 0; i < 4; i++) {
      await cut();
      await round();
    }
    expect((await memory()) - before).toBeLessThan(60);
    const cutAnswers = child.lines.filter(line => line.type === 'request' && line.isCut);
    expect(cutAnswers.length).toBeGreaterThan(0);

    // Beyond what waits, requests are refused at once with a time to come back.
    const many = Array.from({ length: 60 }, (_, i) =>
      sendRaw(served, { body: asked({ max_tokens: 100, n: 1, seed: i }) }),
    );
    const answers = await Promise.all(many);
    const refused = answers.filter(({ status }) => status === 429);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 429]));
    expect(refused.every(({ headers }) => headers['retry-after'] === '1')).toBe(true);

    // At the end answers under way are finished, and nobody is let in.
    const late = client.chat.completions.create({
      model: 'chat',
      messages: ask('say a 1'),
      max_tokens: 200,
      stream: true,
      temperature: 1,
      seed: 3,
    });
    const stream = await late;
    let pieces = 0;
    for await (const chunk of stream) {
      if (pieces++ === 0) child.process.kill('SIGINT');
      if (chunk.choices[0]?.finish_reason) pieces = -1;
    }
    expect(pieces).toBe(-1);
    expect((await child.ended).code).toBe(exitCodes.done);
  });
});

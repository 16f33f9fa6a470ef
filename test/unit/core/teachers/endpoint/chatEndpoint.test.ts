import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ChatEndpoint,
  defaultEndpointOptions,
  type EndpointOptions,
} from '../../../../../src/core/teachers/endpoint/chatEndpoint.ts';
import { readRetryAfter } from '../../../../../src/core/teachers/endpoint/endpointFailure.ts';
import { type Clock, Pace } from '../../../../../src/core/teachers/endpoint/pace.ts';
import { EndpointTeacher } from '../../../../../src/core/teachers/endpointTeacher.ts';
import type { TeacherOutcome } from '../../../../../src/core/teachers/teacher.ts';
import {
  ChatServer,
  sendChunk,
  sendError,
  sendStream,
  sendWhole,
  startStream,
} from '../../../../support/chatServer.ts';

const settings = { maxTokens: 20, temperature: 0, topP: 1, seed: 1 };
const ask = (question: string) => [{ role: 'user' as const, content: question }];

/** Time that passes only while everybody sleeps: whoever wakes first, wakes alone. */
class TestClock implements Clock {
  readonly slept: number[] = [];
  private readonly sleepers: { readonly at: number; readonly wake: () => void }[] = [];
  private ms = 0;
  now = () => this.ms;
  sleep = (ms: number, signal?: AbortSignal) => {
    signal?.throwIfAborted();
    this.slept.push(ms);
    return new Promise<void>(wake => {
      this.sleepers.push({ at: this.ms + ms, wake });
      this.sleepers.sort((a, b) => a.at - b.at);
      setImmediate(() => {
        const next = this.sleepers.shift()!;
        this.ms = Math.max(this.ms, next.at);
        next.wake();
      });
    });
  };
}

let server: ChatServer;
let clock: TestClock;
beforeEach(async () => {
  server = await ChatServer.start();
  clock = new TestClock();
});
afterEach(() => server.stop());

function makeEndpoint(options: Partial<EndpointOptions> = {}, apiKey?: string): ChatEndpoint {
  const address = { baseUrl: server.baseUrl, model: 'wise', apiKey };
  return new ChatEndpoint(address, { ...defaultEndpointOptions, ...options }, clock, () => 0);
}

async function answerAll(endpoint: ChatEndpoint, questions: readonly string[]) {
  const outcomes = new Map<number, TeacherOutcome>();
  let told = 0;
  const conversations = questions.map((question, row) => ({ row, messages: ask(question) }));
  const onOutcome = (row: number, outcome: TeacherOutcome) => {
    told++;
    outcomes.set(row, outcome);
  };
  await new EndpointTeacher(endpoint, settings).answerAll({ conversations, onOutcome });
  expect(told).toBe(outcomes.size);
  return outcomes;
}

describe('ChatEndpoint', () => {
  it('gets the same answer whole and streamed, and sends key, model and settings', async () => {
    for (const isStreamed of [true, false]) {
      const outcome = await makeEndpoint({ isStreamed }, 'secret').ask(ask('why?'), settings);
      expect(outcome).toEqual({ kind: 'answer', answer: { text: 'answer to why?', end: 'stop' }, seconds: 0 });
      expect(server.asked.at(-1)).toMatchObject({
        authorization: 'Bearer secret',
        body: { model: 'wise', max_tokens: 20, temperature: 0, top_p: 1, seed: 1, stream: isStreamed },
      });
    }
    await makeEndpoint().ask(ask('without a key'), settings);
    expect(server.asked.at(-1)?.authorization).toBeUndefined();
  });

  it('understands a stream that ends without [DONE], and a server that does not stream', async () => {
    server.fault = ({ question }, response) => {
      if (question === 'no end') {
        startStream(response);
        sendChunk(response, { content: 'all ' });
        sendChunk(response, { content: 'there' }, 'length');
        response.end();
      } else sendWhole(response, 'whole');
      return true;
    };
    const endpoint = makeEndpoint();
    expect(await endpoint.ask(ask('no end'), settings)).toMatchObject({ answer: { text: 'all there', end: 'length' } });
    expect(await endpoint.ask(ask('other'), settings)).toMatchObject({ answer: { text: 'whole', end: 'stop' } });
    expect(server.asked).toHaveLength(2);
  });

  it('waits as it is asked after 429, longer and longer after 500, and takes no part of a cut stream', async () => {
    server.fault = ({ question, times }, response) => {
      if (times > 3) return false;
      if (question === 'busy') sendError(response, 429, 'slow down', { headers: { 'retry-after': '7' } });
      else if (question === 'broken') sendError(response, 503, 'oops');
      else if (question === 'not json') response.writeHead(200).end('<html>');
      else if (question === 'error in stream') {
        startStream(response);
        sendChunk(response, { content: 'no' });
        response.end('data: {"error": {"message": "overloaded"}}\n\n');
      } else {
        startStream(response);
        sendChunk(response, { content: 'half' });
        setImmediate(() => response.destroy());
      }
      return true;
    };
    const endpoint = makeEndpoint();
    for (const question of ['busy', 'broken', 'not json', 'error in stream', 'cut']) {
      clock.slept.length = 0;
      const outcome = await endpoint.ask(ask(question), settings);
      // What was waited for is no time of the answer.
      const answer = { text: `answer to ${question}`, end: 'stop' };
      expect(outcome).toEqual({ kind: 'answer', answer, seconds: 0 });
      expect(clock.slept).toEqual(question === 'busy' ? [7000, 7000, 7000] : [500, 1000, 2000]);
    }
  });

  it('asks again when nothing comes for too long', async () => {
    server.fault = ({ times, question }, response) => {
      if (times > 1) return false;
      if (question === 'in the middle') {
        startStream(response);
        sendChunk(response, { content: 'h' });
      }
      return true;
    };
    const endpoint = makeEndpoint({ idleTimeoutMs: 150 });
    for (const question of ['at the start', 'in the middle']) {
      expect(await endpoint.ask(ask(question), settings)).toMatchObject({ answer: { text: `answer to ${question}` } });
    }
    expect(server.asked).toHaveLength(4);
  });

  it('gives up at once on a wrong key, an unknown model and a spent budget, and after its tries on a broken endpoint', async () => {
    const cases = [
      { status: 401, code: 'invalid_api_key', tries: 1, hint: /key/ },
      { status: 404, code: 'model_not_found', tries: 1, hint: /name of the model/ },
      { status: 429, code: 'insufficient_quota', tries: 1, hint: /limit/ },
      { status: 307, code: null, tries: 1, hint: /address/ },
      { status: 500, code: null, tries: 3, hint: /kept/ },
    ];
    for (const { status, code, tries, hint } of cases) {
      server.asked.length = 0;
      server.fault = (_, response) => {
        sendError(response, status, 'no', { code, headers: status === 307 ? { location: '/elsewhere' } : {} });
        return true;
      };
      const asked = makeEndpoint({ maxRetries: 2 }, 'secret').ask(ask(`q${status}`), settings);
      await expect(asked).rejects.toMatchObject({
        code: 'endpoint-failed',
        hint: expect.stringMatching(hint),
        message: expect.not.stringContaining('secret'),
      });
      expect(server.asked).toHaveLength(tries);
    }
  });

  it('refuses addresses that are none before anything is sent', () => {
    for (const baseUrl of ['', 'nowhere', 'ftp://a/v1', 'http://user:pass@a/v1']) {
      expect(() => new ChatEndpoint({ baseUrl, model: 'm' }, defaultEndpointOptions)).toThrow(/expected an http/);
    }
  });

  it('ends a request when it is cancelled, while it waits and while it is sent', async () => {
    const cancel = new AbortController();
    server.fault = () => {
      cancel.abort();
      return true;
    };
    await expect(makeEndpoint().ask(ask('q'), settings, cancel.signal)).rejects.toMatchObject({ name: 'AbortError' });
    await expect(makeEndpoint().ask(ask('q'), settings, cancel.signal)).rejects.toMatchObject({ name: 'AbortError' });
    expect(server.asked).toHaveLength(1);
  });
});

describe('EndpointTeacher', () => {
  const questions = Array.from({ length: 40 }, (_, i) => `question ${i}`);

  it('answers every question exactly once through 429, 500, silence and cut streams, no more than so many at once', async () => {
    server.fault = ({ question, times }, response) => {
      const number = Number(question.split(' ')[1]);
      if (times > 1 + (number % 3)) return false;
      const faults = [
        () => sendError(response, 429, 'slow', { headers: { 'retry-after-ms': '20' } }),
        () => sendError(response, 502, 'gateway'),
        () => response.destroy(),
        () => undefined,
        () => {
          startStream(response);
          sendChunk(response, { content: 'part' });
          setImmediate(() => response.destroy());
        },
      ];
      const fault = faults[number % (faults.length + 2)];
      fault?.();
      return fault !== undefined;
    };
    const outcomes = await answerAll(makeEndpoint({ parallelRequests: 5, idleTimeoutMs: 200 }), questions);
    expect(outcomes.size).toBe(questions.length);
    for (const [row, question] of questions.entries()) {
      expect(outcomes.get(row)).toEqual({ kind: 'answer', text: `answer to ${question}` });
    }
    expect(server.mostAtOnce).toBeLessThanOrEqual(5);
  });

  it('tells of rows that are refused, empty or cut at their limit, and goes on', async () => {
    server.fault = ({ question }, response) => {
      if (question === 'long') sendError(response, 400, 'context length exceeded');
      else if (question === 'filtered') sendStream(response, 'x', 'content_filter');
      else if (question === 'empty') sendStream(response, ' ');
      else if (question === 'cut') sendStream(response, 'and so', 'length');
      else return false;
      return true;
    };
    const outcomes = await answerAll(makeEndpoint(), ['long', 'filtered', 'empty', 'cut', 'good']);
    expect([...outcomes].sort(([a], [b]) => a - b).map(([, outcome]) => outcome)).toEqual([
      { kind: 'refused', reason: 'status 400: context length exceeded' },
      { kind: 'refused', reason: 'an answer that its content filter withheld' },
      { kind: 'refused', reason: 'an empty answer' },
      { kind: 'cut', text: 'and so' },
      { kind: 'answer', text: 'answer to good' },
    ]);
  });

  it('ends with the first failure when the endpoint fails for good', async () => {
    server.fault = ({ question }, response) => {
      if (question !== 'question 7') return false;
      sendError(response, 403, 'blocked');
      return true;
    };
    await expect(answerAll(makeEndpoint(), questions)).rejects.toMatchObject({ code: 'endpoint-failed' });
    expect(server.asked.length).toBeLessThan(questions.length);
  });
});

describe('Pace', () => {
  it('spreads requests over the minute, also among several who ask, and holds all of them back', async () => {
    const pace = new Pace(60, clock);
    const times: number[] = [];
    const takeTwo = async () => {
      for (let i = 0; i < 2; i++) {
        await pace.takeTurn();
        times.push(clock.now());
      }
    };
    await Promise.all([takeTwo(), takeTwo()]);
    const gaps = times.slice(1).map((time, i) => time - times[i]!);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1000);
    const before = clock.now();
    pace.holdFor(30_000);
    await pace.takeTurn();
    expect(clock.now() - before).toBeGreaterThanOrEqual(30_000);
  });
});

describe('readRetryAfter', () => {
  it('reads seconds, milliseconds and dates, and nothing else', () => {
    const read = (headers: Record<string, string>) => readRetryAfter(new Headers(headers), Date.UTC(2026, 0, 1));
    expect(read({ 'retry-after': '1.5' })).toBe(1500);
    expect(read({ 'retry-after': '9', 'retry-after-ms': '40' })).toBe(40);
    expect(read({ 'retry-after': 'Thu, 01 Jan 2026 00:00:10 GMT' })).toBe(10_000);
    expect(read({ 'retry-after': 'Thu, 01 Jan 2025 00:00:10 GMT' })).toBe(0);
    for (const text of ['-1', 'soon', '']) expect(read({ 'retry-after': text })).toBeUndefined();
    expect(read({})).toBeUndefined();
  });
});

import { fork } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TuneError } from '../../src/shared/errors.ts';
import type { InferenceCalls, InferenceEvents } from '../../src/shared/inferenceProtocol.ts';
import { RpcPeer } from '../../src/shared/rpc.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';
import { writeTinyModel } from '../support/tinyModel.ts';

const program = fileURLToPath(new URL('../../dist/inference.js', import.meta.url));
const messages = [{ role: 'user' as const, content: 'say a' }];

function startInference() {
  const child = fork(program, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const texts: InferenceEvents['generation/text'][] = [];
  let onText: (text: string) => void = () => undefined;
  const peer = new RpcPeer<InferenceCalls, Record<string, never>, Record<string, never>, InferenceEvents>(
    { send: message => void child.send(message as object), onMessage: receive => void child.on('message', receive) },
    {},
    {
      'generation/text': event => {
        texts.push(event);
        onText(event.text);
      },
      'prompt/progress': () => undefined,
      'model/progress': () => undefined,
    },
  );
  const ended = new Promise<number | null>(resolve => {
    child.once('exit', resolve);
  });
  return { child, peer, texts, ended, listen: (listener: typeof onText) => (onText = listener) };
}

describe('the inference process', () => {
  it('streams answers over its channel and ends when its parent goes away', async () => {
    const { child, peer, texts, ended } = startInference();
    const model = writeTinyModel(join(temporaryFolder(), 'model'), { heads: 2 });
    await peer.call('hub/configure', { endpoint: null, cache: null, token: null });
    expect(await peer.call('model/open', { model })).toMatchObject({ modelType: 'llama', contextTokens: 256 });
    const settings = { maxTokens: 12, temperature: 0, topP: 1, seed: 1 };
    const answer = await peer.call('generation/run', { id: 'one', model, adapter: null, messages, settings });
    expect(answer.outputTokens).toBeGreaterThan(0);
    expect(texts.every(({ id }) => id === 'one')).toBe(true);
    expect(texts.map(({ text }) => text).join('')).toBe(answer.text);
    child.disconnect();
    expect(await ended).toBe(0);
  });

  it('ends an answer when told to, with the text so far', async () => {
    const { peer, texts, listen } = startInference();
    const model = writeTinyModel(join(temporaryFolder(), 'model'), { heads: 2, layers: 32, hiddenSize: 64 });
    const controller = new AbortController();
    listen(() => {
      if (texts.length === 3) controller.abort();
    });
    const settings = { maxTokens: 200, temperature: 0, topP: 1, seed: 1 };
    const asked = { id: 'one', model, adapter: null, messages, settings };
    const answer = await peer.call('generation/run', asked, controller.signal);
    expect(answer.stopReason).toBe('cancelled');
    expect(answer.outputTokens).toBeLessThan(settings.maxTokens);
    expect(texts.map(({ text }) => text).join('')).toBe(answer.text);
  });

  it('answers errors as errors', async () => {
    const { peer } = startInference();
    const error: unknown = await peer.call('model/open', { model: join(temporaryFolder(), 'nothing') }).catch(e => e);
    expect(error).toBeInstanceOf(TuneError);
    expect(error).toMatchObject({ code: 'model-not-found' });
  });
});

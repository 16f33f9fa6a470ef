import { fork } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { AugmentCalls, AugmentEvents, AugmentOrder, AugmentQuestions } from '../../src/shared/augmentProtocol.ts';
import { RpcPeer } from '../../src/shared/rpc.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';

const program = fileURLToPath(new URL('../../dist/augment.js', import.meta.url));

/** The process, with the editor's side of its channel. */
function openProcess(answer: (text: string) => AugmentQuestions['teacher/answer']['result']) {
  const child = fork(program, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const progress: AugmentEvents['augment/progress'][] = [];
  const peer = new RpcPeer<AugmentCalls, AugmentQuestions, Record<string, never>, AugmentEvents>(
    { send: message => void child.send(message as object), onMessage: receive => void child.on('message', receive) },
    { 'teacher/answer': async ({ messages }) => answer(messages.at(-1)!.content) },
    { 'augment/progress': event => void progress.push(event) },
  );
  return { peer, progress };
}

describe('the augment process', () => {
  it("asks the editor's model for a preview, then for the rest alone, and writes the new file", async () => {
    const folder = temporaryFolder();
    const dataset = join(folder, 'rows.jsonl');
    const names = ['heron', 'otter', 'badger', 'plover', 'marten', 'lizard', 'salmon', 'rabbit', 'falcon', 'weasel'];
    const rows = names.map(name => ({ question: `Where does the ${name} sleep?`, answer: `In the ${name} house.` }));
    writeFileSync(dataset, rows.map(row => `${JSON.stringify(row)}\n`).join(''));
    const asked: string[] = [];
    const { peer, progress } = openProcess(text => {
      asked.push(text);
      const name = names.find(each => text.includes(each))!;
      if (name === 'otter') return { kind: 'refused', reason: 'blocked' };
      return { kind: 'answer', text: `Tell me about the bed of any ${name} there is` };
    });
    await peer.call('hub/configure', { endpoint: null, cache: null, token: null });
    const order: AugmentOrder = {
      dataset,
      documents: [],
      recipe: { methods: [{ method: 'paraphrase', perRow: 1, part: 'question' }] },
      rows: 100,
      teacher: { kind: 'editor', id: 'x', name: 'Wise (test)' },
      out: join(folder, 'new.jsonl'),
      isPreview: false,
    };
    const preview = await peer.call('augment/run', { ...order, rows: 3, isPreview: true });
    expect(preview).toMatchObject({ path: null, teacher: 'Wise (test)', counts: { kept: 3 } });
    expect(existsSync(order.out)).toBe(false);
    const whole = await peer.call('augment/run', order);
    expect(new Set(asked).size).toBe(asked.length);
    expect(asked).toHaveLength(whole.counts.tasks);
    expect(progress.at(-1)!.done).toBe(progress.at(-1)!.total);
    const written = readFileSync(order.out, 'utf8').trimEnd().split('\n');
    expect(written).toHaveLength(10 + whole.counts.kept);
    await expect(peer.call('augment/run', order)).rejects.toMatchObject({ code: 'usage' });

    const other = { ...order, out: join(folder, 'other.jsonl') };
    await peer.call('augment/run', { ...other, isPreview: true });
    expect(existsSync(`${other.out}.partial.jsonl`)).toBe(true);
    await peer.call('augment/discard', { out: other.out });
    expect(existsSync(`${other.out}.partial.jsonl`)).toBe(false);
  });
});

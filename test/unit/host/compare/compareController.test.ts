import { describe, expect, it } from 'vitest';
import {
  CompareController,
  type CompareServices,
  type KeptComparison,
} from '../../../../src/host/compare/compareController.ts';
import type { InferenceCaller, InferenceEvent } from '../../../../src/host/compare/inferenceClient.ts';
import { Emitter } from '../../../../src/host/emitter.ts';
import { TuneError } from '../../../../src/shared/errors.ts';
import type { BestPrompt, InferenceCalls } from '../../../../src/shared/inferenceProtocol.ts';
import { compareStateSchema } from '../../../../src/shared/pageSnapshots.ts';
import { promptedMessages } from '../../../../src/shared/promptedMessages.ts';

const best: BestPrompt = {
  system: 'Answer briefly.',
  examples: [{ question: 'One?', answer: '1', line: 3 }],
  scores: [{ k: 0, tokenF1: 0.1 }],
  chosenK: 1,
};
const stats = { promptTokens: 4, outputTokens: 2, firstTokenMs: 5, tokensPerSecond: 10, stopReason: 'end' as const };
const adapters = [
  { run: '/runs/a', name: 'a', model: 'tiny' },
  { run: '/runs/b', name: 'b', model: 'tiny' },
];
type Generation = InferenceCalls['generation/run']['parameters'];

function open(changes: Partial<CompareServices> = {}, replacedCall?: InferenceCaller) {
  const events = new Emitter<InferenceEvent>();
  const generations: Generation[] = [];
  const calls: string[] = [];
  const call: InferenceCaller = async (name, parameters, signal) => {
    calls.push(name);
    const answers: Record<string, () => unknown> = {
      'model/open': () => ({ modelType: 'llama', contextTokens: 256, loadMs: 1 }),
      'run/heldOut': () => {
        const index = (parameters as { offset: number }).offset;
        const messages = [
          { role: 'system', content: 'Be kind.' },
          { role: 'user', content: `Question ${index}?` },
        ];
        return { rows: [{ index, line: index + 1, messages, reference: 'yes' }], total: 3 };
      },
      'prompt/search': () => best,
      'generation/run': () => {
        const generation = parameters as Generation;
        generations.push(generation);
        for (const text of ['an', 'swer']) events.fire({ name: 'generation/text', id: generation.id, text });
        if (signal?.aborted) throw new TuneError('internal', 'cancelled');
        return { text: `answer of ${generation.adapter ?? 'base'}`, ...stats };
      },
    };
    return answers[name]!() as never;
  };
  const services: CompareServices = {
    call,
    onDidReceive: events.event,
    listAdapters: () => adapters,
    requireTrust: () => undefined,
    recallBestPrompt: () => undefined,
    rememberBestPrompt: () => undefined,
    keep: () => undefined,
    ...changes,
  };
  const compare = new CompareController({ ...services, call: replacedCall ?? services.call }, adapters[0]!);
  return { compare, services, generations, calls };
}

describe('CompareController', () => {
  it('opens the model and shows the first held-out question', async () => {
    const { compare } = open();
    await compare.open();
    expect(compare.snapshot()).toMatchObject({
      prompt: 'Question 0?',
      heldOut: { total: 3, row: { reference: 'yes' } },
      adapters: [{ run: '/runs/a' }, { run: '/runs/b' }],
      running: false,
    });
  });

  it('asks base, adapter and prompted base the same with the same settings', async () => {
    const { compare, generations } = open();
    await compare.open();
    await compare.receive({ type: 'compare/settings', maxTokens: 20, temperature: 0.5, seed: 7 });
    await compare.receive({ type: 'compare/run' });
    expect(compareStateSchema.parse(compare.snapshot())).toEqual(compare.snapshot());
    expect(generations.map(g => g.adapter)).toEqual([null, '/runs/a', null]);
    expect(new Set(generations.map(g => JSON.stringify(g.settings))).size).toBe(1);
    expect(generations[0]!.settings).toEqual({ maxTokens: 20, temperature: 0.5, seed: 7, topP: 1 });
    expect(generations[0]!.messages).toEqual(generations[1]!.messages);
    expect(generations[2]!.messages.map(m => m.content)).toEqual(['Answer briefly.', 'One?', '1', 'Question 0?']);
    expect(compare.snapshot()).toMatchObject({
      bestPrompt: best,
      answers: { base: { text: 'answer of base', stats }, adapter: { text: 'answer of /runs/a' } },
    });
  });

  it('shows text as it streams', async () => {
    const { compare } = open();
    const seen = new Set<string>();
    compare.onDidChange(() => seen.add(compare.snapshot().answers.base.text));
    await compare.ask('Hello?');
    expect([...seen]).toEqual(expect.arrayContaining(['', 'an', 'answer']));
  });

  it('asks a prompt of its own without the held-out chat around it', async () => {
    const { compare, generations } = open();
    await compare.open();
    await compare.ask('Something else?');
    expect(generations[0]!.messages).toEqual([{ role: 'user', content: 'Something else?' }]);
  });

  it('searches the best prompt once and uses an edited one', async () => {
    const { compare, calls, generations } = open();
    await compare.ask('Hello?');
    await compare.receive({ type: 'compare/editPrompt', system: 'Shout.', examples: [] });
    await compare.receive({ type: 'compare/run' });
    expect(calls.filter(name => name === 'prompt/search')).toHaveLength(1);
    expect(generations.at(-1)!.messages[0]).toEqual({ role: 'system', content: 'Shout.' });
  });

  it('keeps the answers of the base when the adapter is switched', async () => {
    const { compare } = open();
    await compare.ask('Hello?');
    await compare.receive({ type: 'compare/adapter', run: '/runs/b' });
    expect(compare.snapshot()).toMatchObject({ adapter: '/runs/b', answers: { base: { text: 'answer of base' } } });
    expect(compare.snapshot().answers.adapter.text).toBe('');
    await compare.receive({ type: 'compare/adapter', run: '/elsewhere' });
    expect(compare.snapshot().adapter).toBe('/runs/b');
  });

  it("shows the other run's held-out row after a switch, and its question only in place of the old row's", async () => {
    const { compare, calls } = open();
    await compare.open();
    await compare.receive({ type: 'compare/heldOut', index: 2 });
    await compare.receive({ type: 'compare/adapter', run: '/runs/b' });
    expect(calls.filter(name => name === 'run/heldOut')).toHaveLength(3);
    expect(compare.snapshot()).toMatchObject({ prompt: 'Question 2?', heldOut: { row: { index: 2 } } });
    await compare.receive({ type: 'compare/prompt', prompt: 'mine' });
    await compare.receive({ type: 'compare/adapter', run: '/runs/a' });
    expect(compare.snapshot().prompt).toBe('mine');
  });

  it('shows nothing as failed that was cancelled, and stops there', async () => {
    const { compare, generations } = open();
    compare.onDidChange(() => {
      if (compare.snapshot().answers.base.text === 'an') compare.cancel();
    });
    await compare.ask('Hello?');
    expect(generations).toHaveLength(1);
    expect(compare.snapshot()).toMatchObject({ running: false, error: null, answers: { base: { error: null } } });
  });

  it('keeps the settings of the first answer for all three, whatever is changed meanwhile', async () => {
    const { compare, generations } = open();
    compare.onDidChange(() => {
      if (compare.snapshot().answers.base.text !== 'an' || compare.snapshot().settings.seed === 9) return;
      void compare.receive({ type: 'compare/settings', maxTokens: 5, temperature: 1, seed: 9 });
    });
    await compare.ask('Hello?');
    expect(generations.map(g => g.settings.seed)).toEqual([42, 42, 42]);
    expect(compare.snapshot().settings).toEqual({ maxTokens: 5, temperature: 1, seed: 9 });
  });

  it('drops the rest of an answer when another question takes its place', async () => {
    let asked = 0;
    const held: (() => void)[] = [];
    const call: InferenceCaller = async (name, parameters, signal) => {
      if (name !== 'generation/run') return (await services.call(name, parameters, signal)) as never;
      const isFirst = ++asked === 1;
      // The first answer comes back, as far as it got, once the second question is under way.
      if (isFirst) await new Promise<void>(resolve => held.push(resolve));
      else held.pop()?.();
      await Promise.resolve();
      return { text: isFirst ? 'stale' : 'fresh', ...stats } as never;
    };
    const { compare, services } = open({}, call);
    const first = compare.ask('One?');
    await compare.ask('Two?');
    await first;
    const { answers, running } = compare.snapshot();
    expect([answers.base.text, answers.adapter.text, answers.prompted.text]).toEqual(['fresh', 'fresh', 'fresh']);
    expect(running).toBe(false);
  });

  it('has the held-out rows at hand also when it was opened with a question', async () => {
    const { compare } = open();
    await compare.ask('Hello?');
    expect(compare.snapshot()).toMatchObject({ prompt: 'Hello?', heldOut: { total: 3, row: { index: 0 } } });
  });

  it('shows prompt, settings, adapter and held-out row again after a reload', async () => {
    let kept: KeptComparison | undefined;
    const services = { ...open().services, keep: (comparison: KeptComparison) => void (kept = comparison) };
    const before = new CompareController(services, adapters[0]!);
    await before.open();
    await before.receive({ type: 'compare/adapter', run: '/runs/b' });
    await before.receive({ type: 'compare/heldOut', index: 2 });
    await before.receive({ type: 'compare/prompt', prompt: 'mine' });
    await before.receive({ type: 'compare/settings', maxTokens: 20, temperature: 0.5, seed: 7 });
    const after = new CompareController(services, adapters[1]!, kept);
    await after.open();
    const { adapter, prompt, settings, heldOut } = before.snapshot();
    expect(after.snapshot()).toMatchObject({ adapter, prompt, settings, heldOut });
    expect([adapter, prompt, heldOut?.row.index]).toEqual(['/runs/b', 'mine', 2]);
  });

  it('loads nothing in Restricted Mode', async () => {
    const refuse = () => {
      throw new TuneError('untrusted-workspace', 'Restricted Mode');
    };
    const { compare, calls } = open({ requireTrust: refuse });
    await compare.open();
    expect(calls).toEqual([]);
    expect(compare.snapshot().error?.code).toBe('untrusted-workspace');
  });
});

describe('promptedMessages', () => {
  it("takes the row's own system text when the best prompt has none", () => {
    const messages = promptedMessages(
      [
        { role: 'system', content: 'Be kind.' },
        { role: 'user', content: 'Q?' },
      ],
      { ...best, system: '', examples: [] },
    );
    expect(messages.map(m => m.content)).toEqual(['Be kind.', 'Q?']);
  });
});

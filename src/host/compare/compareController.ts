/** @file The compare panel's acts: one prompt, three answers from one resident model, with the same decoding settings. */
import { randomUUID } from 'node:crypto';
import { toWireError } from '../../shared/errors.ts';
import type { BestPrompt, ChatMessage, DecodingSettings, HeldOutRow } from '../../shared/inferenceProtocol.ts';
import type { Answer, CompareMessage, CompareState } from '../../shared/pages.ts';
import { promptedMessages } from '../../shared/promptedMessages.ts';
import { Emitter } from '../emitter.ts';
import { lastQuestion, plainMessages } from './compareMessages.ts';
import type { InferenceCaller, InferenceEvent } from './inferenceClient.ts';

export interface ComparedAdapter {
  /** The run folder. */
  run: string;
  name: string;
  model: string;
}

/** What a panel shows again after a reload of the window. */
export interface KeptComparison {
  adapter: string;
  prompt: string;
  settings: CompareState['settings'];
  heldOutIndex: number;
}

export interface CompareServices {
  call: InferenceCaller;
  onDidReceive(listener: (event: InferenceEvent) => void): { dispose(): void };
  /** Finished adapters of the same base. */
  listAdapters(): ComparedAdapter[];
  requireTrust(): void;
  recallBestPrompt(run: string): BestPrompt | undefined;
  rememberBestPrompt(run: string, best: BestPrompt): void;
  keep(comparison: KeptComparison): void;
}

type AnswerKind = keyof CompareState['answers'];
const answerKinds = ['base', 'adapter', 'prompted'] as const;
/** Training rows kept aside on which the best prompt is chosen. */
const searchRows = 16;

const emptyAnswer: Answer = { text: '', stats: null, running: false, error: null };

export class CompareController {
  private state: CompareState;
  private work: AbortController | undefined;
  private readonly streams = new Map<string, AnswerKind>();
  private readonly emitter = new Emitter<void>();
  private readonly subscription: { dispose(): void };
  readonly onDidChange = this.emitter.event;

  constructor(
    private readonly services: CompareServices,
    adapter: ComparedAdapter,
    private readonly kept?: KeptComparison,
  ) {
    this.state = {
      model: adapter.model,
      adapters: [],
      adapter: adapter.run,
      loading: null,
      bestPrompt: services.recallBestPrompt(adapter.run) ?? null,
      searching: null,
      prompt: kept?.prompt ?? '',
      settings: kept?.settings ?? { maxTokens: 160, temperature: 0, seed: 42 },
      answers: { base: emptyAnswer, prompted: emptyAnswer, adapter: emptyAnswer },
      running: false,
      heldOut: null,
      error: null,
    };
    this.subscription = services.onDidReceive(event => this.receiveEvent(event));
  }

  snapshot(): CompareState {
    const adapters = this.services.listAdapters().map(({ run, name }) => ({ run, name }));
    return { ...this.state, adapters };
  }

  /** Loads the model ahead of the first question and shows the first held-out row, unless a prompt is there. */
  async open(): Promise<void> {
    await this.guard(async signal => {
      await this.services.call('model/open', { model: this.state.model }, signal);
      this.change({ loading: null });
      if (this.state.heldOut !== null) return;
      await this.showHeldOut(this.kept?.heldOutIndex ?? 0, this.state.prompt === '', signal);
    });
  }

  /** Switches the adapter; its run may have other held-out rows. */
  async useAdapter(run: string): Promise<void> {
    if (run === this.state.adapter) return;
    const { answers, heldOut, prompt } = this.state;
    const bestPrompt = this.services.recallBestPrompt(run) ?? null;
    this.change({ adapter: run, bestPrompt, answers: { ...answers, adapter: emptyAnswer } });
    const showsRow = heldOut !== null && lastQuestion(heldOut.row.messages) === prompt;
    await this.guard(signal => this.showHeldOut(heldOut?.row.index ?? 0, showsRow, signal));
  }

  async ask(prompt: string): Promise<void> {
    this.cancel();
    this.change({ prompt });
    await this.run(async signal => {
      if (this.state.heldOut === null) await this.showHeldOut(0, false, signal);
    });
  }

  async receive(message: CompareMessage): Promise<void> {
    switch (message.type) {
      case 'page/ready':
        return this.emitter.fire();
      case 'compare/adapter':
        if (this.services.listAdapters().some(a => a.run === message.run)) await this.useAdapter(message.run);
        return;
      case 'compare/prompt':
        return this.change({ prompt: message.prompt });
      case 'compare/settings': {
        const { maxTokens, temperature, seed } = message;
        return this.change({ settings: { maxTokens, temperature, seed } });
      }
      case 'compare/editPrompt':
        return this.editPrompt(message.system, message.examples);
      case 'compare/searchPrompt':
        return await this.guard(signal => this.searchPrompt(signal));
      case 'compare/run':
        return await this.run();
      case 'compare/cancel':
        return this.cancel();
      case 'compare/heldOut':
        return await this.guard(signal => this.showHeldOut(message.index, true, signal));
    }
  }

  cancel(): void {
    this.work?.abort();
  }

  dispose(): void {
    this.cancel();
    this.subscription.dispose();
  }

  private async run(after?: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (this.state.prompt.trim() === '') return;
    await this.guard(async signal => {
      this.change({ running: true, answers: { base: emptyAnswer, prompted: emptyAnswer, adapter: emptyAnswer } });
      const messages = plainMessages(this.state.prompt, this.state.heldOut?.row.messages);
      // As they stand now: a change while the answers come is for the next time.
      const settings = { ...this.state.settings, topP: 1 };
      for (const kind of answerKinds) {
        if (signal.aborted) return;
        await this.answer(kind, messages, settings, signal);
      }
      this.change({ running: false });
      if (!signal.aborted) await after?.(signal);
    });
  }

  private async answer(
    kind: AnswerKind,
    messages: ChatMessage[],
    settings: DecodingSettings,
    signal: AbortSignal,
  ): Promise<void> {
    const id = randomUUID();
    this.streams.set(id, kind);
    this.changeAnswer(kind, { text: '', stats: null, running: true, error: null });
    try {
      if (kind === 'prompted' && this.state.bestPrompt === null) await this.searchPrompt(signal);
      const asked =
        kind === 'prompted' && this.state.bestPrompt ? promptedMessages(messages, this.state.bestPrompt) : messages;
      const { model, adapter } = this.state;
      const { text, ...stats } = await this.services.call(
        'generation/run',
        {
          id,
          model,
          adapter: kind === 'adapter' ? adapter : null,
          messages: asked,
          settings,
        },
        signal,
      );
      if (this.streams.has(id)) this.changeAnswer(kind, { text, stats, running: false });
    } catch (error) {
      const shown = signal.aborted ? null : toWireError(error);
      if (this.streams.has(id)) this.changeAnswer(kind, { running: false, error: shown });
    } finally {
      this.streams.delete(id);
    }
  }

  private async searchPrompt(signal: AbortSignal): Promise<void> {
    const run = this.state.adapter;
    if (run === null) return;
    this.change({ searching: { done: 0, total: 1 } });
    try {
      const best = await this.services.call('prompt/search', { run, rows: searchRows }, signal);
      if (signal.aborted) return;
      this.services.rememberBestPrompt(run, best);
      this.change({ bestPrompt: best });
    } finally {
      this.change({ searching: null });
    }
  }

  private editPrompt(system: string, examples: BestPrompt['examples']): void {
    const bestPrompt = {
      scores: this.state.bestPrompt?.scores ?? [],
      chosenK: this.state.bestPrompt?.chosenK ?? examples.length,
      system,
      examples,
    };
    if (this.state.adapter !== null) this.services.rememberBestPrompt(this.state.adapter, bestPrompt);
    this.change({ bestPrompt });
  }

  private async showHeldOut(index: number, takePrompt: boolean, signal: AbortSignal): Promise<void> {
    const run = this.state.adapter;
    if (run === null) return;
    const { rows, total } = await this.services.call('run/heldOut', { run, offset: index, count: 1 }, signal);
    const row: HeldOutRow | undefined = rows[0];
    if (row === undefined) return this.change({ heldOut: null });
    this.change({ heldOut: { row, total }, ...(takePrompt ? { prompt: lastQuestion(row.messages) } : {}) });
  }

  /** One piece of work at a time; what fails is shown, what is cancelled is not. */
  private async guard(act: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.cancel();
    this.forgetStreams();
    const work = new AbortController();
    this.work = work;
    this.change({ error: null });
    try {
      this.services.requireTrust();
      await act(work.signal);
    } catch (error) {
      if (!work.signal.aborted) this.change({ error: toWireError(error) });
    }
    if (this.work !== work) return;
    this.work = undefined;
    this.change({ running: false, loading: null, searching: null });
  }

  /** What was under way must not write into the answers of what takes its place. */
  private forgetStreams(): void {
    for (const kind of new Set(this.streams.values())) this.changeAnswer(kind, { running: false });
    this.streams.clear();
  }

  private receiveEvent(event: InferenceEvent): void {
    switch (event.name) {
      case 'generation/text': {
        const kind = this.streams.get(event.id);
        if (kind !== undefined) this.changeAnswer(kind, { text: this.state.answers[kind].text + event.text });
        return;
      }
      case 'prompt/progress':
        if (this.state.searching !== null && event.run === this.state.adapter) {
          this.change({ searching: { done: event.done, total: event.total } });
        }
        return;
      case 'model/progress':
        if (event.model === this.state.model && this.work !== undefined) {
          const { phase, done, total } = event;
          this.change({ loading: done >= total ? null : { phase, done, total } });
        }
        return;
    }
  }

  private keep(): void {
    const { adapter, prompt, settings, heldOut } = this.state;
    if (adapter === null) return;
    this.services.keep({ adapter, prompt, settings, heldOutIndex: heldOut?.row.index ?? this.kept?.heldOutIndex ?? 0 });
  }

  private changeAnswer(kind: AnswerKind, part: Partial<Answer>): void {
    this.change({ answers: { ...this.state.answers, [kind]: { ...this.state.answers[kind], ...part } } });
  }

  private change(part: Partial<CompareState>): void {
    this.state = { ...this.state, ...part };
    if ('prompt' in part || 'settings' in part || 'adapter' in part || 'heldOut' in part) this.keep();
    this.emitter.fire();
  }
}

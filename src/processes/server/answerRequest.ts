/** @file A request for an answer -> the answer, whole or as a stream, from the model it names. */
import type { ServerResponse } from 'node:http';
import { encodePrompt } from '../../core/infer/encodePrompt.ts';
import type { ServerOrder } from '../../shared/serverProtocol.ts';
import type { Admission } from './admission.ts';
import { readChatRequest } from './chatRequest.ts';
import { encodeCompletionPrompt, readCompletionRequest } from './completionRequest.ts';
import { EventWriter } from './eventWriter.ts';
import type { ModelDirectory, ServedModel } from './modelDirectory.ts';
import { makeChatForm, makeCompletionForm, type ReplyForm, type Usage, type WholeChoice } from './replyForms.ts';
import { type ChoiceOrder, runChoices, type ToldToken } from './runChoices.ts';
import { sendJson } from './sendJson.ts';

export interface AnswerServices {
  readonly directory: ModelDirectory;
  readonly admission: Admission;
  readonly defaults: Pick<ServerOrder, 'temperature' | 'maxTokens'>;
}

export interface Asking {
  readonly body: Readonly<Record<string, unknown>>;
  readonly response: ServerResponse;
  /** Of the client's going away, and of the server's end. */
  readonly signal: AbortSignal;
  /** For the record: which model was asked, and what it took. */
  note(facts: { model?: string } & Partial<Usage>): void;
}

/** @throws ApiError; TuneError, AbortError */
export async function answerChat({ directory, admission, defaults }: AnswerServices, asking: Asking): Promise<void> {
  const asked = readChatRequest(asking.body, defaults.temperature);
  await withModel({ directory, admission }, asked.model, asked.choices, asking, async model => {
    const { resident } = model.session;
    const prompt = encodePrompt(resident, asked.messages);
    const order = {
      ...asked,
      prompts: [prompt],
      maxTokens: asked.maxTokens ?? defaults.maxTokens ?? resident.contextTokens,
      echoes: false,
    };
    const { tokenizer } = resident;
    const form = makeChatForm({ ...asked, tokenizer, isScored: asked.scored !== undefined });
    await send(model, order, form, asked, asking);
  });
}

/** @throws ApiError; TuneError, AbortError */
export async function answerCompletion(services: AnswerServices, asking: Asking): Promise<void> {
  const asked = readCompletionRequest(asking.body, services.defaults.temperature);
  const answers = asked.choices * asked.prompts.length;
  await withModel(services, asked.model, answers, asking, async model => {
    const { tokenizer, model: opened } = model.session.resident;
    const { vocabularySize } = opened.config;
    const prompts = asked.prompts.map(prompt => encodeCompletionPrompt(prompt, tokenizer, vocabularySize));
    const form = makeCompletionForm({ ...asked, tokenizer, isScored: asked.scored !== undefined });
    await send(model, { ...asked, prompts }, form, asked, asking);
  });
}

async function withModel(
  { directory, admission }: Pick<AnswerServices, 'directory' | 'admission'>,
  id: string,
  answers: number,
  { note, signal }: Asking,
  work: (model: ServedModel) => Promise<void>,
): Promise<void> {
  directory.require(id);
  note({ model: id });
  const leave = admission.enter(answers);
  try {
    const model = await directory.attach(id);
    signal.throwIfAborted();
    await work(model);
  } finally {
    leave();
  }
}

async function send(
  model: ServedModel,
  order: ChoiceOrder,
  form: ReplyForm,
  { isStreamed, tellsUsage }: { readonly isStreamed: boolean; readonly tellsUsage: boolean },
  { response, signal, note }: Asking,
): Promise<void> {
  const usage = { promptTokens: order.prompts.reduce((sum, { length }) => sum + length, 0), outputTokens: 0 };
  note(usage);
  const sumUp = (results: readonly { outputTokens: number }[]): Usage => {
    const outputTokens = results.reduce((sum, result) => sum + result.outputTokens, 0);
    note({ outputTokens });
    return { ...usage, outputTokens };
  };
  if (!isStreamed) {
    const texts = new Map<number, { text: string; tokens: ToldToken[] }>();
    const results = await runChoices(
      model,
      order,
      (choice, piece) => {
        const before = texts.get(choice) ?? { text: '', tokens: [] };
        texts.set(choice, { text: before.text + piece.text, tokens: [...before.tokens, ...piece.tokens] });
      },
      signal,
    );
    const whole = results.map((result, choice): WholeChoice => {
      const { text, tokens } = texts.get(choice) ?? { text: '', tokens: [] };
      return { ...result, text, tokens: order.scored === undefined ? undefined : tokens };
    });
    return sendJson(response, 200, form.whole(whole, sumUp(results)));
  }
  const events = new EventWriter(response);
  const begun = new Set<number>();
  const begin = (choice: number): void => {
    if (begun.has(choice)) return;
    begun.add(choice);
    const first = form.first(choice);
    if (first !== undefined) events.send(first);
  };
  const results = await runChoices(
    model,
    order,
    (choice, piece) => {
      begin(choice);
      events.send(form.piece(choice, piece));
    },
    signal,
  );
  for (const [choice, { reason }] of results.entries()) {
    begin(choice);
    events.send(form.last(choice, reason));
  }
  const total = sumUp(results);
  if (tellsUsage) events.send(form.usage(total));
  events.send('[DONE]');
  response.end();
}

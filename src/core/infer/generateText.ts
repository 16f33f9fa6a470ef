/**
 * @file A prompt -> an answer, token by token, by transformers.js's own generation loop. Sampling is ours: the library
 * draws from one global generator and knows no top-p, so a processor leaves only the drawn token for it to take.
 */
import { TuneError } from '../../shared/errors.ts';
import type { DecodingSettings, GenerationStats } from '../../shared/inferenceProtocol.ts';
import type { Message } from '../data/example.ts';
import { loadTransformers, type Transformers } from '../runtime/transformersLibrary.ts';
import { createGenerator } from '../text/seededOrder.ts';
import type { StreamDecoder, TextTokenizer } from '../text/tokenizer.ts';
import type { AdapterInputs } from './adapterInputs.ts';
import type { CachedPrefix } from './cachedPrefix.ts';
import type { DecodingSession } from './decodingSession.ts';
import { encodePrompt, limitAnswer } from './encodePrompt.ts';
import { createGenerationModel } from './generationModel.ts';
import { sampleToken } from './sampleToken.ts';

export interface GenerationRequest {
  readonly messages: readonly Message[];
  /** `session.baseInputs` for the base model. */
  readonly adapter: AdapterInputs;
  readonly prefix?: CachedPrefix | undefined;
  readonly settings: DecodingSettings;
  /** Cancelling ends the answer where it is; it is no error. */
  readonly signal?: AbortSignal | undefined;
  /** The text as it grows, whole characters at a time. */
  readonly onText?: ((text: string) => void) | undefined;
}

export interface Generation extends GenerationStats {
  readonly text: string;
  /** Without the prompt; the end token included. */
  readonly tokenIds: readonly number[];
}

/** @throws TuneError `usage` when the prompt fills the context, `dataset-invalid` when the template refuses it, `not-finite` */
export async function generateText(session: DecodingSession, request: GenerationRequest): Promise<Generation> {
  const { tokenizer, contextTokens } = session.resident;
  const { settings, signal } = request;
  const startedAt = performance.now();
  const prompt = encodePrompt(session.resident, request.messages);
  if (prompt.length === 0) {
    throw new TuneError('usage', 'prompt: expected at least one token, got none', { hint: 'Write a question.' });
  }
  const maxTokens = limitAnswer(prompt.length, settings.maxTokens, contextTokens);
  const library = await loadTransformers();
  const answer = new AnswerStream(tokenizer, request.onText);
  const ids = BigInt64Array.from(prompt, BigInt);
  try {
    if (signal?.aborted !== true && maxTokens > 0) {
      await createGenerationModel(library, session, request).generate({
        inputs: new library.Tensor('int64', ids, [1, ids.length]),
        max_new_tokens: maxTokens,
        do_sample: false,
        eos_token_id: [...tokenizer.eosTokenIds],
        // The loop calls put and end alone, whatever else the type asks for.
        streamer: answer as unknown as Transformers.TextStreamer,
        stopping_criteria: createCancelCriterion(library, signal),
        logits_processor: createProcessors(library, settings),
      });
    }
  } catch (error) {
    if (signal?.aborted !== true || error instanceof TuneError) throw error;
  }
  return { promptTokens: prompt.length, ...answer.finish(startedAt, signal?.aborted === true) };
}

/** Takes the library's tokens, gives text; remembers when the first and the last came. */
class AnswerStream {
  private readonly tokenIds: number[] = [];
  private readonly decoder: StreamDecoder;
  private readonly tokenizer: TextTokenizer;
  private readonly onText: ((text: string) => void) | undefined;
  private text = '';
  private hasPrompt = false;
  private firstAt = 0;
  private lastAt = 0;

  constructor(tokenizer: TextTokenizer, onText: ((text: string) => void) | undefined) {
    this.tokenizer = tokenizer;
    this.onText = onText;
    this.decoder = tokenizer.streamDecoder();
  }

  /** Called with the prompt first, then with each token. */
  put(value: bigint[][]): void {
    if (!this.hasPrompt) {
      this.hasPrompt = true;
      return;
    }
    this.lastAt = performance.now();
    if (this.tokenIds.length === 0) this.firstAt = this.lastAt;
    const id = Number(value[0]![0]!);
    this.tokenIds.push(id);
    if (!this.tokenizer.eosTokenIds.includes(id)) this.add(this.decoder.push(id));
  }

  end(): void {
    this.add(this.decoder.end());
  }

  finish(startedAt: number, isCancelled: boolean): Omit<Generation, 'promptTokens'> {
    const { tokenIds, firstAt, lastAt } = this;
    const count = tokenIds.length;
    const hasEnded = count > 0 && this.tokenizer.eosTokenIds.includes(tokenIds[count - 1]!);
    // Speed of decoding alone, without the prompt, wherever more than the first token came.
    const [tokens, ms] = count > 1 ? [count - 1, lastAt - firstAt] : [count, lastAt - startedAt];
    return {
      text: this.text,
      tokenIds,
      outputTokens: count,
      firstTokenMs: count === 0 ? 0 : firstAt - startedAt,
      tokensPerSecond: count === 0 ? 0 : (1000 * tokens) / Math.max(ms, 0.001),
      stopReason: hasEnded ? 'end' : isCancelled ? 'cancelled' : 'length',
    };
  }

  private add(text: string): void {
    if (text === '') return;
    this.text += text;
    this.onText?.(text);
  }
}

function createCancelCriterion({ StoppingCriteria }: typeof Transformers, signal: AbortSignal | undefined) {
  class Cancelled extends StoppingCriteria {
    override _call(inputIds: number[][]): boolean[] {
      return inputIds.map(() => signal?.aborted === true);
    }
  }
  return new Cancelled();
}

function createProcessors(library: typeof Transformers, { temperature, topP, seed }: DecodingSettings) {
  const processors = new library.LogitsProcessorList();
  if (temperature === 0) return processors;
  const next = createGenerator([seed]);
  const draw = () => next() / 2 ** 32;
  class KeepDrawnToken extends library.LogitsProcessor {
    override _call(_inputIds: bigint[][], logits: Transformers.Tensor): Transformers.Tensor {
      const data = logits.data as Float32Array;
      const token = sampleToken(data, { temperature, topP }, draw);
      data.fill(-Infinity);
      data[token] = 0;
      return logits;
    }
  }
  processors.push(new KeepDrawnToken());
  return processors;
}

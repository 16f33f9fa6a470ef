/** @file Prompts, each with as many answers as were asked for -> all of them at once on the model's decoder. */
import { AnswerWriter, type WrittenPiece, type WrittenToken } from '../../core/infer/answerWriter.ts';
import { scoreToken } from '../../core/infer/tokenScores.ts';
import type { TextTokenizer } from '../../core/text/tokenizer.ts';
import { ApiError } from './apiError.ts';
import type { AskedDecoding } from './askedAnswer.ts';
import type { ServedModel } from './modelDirectory.ts';

/** A token as answers tell it; one that nothing stands before has no score. */
export type ToldToken = Omit<WrittenToken, 'logProbability'> & { readonly logProbability: number | null };

export interface ToldPiece {
  readonly text: string;
  readonly tokens: readonly ToldToken[];
}

export interface ChoiceOrder extends Omit<AskedDecoding, 'isStreamed' | 'tellsUsage'> {
  readonly prompts: readonly (readonly number[])[];
  readonly maxTokens: number;
  readonly scored: number | undefined;
  /** The answer begins with its prompt. */
  readonly echoes: boolean;
}

export interface ChoiceResult {
  readonly reason: 'stop' | 'length';
  readonly outputTokens: number;
}

/**
 * The choices, those of the first prompt first.
 * @param tell gets the text of a choice as it grows; scores where they were asked for
 * @throws ApiError 400 when a prompt fills the context; TuneError, AbortError of the signal
 */
export async function runChoices(
  model: ServedModel,
  order: ChoiceOrder,
  tell: (choice: number, piece: ToldPiece) => void,
  signal: AbortSignal,
): Promise<ChoiceResult[]> {
  const { contextTokens } = model.session.resident;
  for (const prompt of order.prompts) {
    if (prompt.length < contextTokens) continue;
    throw new ApiError(
      400,
      `This model's context is ${contextTokens} tokens; the prompt has ${prompt.length} and leaves no room for an answer.`,
      { code: 'context_length_exceeded' },
    );
  }
  // One that fails ends the others: nobody would get them.
  const failed = new AbortController();
  const all = AbortSignal.any([signal, failed.signal]);
  const rows = order.prompts.flatMap(prompt => Array.from({ length: order.choices }, (_, copy) => ({ prompt, copy })));
  const answers = rows.map(({ prompt, copy }, choice) =>
    runChoice(model, order, { prompt, seed: order.seed + copy }, piece => tell(choice, piece), all),
  );
  try {
    return await Promise.all(answers);
  } catch (error) {
    failed.abort();
    await Promise.allSettled(answers);
    throw error;
  }
}

async function runChoice(
  { session, adapter, decoder }: ServedModel,
  order: ChoiceOrder,
  { prompt, seed }: { readonly prompt: readonly number[]; readonly seed: number },
  tell: (piece: ToldPiece) => void,
  signal: AbortSignal,
): Promise<ChoiceResult> {
  const { tokenizer, contextTokens } = session.resident;
  const { temperature, topP, stop, scored, echoes } = order;
  const echo = echoes ? new PromptEcho(tokenizer, prompt, scored) : undefined;
  const told = (piece: WrittenPiece): void => {
    const shift = echo?.text.length ?? 0;
    tell({ ...piece, tokens: piece.tokens.map(token => ({ ...token, textOffset: token.textOffset + shift })) });
  };
  const maxTokens = Math.min(order.maxTokens, contextTokens - prompt.length);
  const writer = new AnswerWriter(tokenizer, { maxTokens, temperature, topP, seed, stop, scored }, told);
  let isBegun = false;
  await decoder.decode({
    prompt,
    adapter,
    signal,
    onPromptLogits: echo !== undefined && scored !== undefined ? echo.score : undefined,
    take: logits => {
      if (!isBegun && echo !== undefined) tell({ text: echo.text, tokens: echo.tokens });
      isBegun = true;
      return writer.take(logits);
    },
  });
  return { reason: writer.stopReason, outputTokens: writer.outputTokens };
}

/** A prompt in front of its answer, with its tokens' scores where they are asked for. */
class PromptEcho {
  readonly text: string;
  readonly tokens: ToldToken[] = [];
  private readonly prompt: readonly number[];
  private readonly likeliest: number;
  private readonly offsets: readonly number[];

  constructor(tokenizer: TextTokenizer, prompt: readonly number[], scored: number | undefined) {
    const decoder = tokenizer.streamDecoder();
    const offsets: number[] = [];
    let text = '';
    for (const id of prompt) {
      offsets.push(text.length);
      text += decoder.push(id);
    }
    this.text = text + decoder.end();
    this.offsets = offsets;
    this.prompt = prompt;
    this.likeliest = scored ?? 0;
    if (scored !== undefined) {
      this.tokens.push({ tokenId: prompt[0]!, logProbability: null, likeliest: [], textOffset: 0 });
    }
  }

  readonly score = (logits: Float32Array, position: number): void => {
    const tokenId = this.prompt[position + 1];
    if (tokenId === undefined) return;
    this.tokens.push({
      ...scoreToken(logits, tokenId, this.likeliest),
      textOffset: this.offsets[position + 1]!,
    });
  };
}

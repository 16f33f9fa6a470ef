/**
 * @file Examples -> rows of token ids with the mask of what is to be learned. Chats are supervised on what the assistant
 * says with its end-of-turn token (`trainOn: 'assistant'`) or on everything; plain texts on everything, with an end token
 * behind them. A row begins with exactly one BOS where the model wants one. Rows longer than the context are cut on the
 * right and rows with nothing left to learn are dropped: both are counted in the report, never silent.
 */
import type { Example, Origin } from '../data/example.ts';
import type { ChatTemplate } from './chatTemplate.ts';
import { encodeSpans } from './encodeSpans.ts';
import type { EncodedRow } from './packedBatch.ts';
import type { TextTokenizer } from './tokenizer.ts';

export interface EncodeSettings {
  readonly tokenizer: TextTokenizer;
  readonly template: ChatTemplate;
  readonly contextTokens: number;
  readonly trainOn: 'assistant' | 'all';
}

export type DropReason =
  /** No assistant says anything, or the text is empty. */
  | 'nothing-to-learn'
  /** What is to be learned stands behind the cut. */
  | 'cut-away';

export interface EncodedExample {
  /** Null when nothing is left to learn. */
  readonly row: EncodedRow | null;
  readonly dropped: DropReason | null;
  /** Tokens before the cut. */
  readonly wholeTokens: number;
  readonly facts: RowFacts;
}

/** What the checks before a run look at. */
export interface RowFacts {
  readonly startsWithTwoBos: boolean;
  /** Whether a supervised token that is left ends generation. */
  readonly learnsEnd: boolean;
  /** Whether a message holds the text of a special token. */
  readonly hasControlText: boolean;
  /** Whether the template leaves a system message out of the text. */
  readonly dropsSystem: boolean;
}

export interface EncodeReport {
  readonly examples: number;
  readonly rows: number;
  readonly tokens: number;
  readonly supervisedTokens: number;
  readonly longestTokens: number;
  /** Rows cut at the context's length, and the tokens that this lost. */
  readonly truncatedRows: number;
  readonly truncatedTokens: number;
  readonly dropped: Readonly<Record<DropReason, number>>;
  /** Origins of the first dropped rows. */
  readonly droppedFirst: readonly { readonly origin: Origin; readonly reason: DropReason }[];
  readonly chatRows: number;
  readonly chatTokens: number;
  readonly chatSupervisedTokens: number;
  readonly rowsWithTwoBos: number;
  readonly rowsThatLearnEnd: number;
  readonly rowsWithControlText: number;
  readonly rowsThatDropSystem: number;
}

/** @throws TuneError `dataset-invalid` with file and line when the template refuses the conversation. */
export function encodeExample(example: Example, index: number, settings: EncodeSettings): EncodedExample {
  const { tokenizer, contextTokens } = settings;
  const { ids, mask, dropsSystem } =
    example.kind === 'chat' ? encodeChat(example, settings) : encodeText(example.text, tokenizer);
  if (tokenizer.addsBos && tokenizer.bosTokenId !== null && ids[0] !== tokenizer.bosTokenId) {
    ids.unshift(tokenizer.bosTokenId);
    mask.unshift(0);
  }
  if (mask.length > 0) mask[0] = 0;

  const kept = Math.min(ids.length, contextTokens);
  const supervised = Uint8Array.from(mask.slice(0, kept));
  const facts: RowFacts = {
    startsWithTwoBos: tokenizer.bosTokenId !== null && ids[0] === tokenizer.bosTokenId && ids[1] === ids[0],
    learnsEnd: supervised.some((one, i) => one === 1 && tokenizer.eosTokenIds.includes(ids[i]!)),
    hasControlText: example.kind === 'chat' && hasControlText(example.messages, tokenizer),
    dropsSystem,
  };
  const dropped = supervised.includes(1) ? null : mask.includes(1) ? 'cut-away' : 'nothing-to-learn';
  const row = dropped ? null : { row: index, tokenIds: Int32Array.from(ids.slice(0, kept)), supervised };
  return { row, dropped, wholeTokens: ids.length, facts };
}

/** Encodes every example; `onProgress` is told the number done. */
export function encodeExamples(
  examples: readonly Example[],
  settings: EncodeSettings,
  onProgress?: (done: number) => void,
): { rows: EncodedRow[]; report: EncodeReport } {
  const rows: EncodedRow[] = [];
  const report = {
    examples: examples.length,
    rows: 0,
    tokens: 0,
    supervisedTokens: 0,
    longestTokens: 0,
    truncatedRows: 0,
    truncatedTokens: 0,
    dropped: { 'nothing-to-learn': 0, 'cut-away': 0 },
    droppedFirst: [] as { origin: Origin; reason: DropReason }[],
    chatRows: 0,
    chatTokens: 0,
    chatSupervisedTokens: 0,
    rowsWithTwoBos: 0,
    rowsThatLearnEnd: 0,
    rowsWithControlText: 0,
    rowsThatDropSystem: 0,
  };
  for (const [i, example] of examples.entries()) {
    const { row, dropped, wholeTokens, facts } = encodeExample(example, i, settings);
    report.longestTokens = Math.max(report.longestTokens, wholeTokens);
    if (dropped) {
      report.dropped[dropped] += 1;
      if (report.droppedFirst.length < 20) report.droppedFirst.push({ origin: example.origin, reason: dropped });
    }
    if (row) {
      const supervised = countOnes(row.supervised);
      rows.push(row);
      report.rows += 1;
      report.tokens += row.tokenIds.length;
      report.supervisedTokens += supervised;
      report.truncatedRows += Number(wholeTokens > row.tokenIds.length);
      report.truncatedTokens += wholeTokens - row.tokenIds.length;
      if (example.kind === 'chat') {
        report.chatRows += 1;
        report.chatTokens += row.tokenIds.length;
        report.chatSupervisedTokens += supervised;
      }
      report.rowsWithTwoBos += Number(facts.startsWithTwoBos);
      report.rowsThatLearnEnd += Number(facts.learnsEnd);
      report.rowsWithControlText += Number(facts.hasControlText);
      report.rowsThatDropSystem += Number(facts.dropsSystem);
    }
    onProgress?.(i + 1);
  }
  return { rows, report };
}

function countOnes(mask: Uint8Array): number {
  let count = 0;
  for (const one of mask) count += one;
  return count;
}

interface Encoded {
  readonly ids: number[];
  readonly mask: number[];
  readonly dropsSystem: boolean;
}

function encodeChat(example: Example & { kind: 'chat' }, { tokenizer, template, trainOn }: EncodeSettings): Encoded {
  const { text, assistant } = template.render(example.messages, example.origin);
  const { tokenIds, inSpan } = encodeSpans(tokenizer, text, assistant);
  const system = example.messages.find(message => message.role === 'system')?.content.trim() ?? '';
  return {
    ids: tokenIds,
    mask: trainOn === 'all' ? tokenIds.map(() => 1) : [...inSpan],
    dropsSystem: !text.includes(system),
  };
}

function encodeText(text: string, tokenizer: TextTokenizer): Encoded {
  const ids = tokenizer.encode(text);
  const end = tokenizer.eosTokenIds[0];
  if (ids.length > 0 && end !== undefined && !tokenizer.eosTokenIds.includes(ids.at(-1)!)) ids.push(end);
  return { ids, mask: ids.map(() => 1), dropsSystem: false };
}

function hasControlText(messages: readonly { readonly content: string }[], tokenizer: TextTokenizer): boolean {
  for (const token of tokenizer.specialTokens.keys()) {
    if (messages.some(message => message.content.includes(token))) return true;
  }
  return false;
}

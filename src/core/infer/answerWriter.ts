/**
 * @file A row's logits, step by step -> its tokens and the text to show: draws as `generateText` does, ends at an end token,
 * a stop text or the limit, and never shows half a character or the beginning of a stop text.
 */
import { createGenerator } from '../text/seededOrder.ts';
import type { StreamDecoder, TextTokenizer } from '../text/tokenizer.ts';
import { findLargest } from './findLargest.ts';
import { sampleToken } from './sampleToken.ts';
import { StopFilter } from './stopFilter.ts';
import { type ScoredToken, scoreToken } from './tokenScores.ts';

export interface WriterSettings {
  readonly maxTokens: number;
  /** 0 is greedy. */
  readonly temperature: number;
  readonly topP: number;
  readonly seed: number;
  readonly stop: readonly string[];
  /** How many likeliest tokens are scored beside each token; absent: nothing is scored. */
  readonly scored?: number | undefined;
}

/** A token of the answer and where its text begins in it. */
export interface WrittenToken extends ScoredToken {
  readonly textOffset: number;
}

export interface WrittenPiece {
  readonly text: string;
  /** Scored ones that came since the last piece. */
  readonly tokens: readonly WrittenToken[];
}

export class AnswerWriter {
  private readonly tokenizer: TextTokenizer;
  private readonly settings: WriterSettings;
  private readonly onPiece: (piece: WrittenPiece) => void;
  private readonly decoder: StreamDecoder;
  private readonly filter: StopFilter;
  private readonly draw: () => number;
  private scored: WrittenToken[] = [];
  private decodedCharacters = 0;
  private shownCharacters = 0;
  private count = 0;
  private reason: 'stop' | 'length' = 'length';

  constructor(tokenizer: TextTokenizer, settings: WriterSettings, onPiece: (piece: WrittenPiece) => void) {
    this.tokenizer = tokenizer;
    this.settings = settings;
    this.onPiece = onPiece;
    this.decoder = tokenizer.streamDecoder();
    this.filter = new StopFilter(settings.stop);
    const next = createGenerator([settings.seed]);
    this.draw = () => next() / 2 ** 32;
  }

  /** Tokens so far, the end token included. */
  get outputTokens(): number {
    return this.count;
  }

  /** `stop`: by an end token or a stop text. */
  get stopReason(): 'stop' | 'length' {
    return this.reason;
  }

  /** The token that comes next; undefined when the answer is over. */
  take(logits: Float32Array): number | undefined {
    const { maxTokens, scored } = this.settings;
    if (maxTokens === 0) return undefined;
    const token = this.choose(logits);
    this.count++;
    if (this.tokenizer.eosTokenIds.includes(token)) return this.end('stop');
    if (scored !== undefined) {
      this.scored.push({ ...scoreToken(logits, token, scored), textOffset: this.decodedCharacters });
    }
    this.show(this.decoder.push(token));
    if (this.filter.hasStopped) return this.finish('stop');
    return this.count < maxTokens ? token : this.end('length');
  }

  private choose(logits: Float32Array): number {
    const { temperature, topP } = this.settings;
    return temperature === 0 ? findLargest(logits) : sampleToken(logits, { temperature, topP }, this.draw);
  }

  private end(reason: 'stop' | 'length'): undefined {
    this.show(this.decoder.end());
    return this.finish(this.filter.hasStopped ? 'stop' : reason);
  }

  private finish(reason: 'stop' | 'length'): undefined {
    this.reason = reason;
    this.tell(this.filter.end(), true);
    return undefined;
  }

  private show(text: string): void {
    this.decodedCharacters += text.length;
    this.tell(this.filter.push(text), false);
  }

  /** Scored tokens come with the text that they begin; those of a text that a stop text cut off never come. */
  private tell(text: string, isLast: boolean): void {
    this.shownCharacters += text.length;
    const isReady = ({ textOffset }: WrittenToken): boolean =>
      textOffset < this.shownCharacters || (isLast && !this.filter.hasStopped);
    const tokens = this.scored.filter(isReady);
    this.scored = this.scored.filter(token => !isReady(token));
    if (text !== '' || tokens.length > 0) this.onPiece({ text, tokens });
  }
}

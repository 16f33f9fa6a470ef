/**
 * @file Conversations -> answers of an OpenAI-compatible endpoint, for whatever needs one (distillation, augmentation,
 * judging): paced, tried again when it is busy, broken, silent or cut off, with the wait that it asks for.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { TuneError } from '../../../shared/errors.ts';
import type { ChatMessage } from '../../../shared/inferenceProtocol.ts';
import { EndpointFailure } from './endpointFailure.ts';
import { type Clock, Pace } from './pace.ts';
import { type AnswerSettings, type ChatAnswer, type EndpointAddress, sendChat } from './sendChat.ts';

export interface EndpointOptions {
  /** 0: no limit. */
  readonly requestsPerMinute: number;
  /** Requests under way at once, 1 or more. */
  readonly parallelRequests: number;
  /** Tries after the first. */
  readonly maxRetries: number;
  readonly idleTimeoutMs: number;
  readonly isStreamed: boolean;
}

export const defaultEndpointOptions: EndpointOptions = {
  requestsPerMinute: 0,
  parallelRequests: 4,
  maxRetries: 6,
  idleTimeoutMs: 120_000,
  isStreamed: true,
};

/** Waits are doubled from the first to the last of these, less up to a quarter by chance. */
const firstWaitMs = 500;
const longestWaitMs = 60_000;
/** An endpoint that asks for more is out of order for today. */
const longestAskedWaitMs = 10 * 60_000;

const realClock: Clock = {
  now: () => performance.now(),
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, { signal });
  },
};

export type EndpointOutcome =
  /** `seconds` of the request that it answers; neither turns nor earlier tries count. */
  | { readonly kind: 'answer'; readonly answer: ChatAnswer; readonly seconds: number }
  /** This conversation was refused; others may be answered. */
  | { readonly kind: 'refused'; readonly reason: string };

export class ChatEndpoint {
  readonly options: EndpointOptions;
  private readonly address: EndpointAddress;
  private readonly pace: Pace;
  private readonly clock: Clock;
  private readonly random: () => number;

  /** @throws TuneError `usage` for an address that is none */
  constructor(address: EndpointAddress, options: EndpointOptions, clock = realClock, random = Math.random) {
    requireAddress(address);
    this.address = address;
    this.options = options;
    this.clock = clock;
    this.random = random;
    this.pace = new Pace(options.requestsPerMinute, clock);
  }

  get name(): string {
    return `${this.address.model} at ${this.address.baseUrl}`;
  }

  /** @throws TuneError `endpoint-failed` when no request can succeed; AbortError when cancelled */
  async ask(
    messages: readonly ChatMessage[],
    settings: AnswerSettings,
    signal?: AbortSignal,
  ): Promise<EndpointOutcome> {
    const { idleTimeoutMs, isStreamed, maxRetries } = this.options;
    for (let tries = 0; ; tries++) {
      await this.pace.takeTurn(signal);
      const startedAtMs = this.clock.now();
      try {
        const answer = await sendChat(this.address, messages, settings, { idleTimeoutMs, isStreamed, signal });
        return { kind: 'answer', answer, seconds: (this.clock.now() - startedAtMs) / 1000 };
      } catch (error) {
        if (!(error instanceof EndpointFailure)) throw error;
        if (error.kind === 'request') return { kind: 'refused', reason: error.message };
        const waitMs = this.chooseWait(error, tries);
        if (error.kind === 'endpoint' || tries >= maxRetries || waitMs > longestAskedWaitMs) {
          throw this.toError(error, tries + 1);
        }
        // Over the limit: nobody else need try before.
        if (error.status === 429) this.pace.holdFor(waitMs);
        await this.clock.sleep(waitMs, signal);
      }
    }
  }

  private chooseWait({ retryAfterMs }: EndpointFailure, tries: number): number {
    if (retryAfterMs !== undefined) return retryAfterMs;
    const waitMs = Math.min(longestWaitMs, firstWaitMs * 2 ** tries);
    return waitMs * (1 - this.random() / 4);
  }

  private toError(failure: EndpointFailure, tries: number): TuneError {
    const times = tries === 1 ? '' : ` after ${tries} tries`;
    return new TuneError('endpoint-failed', `${this.name}: expected an answer, got ${failure.message}${times}`, {
      hint: adviseOn(failure),
      cause: failure,
    });
  }
}

function adviseOn({ status, kind }: EndpointFailure): string {
  if (status === 401 || status === 403) return 'Check the key and that it may use this model.';
  if (status === 404) return 'Check the address (it usually ends in /v1) and the name of the model.';
  if (status === 429) return 'Its limit is reached: ask fewer requests a minute, or go on later.';
  if (kind === 'endpoint') return 'Check the address, the key and the account.';
  return 'Check that the endpoint runs and can be reached, then start again: answers that came are kept.';
}

function requireAddress({ baseUrl, model }: EndpointAddress): void {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '') {
    const got = url?.username ? 'one with a user name' : `"${baseUrl}"`;
    throw new TuneError('usage', `endpoint: expected an http or https address, got ${got}`, {
      hint: 'For example http://127.0.0.1:8080/v1; a key goes into an environment variable.',
    });
  }
  if (model.trim() === '') throw new TuneError('usage', 'endpoint: expected the name of its model, got nothing');
}

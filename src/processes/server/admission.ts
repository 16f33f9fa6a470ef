/** @file How much work may be under way: what is beyond is refused at once, with a time to come back, instead of waiting unseen. */
import { ApiError } from './apiError.ts';

const retryAfterSec = 1;

export class Admission {
  private readonly maxAnswers: number;
  private answers = 0;
  private isClosed = false;
  private onIdle: (() => void) | undefined;

  /** @param maxAnswers under way and waiting, together */
  constructor(maxAnswers: number) {
    this.maxAnswers = maxAnswers;
  }

  /** Lets work in; to be called back when it is done. @throws ApiError 429, 503 */
  enter(answers: number): () => void {
    if (this.isClosed) throw stoppingError();
    if (answers > this.maxAnswers) {
      throw new ApiError(400, `expected at most ${this.maxAnswers} answers of one request, got ${answers}.`, {
        code: 'too_many_answers',
      });
    }
    if (this.answers + answers > this.maxAnswers) {
      throw new ApiError(429, 'The server has as many requests as it takes at once. Try again later.', {
        code: 'server_busy',
        headers: { 'retry-after': `${retryAfterSec}` },
      });
    }
    this.answers += answers;
    return () => {
      this.answers -= answers;
      if (this.answers === 0) this.onIdle?.();
    };
  }

  /** Lets nobody in any more; resolves when nothing is under way. */
  close(): Promise<void> {
    this.isClosed = true;
    if (this.answers === 0) return Promise.resolve();
    return new Promise(resolve => {
      this.onIdle = resolve;
    });
  }
}

export function stoppingError(): ApiError {
  return new ApiError(503, 'The server is stopping.', {
    code: 'server_stopping',
    headers: { 'retry-after': '5', connection: 'close' },
  });
}

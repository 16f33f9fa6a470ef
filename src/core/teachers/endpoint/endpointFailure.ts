/** @file Why a request to an endpoint gave no answer, and whether the same request may succeed later. */

export type FailureKind =
  /** Busy, broken or silent: try again. */
  | 'transient'
  /** This one request is wrong, as a conversation that is too long. */
  | 'request'
  /** Every request would end like this: wrong key, no such model, no credit. */
  | 'endpoint';

export class EndpointFailure extends Error {
  readonly kind: FailureKind;
  /** How long the endpoint asks to wait. */
  readonly retryAfterMs: number | undefined;
  readonly status: number | undefined;

  constructor(
    kind: FailureKind,
    got: string,
    { retryAfterMs, status, cause }: { retryAfterMs?: number | undefined; status?: number; cause?: unknown } = {},
  ) {
    super(got, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.retryAfterMs = retryAfterMs;
    this.status = status;
  }
}

const transientStatuses = [408, 409, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529];
const requestStatuses = [400, 413, 422];

/** @param body what came with the status, as far as it was read */
export function toStatusFailure(status: number, body: string, headers: Headers, nowMs: number): EndpointFailure {
  const { message, code } = readErrorBody(body);
  const kind = (): FailureKind => {
    // No waiting brings back a budget that is spent.
    if (code === 'insufficient_quota' || code === 'billing_hard_limit_reached') return 'endpoint';
    if (transientStatuses.includes(status)) return 'transient';
    return requestStatuses.includes(status) && code !== 'model_not_found' ? 'request' : 'endpoint';
  };
  const retryAfterMs = readRetryAfter(headers, nowMs);
  return new EndpointFailure(kind(), message === '' ? `status ${status}` : `status ${status}: ${message}`, {
    retryAfterMs,
    status,
  });
}

/** The wait that `retry-after-ms` or `retry-after` (seconds or a date) asks for. */
export function readRetryAfter(headers: Headers, nowMs: number): number | undefined {
  const milliseconds = Number(headers.get('retry-after-ms') ?? Number.NaN);
  if (Number.isFinite(milliseconds) && milliseconds >= 0) return milliseconds;
  const text = headers.get('retry-after')?.trim();
  if (text === undefined || text === '') return undefined;
  const seconds = Number(text);
  if (Number.isFinite(seconds)) return seconds >= 0 ? seconds * 1000 : undefined;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

/** OpenAI's form {error: {message, code}}, others' {error: "..."} or {message}, else the beginning of the text. */
export function readErrorBody(body: string): { message: string; code: string | null } {
  try {
    const value = JSON.parse(body) as { error?: unknown; message?: unknown } | null;
    const error = value?.error ?? value;
    if (typeof error === 'string') return { message: error.slice(0, 300), code: null };
    const { message, code } = (error ?? {}) as { message?: unknown; code?: unknown };
    if (typeof message === 'string') {
      return { message: message.slice(0, 300), code: typeof code === 'string' ? code : null };
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return { message: body.replace(/\s+/g, ' ').trim().slice(0, 120), code: null };
}

/**
 * @file Requests that write to the Hub: tried again when it is busy, refusals told in words, and the token sent to its own
 * address alone. @see huggingface_hub (hf_api.py, lfs.py)
 */
import { createReadStream } from 'node:fs';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';
import { TuneError } from '../../../../shared/errors.ts';
import { describeFailure } from '../hubRequest.ts';

export interface HubTarget {
  /** Without a slash at its end. */
  readonly endpoint: string;
  readonly token: string;
  /** `organisation/name`. */
  readonly repository: string;
  readonly signal?: AbortSignal | undefined;
  readonly retryDelayMs: number;
}

export interface HubReply {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** A part of a file to be sent. */
export interface FilePart {
  readonly path: string;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

const maxAttempts = 6;
const idleTimeoutMs = 60_000;

/** @param accepted statuses that are no failure @throws TuneError `download-failed` | `model-gated` | `model-not-found`; AbortError */
export async function callHub(
  target: HubTarget,
  method: 'POST' | 'PUT',
  url: string,
  body: string | FilePart,
  headers: Readonly<Record<string, string>>,
  accepted: readonly number[] = [],
): Promise<HubReply> {
  for (let attempt = 1; ; attempt++) {
    target.signal?.throwIfAborted();
    let failure: string;
    try {
      const reply = await send(target, method, new URL(url), body, headers);
      if ((reply.status >= 200 && reply.status < 300) || accepted.includes(reply.status)) return reply;
      const isPassing = reply.status === 429 || reply.status >= 500;
      if (!isPassing || attempt === maxAttempts) throw toRefusal(target, reply);
      failure = String(reply.status);
    } catch (error) {
      target.signal?.throwIfAborted();
      if (error instanceof TuneError) throw error;
      failure = describeFailure(error);
      if (attempt === maxAttempts) throw toFailure(target, failure, error);
    }
    await wait(target.retryDelayMs * 2 ** attempt, undefined, { signal: target.signal });
  }
}

function send(
  target: HubTarget,
  method: string,
  url: URL,
  body: string | FilePart,
  headers: Readonly<Record<string, string>>,
): Promise<HubReply> {
  const isOwn = url.origin === new URL(target.endpoint).origin;
  const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.end - body.start;
  return new Promise((resolve, reject) => {
    const outgoing = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
      method,
      headers: {
        'user-agent': 'tuning-fork',
        'content-length': bytes,
        ...headers,
        ...(isOwn ? { authorization: `Bearer ${target.token}` } : {}),
      },
      signal: target.signal,
      timeout: idleTimeoutMs,
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')));
    outgoing.on('error', reject);
    outgoing.on('response', response => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: parse(text), headers: response.headers }),
      );
    });
    if (typeof body === 'string') outgoing.end(body);
    else if (bytes === 0) outgoing.end();
    else {
      const { path, start, end } = body;
      createReadStream(path, { start, end: end - 1 })
        .on('error', reject)
        .pipe(outgoing);
    }
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function toRefusal({ repository, endpoint }: HubTarget, { status, body }: HubReply): TuneError {
  const said = (body as { error?: unknown } | null)?.error;
  const reason = typeof said === 'string' ? ` (${said.slice(0, 200)})` : '';
  if (status === 401 || status === 403) {
    return new TuneError('model-gated', `${repository}: expected leave to write, got ${status}${reason}`, {
      hint: 'Use a token that may write to this account or organisation (command "Set Hub token", or HF_TOKEN).',
    });
  }
  return new TuneError('download-failed', `${repository}: expected ${endpoint} to take it, got ${status}${reason}`, {
    hint: 'Push again: what arrived already is not sent twice.',
  });
}

function toFailure({ repository, endpoint }: HubTarget, got: string, cause: unknown): TuneError {
  return new TuneError('download-failed', `${repository}: expected an answer from ${endpoint}, got ${got}`, {
    hint: 'Check connection, proxy and Hub endpoint, then push again: what arrived already is not sent twice.',
    cause,
  });
}

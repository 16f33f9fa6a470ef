/**
 * @file Requests to the Hub or a mirror: redirects followed by hand, so that the token goes to the Hub's own address and to
 * nobody else; no answer is waited for without end; refusals become errors that say what to do.
 */
import { TuneError } from '../../../shared/errors.ts';
import type { HubLocation } from './hubLocation.ts';

const maxRedirects = 6;

export interface HubRequest {
  readonly location: HubLocation;
  /** What the user asked for, for errors. */
  readonly repository: string;
  /** Ends a request from which nothing came for so long. */
  readonly idleTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface HubAnswer {
  readonly response: Response;
  /** Ends the transfer of a body that is not wanted. */
  readonly abort: AbortController;
}

/**
 * The answer to `url` with its body unread. A HEAD request ends at a redirect that states size and checksum itself, as the
 * Hub does for large files that lie elsewhere.
 * @throws TuneError `model-gated` | `model-not-found` | `download-failed`
 */
export async function requestHub(
  request: HubRequest,
  url: string,
  init: { readonly method?: 'GET' | 'HEAD'; readonly headers?: Record<string, string> } = {},
): Promise<HubAnswer> {
  const method = init.method ?? 'GET';
  let current = new URL(url);
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    const { response, abort } = await fetchOnce(request, current, method, init.headers ?? {});
    const target = response.headers.get('location');
    const isRedirect = response.status >= 300 && response.status < 400 && target !== null;
    if (!isRedirect) {
      if (response.ok || response.status === 416) return { response, abort };
      throw toRefusal(request, response, abort);
    }
    if (method === 'HEAD' && response.headers.has('x-linked-etag')) return { response, abort };
    abort.abort();
    const next = new URL(target, current);
    refuseDowngrade(request, current, next);
    current = next;
  }
  throw toDownloadError(request, `more than ${maxRedirects} redirects`);
}

/** The body of an answer as JSON. @throws TuneError `download-failed` */
export async function readJsonAnswer(request: HubRequest, { response, abort }: HubAnswer): Promise<unknown> {
  const timer = setTimeout(() => abort.abort(new Error('nothing more came')), request.idleTimeoutMs);
  try {
    return await response.json();
  } catch (error) {
    request.signal?.throwIfAborted();
    throw toDownloadError(
      request,
      error instanceof SyntaxError ? 'something that is not JSON' : describeFailure(error),
      error,
    );
  } finally {
    clearTimeout(timer);
  }
}

async function fetchOnce(
  { location, idleTimeoutMs, signal, repository }: HubRequest,
  url: URL,
  method: string,
  headers: Record<string, string>,
): Promise<{ response: Response; abort: AbortController }> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(new Error('no answer')), idleTimeoutMs);
  const isOwn = url.origin === new URL(location.endpoint).origin;
  try {
    const response = await fetch(url, {
      method,
      headers: {
        // Ranges and sizes are of the stored bytes: no compression on the way.
        'accept-encoding': 'identity',
        'user-agent': 'tuning-fork',
        ...headers,
        ...(isOwn && location.token ? { authorization: `Bearer ${location.token}` } : {}),
      },
      redirect: 'manual',
      signal: signal ? AbortSignal.any([signal, abort.signal]) : abort.signal,
    });
    return { response, abort };
  } catch (error) {
    signal?.throwIfAborted();
    throw toDownloadError({ location, repository }, describeFailure(error), error);
  } finally {
    clearTimeout(timer);
  }
}

/** A failed request in words, without its address (which may carry a signature). */
export function describeFailure(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const { code, message } = cause as NodeJS.ErrnoException;
  return code ?? message ?? 'no connection';
}

export function toDownloadError(
  { location, repository }: Pick<HubRequest, 'location' | 'repository'>,
  got: string,
  cause?: unknown,
): TuneError {
  return new TuneError('download-failed', `${repository}: expected an answer from ${location.endpoint}, got ${got}`, {
    hint: 'Check the connection, proxy and Hub endpoint, then start again: what was downloaded so far is kept and continued.',
    cause,
  });
}

function refuseDowngrade(request: HubRequest, from: URL, to: URL): void {
  const isSafe = to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:');
  if (!isSafe) throw toDownloadError(request, 'a redirect to an address that is not https');
}

/** @see huggingface_hub (hf_raise_for_status): the reason stands in X-Error-Code; an unknown repository answers 401. */
function toRefusal(request: HubRequest, response: Response, abort: AbortController): TuneError {
  const { location, repository } = request;
  const reason = response.headers.get('x-error-code') ?? '';
  const { status } = response;
  abort.abort();
  const page = `${location.endpoint}/${repository}`;
  if (reason === 'GatedRepo' || status === 403) {
    return new TuneError('model-gated', `${repository}: expected access to its files, got ${status} (gated)`, {
      hint: location.token
        ? `Accept the licence at ${page} with the account of your token, and check that the token may read gated models.`
        : `Accept the licence at ${page}, make a token with read access and set it (command "Set Hub token", or HF_TOKEN).`,
    });
  }
  if (status === 401 && reason !== 'RepoNotFound') {
    return new TuneError('model-gated', `${repository}: expected access, got 401`, {
      hint: location.token
        ? 'The token was refused, or no model has that name: check both.'
        : `Check the name; if ${page} is gated or private, set a token with read access (command "Set Hub token", or HF_TOKEN).`,
    });
  }
  if (status === 404 || reason === 'RepoNotFound') {
    const what = reason === 'EntryNotFound' ? 'the file' : reason === 'RevisionNotFound' ? 'the revision' : 'a model';
    return new TuneError('model-not-found', `${repository}: expected ${what} on ${location.endpoint}, got ${status}`, {
      hint: 'Check the spelling (organisation/name); a private model also needs a token with access to it.',
    });
  }
  return toDownloadError(request, `${status} ${response.statusText}`.trim());
}

/**
 * @file The HTTP side: node:http on 127.0.0.1 with limits on headers, bodies, time and connections, and five routes. A router's
 * package would bring more code than it saves, and its own defaults to be checked at each update.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { TuneError } from '../../shared/errors.ts';
import type { ServedRequest } from '../../shared/serverProtocol.ts';
import { stoppingError } from './admission.ts';
import { type AnswerServices, type Asking, answerChat, answerCompletion } from './answerRequest.ts';
import { ApiError, toApiError } from './apiError.ts';
import { EventWriter } from './eventWriter.ts';
import { guardRequest } from './guardRequest.ts';
import { ignoreBody, readJsonBody } from './readBody.ts';
import { sendJson } from './sendJson.ts';

const host = '127.0.0.1';
const limits = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 16 * 1024,
} as const;
const maxConnections = 512;
/** Streams that are told of the end get so long to read it. */
const goodbyeMs = 500;

export interface ApiServerOptions extends AnswerServices {
  readonly key: string;
  readonly onRequest: (request: ServedRequest) => void;
  /** What went wrong in answering, for the log: the client is told less. */
  readonly onFailure: (error: unknown) => void;
}

export class ApiServer {
  private readonly options: ApiServerOptions;
  private readonly server: Server;
  private readonly ending = new AbortController();

  private constructor(options: ApiServerOptions) {
    this.options = options;
    this.server = createServer(limits, (request, response) => void this.answer(request, response));
    this.server.maxConnections = maxConnections;
    this.server.on('clientError', answerBroken);
  }

  /** @param port 0 takes one that is free. @throws TuneError `usage` when it is taken */
  static async listen(options: ApiServerOptions, port: number): Promise<ApiServer> {
    const api = new ApiServer(options);
    await new Promise<void>((resolve, reject) => {
      api.server.once('error', cause => reject(toListenError(cause, port)));
      api.server.listen(port, host, resolve);
    });
    return api;
  }

  get baseUrl(): string {
    return `http://${host}:${(this.server.address() as AddressInfo).port}/v1`;
  }

  /** Takes nobody in any more; answers under way have so long to finish, then they are ended and told why. */
  async stop(graceMs: number): Promise<void> {
    const closed = new Promise<void>(resolve => {
      this.server.close(() => resolve());
    });
    this.server.closeIdleConnections();
    const done = this.options.admission.close();
    const waiting = new AbortController();
    await Promise.race([done, sleep(graceMs, undefined, { signal: waiting.signal }).catch(() => undefined)]);
    waiting.abort();
    this.ending.abort(stoppingError());
    await done;
    await Promise.race([closed, sleep(goodbyeMs)]);
    this.server.closeAllConnections();
    await closed;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedAt = performance.now();
    const left = new AbortController();
    const facts = { model: null as string | null, promptTokens: 0, outputTokens: 0 };
    response.on('error', () => left.abort());
    response.once('close', () => {
      const isCut = !response.writableFinished;
      if (isCut) left.abort();
      const { method = '', url = '' } = request;
      const elapsedMs = Math.round(performance.now() - startedAt);
      const path = url.split('?')[0]!.slice(0, 200);
      this.options.onRequest({ ...facts, method, path, status: response.statusCode, elapsedMs, isCut });
    });
    const signal = AbortSignal.any([left.signal, this.ending.signal]);
    try {
      guardRequest(request, this.options.key);
      await this.route(request, response, { signal, note: known => Object.assign(facts, known) });
    } catch (error) {
      if (!left.signal.aborted) this.fail(request, response, error);
    }
  }

  private async route(
    request: IncomingMessage,
    response: ServerResponse,
    asking: Pick<Asking, 'signal' | 'note'>,
  ): Promise<void> {
    const path = request.url!.split('?')[0]!;
    const { directory } = this.options;
    const describe = (id: string) => ({ id, object: 'model', created: directory.createdSec, owned_by: 'tuning-fork' });
    if (path === '/v1/models') {
      requireMethod(request, 'GET');
      return sendJson(response, 200, { object: 'list', data: directory.list().map(describe) });
    }
    if (path.startsWith('/v1/models/')) {
      requireMethod(request, 'GET');
      const id = decodeName(path.slice('/v1/models/'.length));
      directory.require(id);
      return sendJson(response, 200, describe(id));
    }
    const answer = { '/v1/chat/completions': answerChat, '/v1/completions': answerCompletion }[path];
    if (answer === undefined) {
      throw new ApiError(404, `${path}: expected /v1/models, /v1/chat/completions or /v1/completions.`, {
        code: 'unknown_url',
      });
    }
    requireMethod(request, 'POST');
    await answer(this.options, { ...asking, body: await readJsonBody(request), response });
  }

  private fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const failure = toApiError(this.ending.signal.aborted ? this.ending.signal.reason : error);
    if (failure.status >= 500 && !this.ending.signal.aborted) this.options.onFailure(error);
    if (response.headersSent) {
      new EventWriter(response).send(failure.toBody());
      response.end();
    } else {
      sendJson(response, failure.status, failure.toBody(), failure.headers);
    }
    ignoreBody(request);
  }
}

function requireMethod({ method }: IncomingMessage, expected: string): void {
  if (method === expected) return;
  throw new ApiError(405, `expected ${expected}, got ${method}.`, {
    code: 'method_not_allowed',
    headers: { allow: expected },
  });
}

function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new ApiError(400, 'expected a model name in the address, got a broken one.', { cause });
  }
}

/** What is no HTTP gets an answer as well, and its connection ends. */
function answerBroken(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const statuses: Readonly<Record<string, readonly [number, string]>> = {
    HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large'],
    ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout'],
  };
  const [status, text] = statuses[error.code ?? ''] ?? [400, 'Bad Request'];
  const body = `${JSON.stringify(new ApiError(status, `${text}.`).toBody())}\n`;
  const head = `HTTP/1.1 ${status} ${text}\r\ncontent-type: application/json; charset=utf-8\r\nconnection: close`;
  socket.end(`${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

function toListenError(cause: NodeJS.ErrnoException, port: number): TuneError {
  return new TuneError('usage', `--port ${port}: expected a port that is free, got ${cause.code ?? cause.message}`, {
    hint: 'Choose another, or 0 for one that is free.',
    cause,
  });
}

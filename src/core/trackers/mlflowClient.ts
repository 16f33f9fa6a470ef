/** @file MLflow's REST API, as far as a tracker needs it. @see https://mlflow.org/docs/latest/rest-api.html */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { TuneError } from '../../shared/errors.ts';

const answerTimeoutMs = 60_000;
const uploadTimeoutMs = 10 * 60_000;

export interface MlflowAnswerError {
  readonly status: number;
  readonly code: string;
}

export interface MlflowMetric {
  readonly key: string;
  readonly value: number;
  readonly timestamp: number;
  readonly step: number;
}

/** A request that did not succeed; `answer` is missing when none came, so that it may have arrived all the same. */
export class MlflowError extends TuneError {
  readonly answer: MlflowAnswerError | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, answer?: MlflowAnswerError, retryAfterMs?: number, cause?: unknown) {
    super('tracker', message, { hint: adviseOn(answer?.status), cause });
    this.answer = answer;
    this.retryAfterMs = retryAfterMs;
  }
}

export class MlflowClient {
  private readonly base: string;
  private readonly authorization: string | undefined;

  constructor(uri: string, authorization: string | undefined) {
    this.base = uri.replace(/\/+$/, '');
    this.authorization = authorization;
  }

  /** @throws MlflowError */
  async post(path: string, body: unknown): Promise<Record<string, unknown>> {
    return await this.ask(`/api/2.0/mlflow/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  /** @throws MlflowError */
  async get(path: string, query: Record<string, string>): Promise<Record<string, unknown>> {
    return await this.ask(`/api/2.0/mlflow/${path}?${new URLSearchParams(query)}`, { method: 'GET' });
  }

  /** Streams a file to the server's artifact proxy. @throws MlflowError */
  async putArtifact(artifactPath: string, file: string): Promise<void> {
    const path = artifactPath.split('/').map(encodeURIComponent).join('/');
    const body = Readable.toWeb(createReadStream(file)) as ReadableStream;
    const headers = { 'content-type': 'application/octet-stream' };
    const request = { method: 'PUT', headers, body, duplex: 'half' } as RequestInit;
    await this.ask(`/api/2.0/mlflow-artifacts/artifacts/${path}`, request, uploadTimeoutMs);
  }

  private async ask(path: string, request: RequestInit, timeoutMs = answerTimeoutMs): Promise<Record<string, unknown>> {
    const where = `${this.base}${path.split('?')[0]}`;
    const headers = new Headers(request.headers);
    if (this.authorization !== undefined) headers.set('authorization', this.authorization);
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.base + path, { ...request, headers, signal: AbortSignal.timeout(timeoutMs) });
      text = await response.text();
    } catch (error) {
      throw new MlflowError(`${where}: expected an answer, got ${nameFailure(error)}`, undefined, undefined, error);
    }
    const answer = parseObject(text);
    if (response.ok && answer !== undefined) return answer;
    const code = typeof answer?.error_code === 'string' ? answer.error_code : '';
    const said = typeof answer?.message === 'string' ? `: ${answer.message.slice(0, 300)}` : '';
    const status = response.ok ? 502 : response.status;
    const retryAfter = Number(response.headers.get('retry-after'));
    throw new MlflowError(
      `${where}: expected success, got ${response.ok ? 'an answer that is no JSON' : `status ${status}`} ${code}${said}`.trim(),
      { status, code },
      retryAfter > 0 ? retryAfter * 1000 : undefined,
    );
  }
}

/** NaN and infinities are no JSON: MLflow takes them as text. */
export function writeMetricValue(value: number): number | string {
  if (Number.isFinite(value)) return value;
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
}

function parseObject(text: string): Record<string, unknown> | undefined {
  if (text.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function nameFailure(error: unknown): string {
  const { name, message, cause } = error as Error & { cause?: { code?: string } };
  if (name === 'TimeoutError') return 'none in time';
  return cause?.code ?? message;
}

function adviseOn(status: number | undefined): string {
  if (status === undefined) return 'Nothing is lost: it is tried again until the server answers.';
  if (status === 401 || status === 403) return 'Set a token that this server takes: "Tuning Fork: Set MLflow Token..."';
  if (status === 404) return 'Is this the address of an MLflow server, and does the run still exist there?';
  return 'Nothing is lost: it is tried again.';
}

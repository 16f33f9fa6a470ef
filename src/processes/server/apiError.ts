/** @file Errors as clients of the OpenAI protocol expect them: a status and `{error: {message, type, param, code}}`. */
import { TuneError } from '../../shared/errors.ts';

export interface ApiErrorDetails {
  readonly param?: string | null | undefined;
  readonly code?: string | null | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly cause?: unknown;
}

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly param: string | null;
  readonly code: string | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, details: ApiErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.status = status;
    this.param = details.param ?? null;
    this.code = details.code ?? null;
    this.headers = details.headers ?? {};
  }

  toBody(): { error: { message: string; type: string; param: string | null; code: string | null } } {
    return { error: { message: this.message, type: typeOf(this.status), param: this.param, code: this.code } };
  }
}

/** A request that asks for what is not there, or in the wrong form. */
export function refuseParameter(param: string, message: string, code?: string): ApiError {
  return new ApiError(400, `${param}: ${message}`, { param, code });
}

/** What went wrong, as the client is told it. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (!(error instanceof TuneError)) {
    const message = error instanceof Error ? error.message : String(error);
    return new ApiError(500, `internal: ${message}`, { code: 'internal', cause: error });
  }
  const { code, hint } = error;
  const isClients = code === 'usage' || code === 'dataset-invalid';
  const message = hint === undefined ? error.message : `${error.message} ${hint}`;
  return new ApiError(isClients ? 400 : 500, message, { code, cause: error });
}

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 404) return 'not_found_error';
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

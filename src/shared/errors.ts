/** @file The one error class that crosses process borders: what went wrong, where, and what to do next. */

/** Stable, machine-readable names of what went wrong. Nothing matches on message text. */
export const errorCodes = [
  'usage', // wrong command line or setting
  'dataset-unreadable', // the file cannot be opened or decoded
  'dataset-invalid', // read, but a row is broken or does not fit the mapping
  'dataset-empty', // nothing to train on
  'model-not-found',
  'model-invalid', // truncated, hostile or inconsistent model file
  'model-unsupported', // architecture or quantization this engine does not know
  'model-gated', // the Hub asks for a licence or a token
  'download-failed',
  'tokenizer-invalid',
  'template-invalid',
  'preflight', // a check before the run refuses it
  'memory', // does not fit the memory limit
  'disk-full',
  'not-writable',
  'not-finite', // loss or gradient is NaN or infinite
  'run-invalid', // a run folder that cannot be read
  'run-busy', // another process owns the run
  'run-identity', // status.json names a process that is not ours
  'checkpoint-invalid',
  'adapter-invalid',
  'engine', // the engine's library failed
  'python-missing', // nothing that runs the PyTorch engine
  'tracker', // a tracker's server or library refused or did not answer
  'unsupported-platform',
  'untrusted-workspace',
  'endpoint-failed', // a chat endpoint refuses, or gives no answer after all tries
  'process-ended', // a child process ended without an answer
  'internal', // a bug of ours
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface TuneErrorDetails {
  readonly hint?: string | undefined;
  readonly file?: string | undefined;
  /** 1-based. */
  readonly line?: number | undefined;
  readonly cause?: unknown;
}

/** What travels over a pipe, into status.json and onto the command line's last line. */
export interface WireError {
  code: ErrorCode;
  message: string;
  hint?: string | undefined;
  file?: string | undefined;
  line?: number | undefined;
}

/** A failure a person can act on. `message` reads `<where>: expected <what>, got <value>`. */
export class TuneError extends Error {
  override readonly name = 'TuneError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly file: string | undefined;
  readonly line: number | undefined;

  constructor(code: ErrorCode, message: string, details: TuneErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
    this.file = details.file;
    this.line = details.line;
  }
}

/** The wire form of anything thrown; what is not a TuneError is a bug and says so. */
export function toWireError(error: unknown): WireError {
  if (error instanceof TuneError) {
    return { code: error.code, message: error.message, hint: error.hint, file: error.file, line: error.line };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'internal', message: `internal: ${message}`, hint: 'Please report this with the log of the run.' };
}

/** The TuneError that a wire form stands for. */
export function fromWireError(wire: WireError): TuneError {
  return new TuneError(wire.code, wire.message, { hint: wire.hint, file: wire.file, line: wire.line });
}

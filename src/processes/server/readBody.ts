/** @file A request -> the JSON object in its body, of a limited size and whatever content type it says. */
import type { IncomingMessage } from 'node:http';
import { ApiError } from './apiError.ts';

export const maxBodyBytes = 2 * 2 ** 20;
/** Of a body that is not wanted: read past, so that its sender gets to read the answer, until it is too much. */
const maxIgnoredBytes = 32 * 2 ** 20;

/** @throws ApiError 400, 413, 415 */
export async function readJsonBody(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new ApiError(415, `Content-Encoding: expected none, got ${encoding}.`, { code: 'unsupported_encoding' });
  }
  const value = parseJson(await readText(request));
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new ApiError(400, 'body: expected a JSON object.', { code: 'invalid_json' });
}

/** Reads past what the client still sends; cuts it off when that is too much. */
export function ignoreBody(request: IncomingMessage): void {
  if (request.complete) return;
  let bytes = 0;
  request.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > maxIgnoredBytes) request.destroy();
  });
  request.on('error', () => request.destroy());
  request.resume();
}

async function readText(request: IncomingMessage): Promise<string> {
  if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) throw tooLarge();
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > maxBodyBytes) throw tooLarge();
    pieces.push(piece);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces));
  } catch (cause) {
    throw new ApiError(400, 'body: expected UTF-8.', { code: 'invalid_json', cause });
  }
}

function tooLarge(): ApiError {
  return new ApiError(413, `body: expected at most ${maxBodyBytes} bytes, got more.`, { code: 'request_too_large' });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ApiError(400, `body: expected JSON, got: ${reason}`, { code: 'invalid_json', cause });
  }
}

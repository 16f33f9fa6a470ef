/**
 * @file Who may ask: programs of this machine that know the key. A page in a browser may not, even where its own host name
 * leads here (DNS rebinding) or the user pasted the key into it: another Host, and any Origin, is refused.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ApiError } from './apiError.ts';

/** @throws ApiError 401, 403 */
export function guardRequest({ headers, socket }: IncomingMessage, key: string): void {
  const host = headers.host?.toLowerCase();
  const names = ['127.0.0.1', 'localhost'].map(name => `${name}:${socket.localPort}`);
  if (host === undefined || !names.includes(host)) {
    throw new ApiError(403, `Host: expected ${names.join(' or ')}, got ${JSON.stringify(host ?? '')}.`, {
      code: 'invalid_host',
    });
  }
  if (headers.origin !== undefined || (headers['sec-fetch-site'] ?? 'none') !== 'none') {
    throw new ApiError(403, 'Origin: expected a program, got a page in a browser, which this server does not answer.', {
      code: 'invalid_origin',
    });
  }
  const given = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  if (given !== undefined && isSame(given, key)) return;
  const got = given === undefined ? 'none' : 'another';
  throw new ApiError(
    401,
    `Authorization: expected "Bearer" and the key that the server said when it started, got ${got}.`,
    {
      code: 'invalid_api_key',
      headers: { 'www-authenticate': 'Bearer' },
    },
  );
}

/** In a time that says nothing about how much of it is right. */
function isSame(given: string, key: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(key));
}

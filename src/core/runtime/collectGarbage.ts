/** @file Gives back the JavaScript memory that loading a model left behind, before the long part of a run begins. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Collects at once what the collector would leave for later: graphs as they were built and the text of a tokenizer are
 * tens of megabytes, and a run that then works on tensors alone would never make it look.
 */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('globalThis.gc');
  if (typeof collect === 'function') collect();
}

/** @file What both kinds of completion have in common in a request: decoding settings, and what is refused because it would be left out silently. */
import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { type ApiError, refuseParameter } from './apiError.ts';

const maxChoices = 16;
const maxStops = 16;

const stopText = z.string().min(1).max(1000);

/** Fields that mean the same for both; null is as good as absent. */
export const answerShape = {
  model: z.string().min(1),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  seed: z.number().int().nullish(),
  n: z.number().int().min(1).max(maxChoices).nullish(),
  stop: z.union([stopText, z.array(stopText).max(maxStops)]).nullish(),
};

/** Neutral values pass: many clients send them with every request. */
export const refusedShape = {
  presence_penalty: z.number().nullish(),
  frequency_penalty: z.number().nullish(),
  logit_bias: z.record(z.string(), z.unknown()).nullish(),
};

export interface AskedDecoding {
  readonly temperature: number;
  readonly topP: number;
  readonly seed: number;
  readonly stop: readonly string[];
  readonly choices: number;
  readonly isStreamed: boolean;
  readonly tellsUsage: boolean;
}

const answerSchema = z.object(answerShape);
const refusedSchema = z.object(refusedShape);

export function readDecoding(asked: z.infer<typeof answerSchema>, defaultTemperature: number): AskedDecoding {
  return {
    temperature: asked.temperature ?? defaultTemperature,
    topP: Math.max(asked.top_p ?? 1, 1e-6), // at 0 the likeliest token alone is left
    seed: asked.seed ?? randomInt(2 ** 32),
    stop: asked.stop === undefined || asked.stop === null ? [] : [asked.stop].flat(),
    choices: asked.n ?? 1,
    isStreamed: asked.stream ?? false,
    tellsUsage: asked.stream_options?.include_usage ?? false,
  };
}

/** @throws ApiError 400 */
export function refuseUnsupported(asked: z.infer<typeof refusedSchema>): void {
  for (const name of ['presence_penalty', 'frequency_penalty'] as const) {
    if ((asked[name] ?? 0) !== 0) throw unsupported(name, `expected 0, got ${asked[name]}`);
  }
  if (Object.keys(asked.logit_bias ?? {}).length > 0) throw unsupported('logit_bias', 'expected none, got some');
}

export function unsupported(param: string, message: string): ApiError {
  return refuseParameter(param, `${message}; this server does not support it.`, 'unsupported_parameter');
}

/** @throws ApiError 400 that names the field */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const param = issue.path.map((part, i) =>
    typeof part === 'number' ? `[${part}]` : `${i > 0 ? '.' : ''}${String(part)}`,
  );
  throw refuseParameter(param.join('') || 'body', `${issue.message}.`, 'invalid_value');
}

/** @file The first rows of a file -> the mapping that reads them best, why, and what else would fit. */
import { TuneError } from '../../../shared/errors.ts';
import type { Mapping } from '../../../shared/recipe.ts';
import { describeMapping, type MappingDetection } from './mapping.ts';
import { mapRow } from './mapRow.ts';
import { isFields } from './rowReport.ts';

/** Rows that are looked at. */
export const sampledRows = 200;

export interface SampledRow {
  readonly line: number;
  readonly value: unknown;
}

type Slots = Readonly<Record<string, readonly string[]>>;

/** Field names that are taken for each slot, the usual one first; most telling kinds first. Compared without case. */
const patterns: readonly { kind: Mapping['kind']; required: Slots; optional: Slots; reason: string }[] = [
  {
    kind: 'instruction',
    required: { instruction: ['instruction'], output: ['output', 'response', 'answer', 'completion'] },
    optional: { input: ['input', 'context'], system: ['system', 'system_prompt'], history: ['history'] },
    reason: 'an instruction and an output (Alpaca)',
  },
  {
    kind: 'promptCompletion',
    required: { prompt: ['prompt'], completion: ['completion', 'response', 'output', 'answer'] },
    optional: { system: ['system', 'system_prompt'] },
    reason: 'a prompt and a completion',
  },
  {
    kind: 'questionAnswer',
    required: {
      question: ['question', 'query', 'q', 'user', 'input'],
      answer: ['answer', 'response', 'reference_answer', 'a', 'assistant', 'output', 'completion'],
    },
    optional: { system: ['system', 'system_prompt'] },
    reason: 'a question and an answer',
  },
  {
    kind: 'text',
    required: { text: ['text', 'content', 'document', 'body'] },
    optional: {},
    reason: 'running text without questions',
  },
];

/** Of preferences; before lists of messages, which its fields may hold. */
const preferencePattern: { readonly required: Slots; readonly optional: Slots } = {
  required: { chosen: ['chosen'], rejected: ['rejected'] },
  optional: {
    prompt: ['prompt', 'question', 'instruction', 'query', 'input'],
    system: ['system', 'system_prompt'],
  },
};

/**
 * The best mapping for the rows.
 * @throws TuneError `dataset-invalid` when no known shape is seen, naming the fields that are there.
 */
export function detectMapping(file: string, rows: readonly SampledRow[]): MappingDetection {
  const candidates = findCandidates(rows)
    .map(({ mapping, reason }) => ({ mapping, reason, confidence: shareRead(file, rows, mapping) }))
    .map((candidate, order) => ({ candidate, order }))
    // A mapping that reads nearly as many rows and is more telling wins.
    .sort((a, b) => Math.round(10 * (b.candidate.confidence - a.candidate.confidence)) || a.order - b.order)
    .map(({ candidate }) => candidate);
  const [best, ...alternatives] = candidates;
  if (best === undefined) throw noMapping(file, rows);
  return { ...best, isChosen: false, alternatives };
}

/** A mapping the user gave, with what the detection would have said beside it. */
export function useMapping(file: string, rows: readonly SampledRow[], mapping: Mapping): MappingDetection {
  const alternatives = findCandidates(rows)
    .filter(candidate => describeMapping(candidate.mapping) !== describeMapping(mapping))
    .map(candidate => ({ ...candidate, confidence: shareRead(file, rows, candidate.mapping) }));
  return { mapping, confidence: shareRead(file, rows, mapping), reason: 'chosen by you', isChosen: true, alternatives };
}

/** The field names of the rows, in the order in which they first appear. */
export function listFields(rows: readonly SampledRow[]): string[] {
  const names = new Set<string>();
  for (const { value } of rows) if (isFields(value)) for (const name of Object.keys(value)) names.add(name);
  return [...names];
}

function findCandidates(rows: readonly SampledRow[]): { mapping: Mapping; reason: string }[] {
  const names = listFields(rows);
  const found: { mapping: Mapping; reason: string }[] = [];
  const pair = matchSlots(names, preferencePattern.required, true);
  if (pair !== undefined) {
    const free = names.filter(name => !Object.values(pair).includes(name));
    const fields = { ...pair, ...matchSlots(free, preferencePattern.optional, false) };
    found.push({ mapping: { kind: 'preference', fields }, reason: 'a chosen and a rejected answer (preferences)' });
  }
  for (const name of names) {
    const kind = findListKind(rows, name);
    if (kind === undefined || ['prompt', 'completion'].includes(name.toLowerCase())) continue;
    const seen = kind === 'messages' ? 'role and content' : 'from and value (ShareGPT)';
    const system = kind === 'conversations' && names.includes('system') ? { system: 'system' } : {};
    found.push({
      mapping: { kind, fields: { [kind]: name, ...system } },
      reason: `"${name}" holds lists of messages with ${seen}`,
    });
  }
  for (const { kind, required, optional, reason } of patterns) {
    const fields = matchSlots(names, required, true);
    if (fields === undefined) continue;
    const free = names.filter(name => !Object.values(fields).includes(name));
    const more = matchSlots(free, optional, false);
    const all = { ...fields, ...more };
    const listed = Object.values(all).map(name => `"${name}"`);
    found.push({ mapping: { kind, fields: all }, reason: `${listed.join(', ')} look like ${reason}` });
  }
  return found;
}

/** What kind of message list the rows keep under `name`, judged by the first row that has one. */
function findListKind(rows: readonly SampledRow[], name: string): 'messages' | 'conversations' | undefined {
  for (const { value } of rows) {
    const held = isFields(value) && Object.hasOwn(value, name) ? value[name] : undefined;
    const first = Array.isArray(held) ? held[0] : undefined;
    if (isFields(first)) {
      if ('role' in first && ('content' in first || 'tool_calls' in first)) return 'messages';
      if ('from' in first && 'value' in first) return 'conversations';
      return undefined;
    }
    if (typeof held === 'string' && /^\s*\[\s*\{\s*"(?:role|content)"/.test(held)) return 'messages';
    if (typeof held === 'string' && /^\s*\[\s*\{\s*"(?:from|value)"/.test(held)) return 'conversations';
  }
  return undefined;
}

function matchSlots(names: readonly string[], slots: Slots, isRequired: boolean): Record<string, string> | undefined {
  const fields: Record<string, string> = {};
  for (const [slot, wanted] of Object.entries(slots)) {
    const match = wanted
      .map(want => names.find(name => name.toLowerCase() === want && !Object.values(fields).includes(name)))
      .find(name => name !== undefined);
    if (match !== undefined) fields[slot] = match;
    else if (isRequired) return undefined;
  }
  return fields;
}

/** Share of the rows that the mapping reads. */
export function shareRead(file: string, rows: readonly SampledRow[], mapping: Mapping): number {
  const read = rows.filter(({ line, value }) => mapRow(file, line, value, mapping).example !== undefined);
  return read.length / rows.length;
}

const answerless = ['question', 'query', 'prompt', 'instruction', 'input', 'queries'];

function noMapping(file: string, rows: readonly SampledRow[]): TuneError {
  const names = listFields(rows);
  const line = rows[0]?.line;
  const got = names.length === 0 ? 'rows without fields' : `the fields ${names.slice(0, 12).join(', ')}`;
  const isAnswerless = names.some(name => answerless.includes(name.toLowerCase()));
  const expected = isAnswerless
    ? 'an answer for the model to learn beside each question (assistant text)'
    : 'messages, conversations, instruction/output, prompt/completion, question/answer, prompt/chosen/rejected or text';
  return new TuneError('dataset-invalid', `${file}:${line}: expected ${expected}, got ${got}`, {
    file,
    line,
    hint: 'Rename the fields, or give the mapping yourself, for example questionAnswer with question and answer set to your field names.',
  });
}

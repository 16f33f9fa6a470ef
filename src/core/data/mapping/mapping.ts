/** @file What is said about a mapping, and a mapping read from text. */
import { TuneError } from '../../../shared/errors.ts';
import { mappingSlots } from '../../../shared/mappingSlots.ts';
import type { Mapping } from '../../../shared/recipe.ts';

/** One way to read a file, with the share of sampled rows (0..1) that it reads without an error. */
export interface MappingCandidate {
  readonly mapping: Mapping;
  readonly confidence: number;
  /** For people: what was seen in the rows. */
  readonly reason: string;
}

/** The mapping taken for a file and what else would have fitted. */
export interface MappingDetection extends MappingCandidate {
  /** True when the user overrode the detection. */
  readonly isChosen: boolean;
  readonly alternatives: readonly MappingCandidate[];
}

interface MappingSlots {
  readonly required: readonly string[];
  readonly optional: readonly string[];
  readonly rare?: readonly string[];
}

/** One line for people: `questionAnswer (question: "question", answer: "answer")`. */
export function describeMapping(mapping: Mapping): string {
  const fields = Object.entries(mapping.fields).map(([slot, field]) => `${slot}: "${field}"`);
  return `${mapping.kind} (${fields.join(', ')})`;
}

/**
 * The mapping itself when its slots fit its kind. A slot left out that is named like a field takes that name.
 * @throws TuneError `usage` for a slot that is missing or unknown.
 */
export function completeMapping({ kind, fields }: Mapping): Mapping {
  const slots: MappingSlots = mappingSlots[kind];
  const { required, optional } = slots;
  const known: readonly string[] = [...required, ...optional, ...(slots.rare ?? [])];
  const unknown = Object.keys(fields).find(slot => !known.includes(slot));
  if (unknown !== undefined) {
    throw new TuneError('usage', `mapping ${kind}: expected one of ${known.join(', ')}, got "${unknown}"`, {
      hint: `Name the file's field for each of: ${required.join(', ')}.`,
    });
  }
  const defaults = Object.fromEntries(required.map(slot => [slot, slot]));
  return { kind, fields: { ...defaults, ...fields } };
}

/**
 * A mapping from one line of text: `questionAnswer` or `questionAnswer:question=Frage,answer=Antwort`.
 * @throws TuneError `usage`
 */
export function parseMapping(text: string): Mapping {
  const [kind = '', list = ''] = text.split(/:(.*)/s);
  if (!Object.hasOwn(mappingSlots, kind)) {
    const kinds = Object.keys(mappingSlots).join(', ');
    throw new TuneError('usage', `mapping: expected one of ${kinds}, got "${kind}"`, {
      hint: 'For example questionAnswer:question=Frage,answer=Antwort',
    });
  }
  const fields: Record<string, string> = {};
  for (const part of list.split(',').filter(part => part !== '')) {
    const [slot, field] = part.split(/=(.*)/s);
    if (!slot || !field) {
      throw new TuneError('usage', `mapping ${kind}: expected slot=field, got "${part}"`, {
        hint: 'For example questionAnswer:question=Frage,answer=Antwort',
      });
    }
    fields[slot.trim()] = field.trim();
  }
  return completeMapping({ kind: kind as Mapping['kind'], fields });
}

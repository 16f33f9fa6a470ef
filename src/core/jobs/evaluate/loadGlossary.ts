/** @file Where an evaluation's terms come from -> the glossary: a file with one a line (spellings apart by |), or fields of the dataset. */
import { readFileSync, statSync } from 'node:fs';
import { TuneError } from '../../../shared/errors.ts';
import type { EvaluationRequest } from '../../../shared/evaluation.ts';
import { readFieldValues } from '../../data/readFieldValues.ts';
import { Glossary } from '../../judge/termAccuracy.ts';
import type { EvaluatedData } from './evaluatedRows.ts';

const maxGlossaryBytes = 64 * 1024 * 1024;

/** Null where none was asked for. @throws TuneError `usage` when it holds no term; AbortError */
export async function loadGlossary(
  { glossary: source }: Pick<EvaluationRequest, 'glossary'>,
  { datasets }: Pick<EvaluatedData, 'datasets'>,
  signal: AbortSignal,
): Promise<Glossary | null> {
  if (source === null) return null;
  const terms: string[][] = [];
  if (source.kind === 'file') terms.push(...readTermFile(source.path));
  else {
    for (const { path, encoding } of datasets) {
      for (const value of await readFieldValues(path, source.fields, { encoding, signal })) terms.push([value]);
    }
  }
  const glossary = new Glossary(terms);
  if (glossary.size > 0) return glossary;
  const where = source.kind === 'file' ? source.path : source.fields.join(', ');
  throw new TuneError('usage', `glossary ${where}: expected at least one term, got none`, {
    hint: 'Write one term a line; other spellings of it behind a | on the same line.',
  });
}

function readTermFile(path: string): string[][] {
  try {
    const { size } = statSync(path);
    if (size > maxGlossaryBytes) throw new Error(`${size} bytes`);
    return readFileSync(path, 'utf8')
      .split(/\r?\n/)
      .map(line => line.replace(/^\uFEFF/, '').trim())
      .filter(line => line !== '' && !line.startsWith('#'))
      .map(line => line.split('|').map(spelling => spelling.trim()));
  } catch (error) {
    const got = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw new TuneError('usage', `glossary ${path}: expected a text file of terms, got ${got}`, { file: path });
  }
}

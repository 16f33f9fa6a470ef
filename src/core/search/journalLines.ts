/**
 * @file One operation of Optuna's journal <-> one line of JSON. Python writes bare NaN and Infinity, which JSON does not
 * know: they are read, and written where a number is one.
 */
export type JournalOperation = { readonly op_code: number; readonly worker_id: string } & Readonly<
  Record<string, unknown>
>;

export const operationCodes = {
  createStudy: 0,
  deleteStudy: 1,
  studyUserAttribute: 2,
  studySystemAttribute: 3,
  createTrial: 4,
  parameter: 5,
  state: 6,
  intermediate: 7,
  trialUserAttribute: 8,
  trialSystemAttribute: 9,
} as const;

/** No text of a journal begins like this. */
const mark = '\u0000bare:';
const bareNumbers: Readonly<Record<string, number>> = { NaN: Number.NaN, Infinity, '-Infinity': -Infinity };

export function printOperation(operation: JournalOperation): string {
  const text = JSON.stringify(operation, (_, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? `${mark}${value}` : value,
  );
  return text.replaceAll(/"\\u0000bare:(NaN|-?Infinity)"/g, '$1');
}

/** Undefined for a line that is none. */
export function parseOperation(line: string): JournalOperation | undefined {
  // Texts are stepped over, so that a NaN in one of them stays.
  const marked = line.replaceAll(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, token =>
    token.startsWith('"') ? token : JSON.stringify(mark + token),
  );
  let value: unknown;
  try {
    value = JSON.parse(marked, (_, entry: unknown) =>
      typeof entry === 'string' && entry.startsWith(mark) ? (bareNumbers[entry.slice(mark.length)] ?? entry) : entry,
    );
  } catch {
    return undefined;
  }
  const operation = value as Partial<JournalOperation> | null;
  return typeof operation?.op_code === 'number' && typeof operation.worker_id === 'string'
    ? (operation as JournalOperation)
    : undefined;
}

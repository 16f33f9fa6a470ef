/** Recorded snapshots of the dataset page, by the state they show. */
import type { DatasetState } from '../../../src/shared/pages.ts';

const path = '/home/user/project/data/museum.jsonl';
const longPath = `/home/user/${'a-very-long-folder-name/'.repeat(6)}${'questions-and-answers-of-the-museum-'.repeat(4)}.jsonl`;

const inspection: NonNullable<DatasetState['inspection']> = {
  path,
  fileBytes: 84_213,
  format: 'jsonl',
  encoding: 'UTF-8',
  fileCount: 1,
  mapping: { kind: 'questionAnswer', fields: { question: 'question', answer: 'answer' } },
  mappingChosen: false,
  mappingReason: 'every row has question and answer',
  fields: ['question', 'answer'],
  rows: 533,
  usableRows: 533,
  problemCount: 0,
  problems: [],
  firstRows: [],
  tokens: { total: 41_233, supervised: 18_920, longestRow: 611, rowsOverContext: 3 },
  model: null,
};

const lengths: NonNullable<DatasetState['lengths']> = {
  model: 'tiny',
  contextTokens: 512,
  edges: Array.from({ length: 25 }, (_, i) => i * 26),
  counts: [4, 31, 88, 120, 96, 70, 44, 30, 18, 10, 6, 4, 3, 2, 1, 1, 1, 1, 0, 0, 1, 0, 1, 1],
};

const checks: NonNullable<DatasetState['checks']> = {
  rows: 533,
  checks: [
    {
      check: 'nearDuplicate',
      count: 24,
      step: 'dropNearDuplicates',
      findings: [3, 9, 40].map(line => ({
        check: 'nearDuplicate' as const,
        file: path,
        line,
        message: `${path}:${line}: expected rows that differ, got a row 91 % equal as line ${line - 1}`,
        relatedLine: line - 1,
      })),
    },
    {
      check: 'personalData',
      count: 1,
      step: 'maskPersonalData',
      findings: [
        {
          check: 'personalData',
          file: path,
          line: 77,
          message: `${path}:77: expected no personal data, got personal data (email)`,
          relatedLine: null,
        },
      ],
    },
  ],
  languages: { en: 520, de: 8, fr: 5 },
  mainLanguage: 'en',
};

const row = (n: number): NonNullable<DatasetState['review']>['rows'][number] => ({
  key: n.toString(16).padStart(16, '0'),
  file: path,
  line: n + 1,
  state: 'pending',
  reviewer: '',
  note: '',
  messages: [
    { role: 'user', content: `Which soup is there on day ${n}?` },
    { role: 'assistant', content: `On day ${n} there is carrot soup.` },
  ],
});

const review: NonNullable<DatasetState['review']> = {
  counts: { rows: 533, accepted: 12, edited: 2, rejected: 5, pending: 514, orphaned: 1 },
  state: 'pending',
  offset: 0,
  total: 514,
  rows: Array.from({ length: 20 }, (_, n) => row(n)),
};

const whole = {
  path,
  name: 'museum.jsonl',
  inspection,
  lengths,
  checks,
  review,
  busy: null,
  error: null,
} satisfies DatasetState;

export const datasetSnapshots = {
  whole,
  reading: { ...whole, inspection: null, lengths: null, checks: null, review: null, busy: 'Reading' },
  unchecked: { ...whole, checks: null },
  clean: { ...whole, checks: { ...checks, checks: [] } },
  broken: {
    ...whole,
    inspection: {
      ...inspection,
      usableRows: 531,
      problemCount: 2,
      problems: [
        {
          file: path,
          line: 4,
          code: 'json-invalid',
          message: `${path}:4: expected JSON, got "{"`,
          fix: 'Mend the line.',
        },
      ],
    },
  },
  unreadable: {
    ...whole,
    inspection: null,
    lengths: null,
    checks: null,
    review: null,
    error: {
      code: 'dataset-empty',
      message: `${path}: expected at least one row, got none`,
      hint: 'Add rows, one a line.',
      file: path,
      line: 1,
    },
  },
  reviewed: {
    ...whole,
    review: {
      ...review,
      state: 'reject',
      total: 1,
      rows: [{ ...row(3), state: 'reject', reviewer: 'ada', note: 'there is no soup on that day' }],
    },
  },
  nothingPending: { ...whole, review: { ...review, total: 0, rows: [] } },
  long: {
    ...whole,
    path: longPath,
    name: longPath.split('/').at(-1)!,
    inspection: { ...inspection, rows: 18_234_111, usableRows: 18_234_111, fileBytes: 2_147_483_648 },
    review: {
      ...review,
      rows: [{ ...row(1), messages: [{ role: 'text', content: 'averylongword'.repeat(60) }] }],
    },
  },
} satisfies Record<string, DatasetState>;

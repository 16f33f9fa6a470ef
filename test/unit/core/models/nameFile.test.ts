import { describe, expect, it } from 'vitest';
import { nameFile } from '../../../../src/core/models/nameFile.ts';
import { TuneError } from '../../../../src/shared/errors.ts';

const failing = (error: unknown) => () => {
  throw error;
};
const caught = (error: unknown): unknown => {
  try {
    return nameFile('/models/a', failing(error));
  } catch (seen) {
    return seen;
  }
};

describe('nameFile', () => {
  it('puts the place in front of an error that names none, code and hint kept', () => {
    const error = caught(new TuneError('model-invalid', 'config.json: expected heads, got 0', { hint: 'Again.' }));
    expect(error).toMatchObject({
      code: 'model-invalid',
      message: '/models/a: config.json: expected heads, got 0',
      hint: 'Again.',
      file: '/models/a',
    });
  });

  it.each([
    ['an error that names its file', new TuneError('dataset-invalid', '/rows:3: wrong', { file: '/rows', line: 3 })],
    ['a bug', new RangeError('internal')],
  ])('leaves %s as it is', (_, error) => {
    expect(caught(error)).toBe(error);
  });

  it('gives what the work gives', () => {
    expect(nameFile('/models/a', () => 7)).toBe(7);
  });
});

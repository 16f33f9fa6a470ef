import { describe, expect, it } from 'vitest';
import { findStepType, multipliesExactly } from '../../../../src/core/train/findStepType.ts';

describe('findStepType', () => {
  it('takes signed weights exactly where their products do not overflow', async () => {
    expect(await findStepType()).toBe((await multipliesExactly('int8')) ? 'int8' : 'uint8');
  });

  it('finds unsigned weights exact on every machine', async () => {
    expect(await multipliesExactly('uint8')).toBe(true);
  });
});

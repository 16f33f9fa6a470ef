import { describe, expect, it } from 'vitest';
import { explainUnsupported } from '../../../../src/host/processes/platformSupport.ts';

describe('explainUnsupported', () => {
  it.each([
    ['linux', 'x64'],
    ['linux', 'arm64'],
    ['win32', 'x64'],
    ['win32', 'arm64'],
    ['darwin', 'arm64'],
  ])('has nothing to say on %s-%s', (platform, arch) =>
    expect(explainUnsupported({ platform, arch, isMusl: false })).toBeUndefined(),
  );

  it.each([
    ['darwin', 'x64', false],
    ['linux', 'x64', true],
    ['linux', 'ia32', false],
  ])('says on %s-%s (musl: %s) what does not work and what does', (platform, arch, isMusl) => {
    const error = explainUnsupported({ platform, arch, isMusl });
    expect(error?.code).toBe('unsupported-platform');
    expect(error?.hint).toMatch(/Reading and checking datasets/);
  });
});

import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeMissingSwiftShader, findSwiftShader } from '../../../src/tools/swiftShader.mjs';

describe('findSwiftShader', () => {
  it('names a driver that is there, in a folder of the loader, or nothing', () => {
    const found = findSwiftShader();
    if (found?.VK_ICD_FILENAMES !== undefined) {
      expect(existsSync(found.VK_ICD_FILENAMES)).toBe(true);
      expect(found.LD_LIBRARY_PATH?.split(':')).toContain(dirname(found.VK_ICD_FILENAMES));
    } else expect(found ?? {}).toEqual({});
    expect(describeMissingSwiftShader()).toContain('chromium');
  });
});

import { describe, expect, it } from 'vitest';
import { listPackagedTargets, nativeFiles } from '../../../src/tools/nativeRuntime.mjs';

describe('nativeFiles', () => {
  it('names exactly the targets that the installed onnxruntime-node has binaries for', () => {
    expect(Object.keys(nativeFiles).sort()).toEqual(listPackagedTargets());
  });
});

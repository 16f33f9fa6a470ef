import { describe, expect, it } from 'vitest';
import { listPackageFolders, writeNotices } from '../../../src/tools/thirdPartyNotices.mjs';

describe('listPackageFolders', () => {
  it('finds scoped and nested packages, each once', () => {
    const inputs = [
      'src/cli/main.ts',
      'node_modules/zod/v4/core.js',
      'node_modules/zod/index.js',
      'node_modules/@huggingface/jinja/dist/index.js',
      'node_modules/a/node_modules/@b/c/d.js',
    ];
    expect(listPackageFolders(inputs)).toEqual([
      'node_modules/@huggingface/jinja',
      'node_modules/a/node_modules/@b/c',
      'node_modules/zod',
    ]);
  });
});

describe('writeNotices', () => {
  it('carries the licence text of a bundled package, and names the native runtime', () => {
    const notices = writeNotices(['node_modules/zod/index.js']);
    expect(notices).toMatch(/^zod \d.*\(MIT\)$/m);
    expect(notices).toContain('Permission is hereby granted');
    expect(notices).toMatch(/^onnxruntime-node 1\.30\./m);
  });
});

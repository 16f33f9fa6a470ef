import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../../src/tools/paths.mjs';
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

  it('names the file with the licences inside the native runtime, of the version that is installed', () => {
    const [file] = writeNotices([]).match(/media\/notices\/onnxruntime-[\d.]+\.txt/)!;
    const text = readFileSync(join(root, file!), 'utf8');
    expect(text).toMatch(/^MIT License\n\nCopyright \(c\) Microsoft Corporation/);
    for (const part of ['THIRD PARTY SOFTWARE NOTICES', 'protobuf', 'Eigen', 'dawn']) expect(text).toContain(part);
  });

  it('gives the terms and the holder where a package ships no licence file', () => {
    const own = writeNotices([]).split(/^-+$/m);
    expect(own).toHaveLength(2); // the native runtime's two packages
    for (const notice of own) {
      expect(notice).toContain('Copyright (c) Microsoft Corporation');
      expect(notice).toContain('Permission is hereby granted');
    }
  });
});

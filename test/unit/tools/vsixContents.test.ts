import { describe, expect, it } from 'vitest';
import { nativeFiles, nativeFolder } from '../../../src/tools/nativeRuntime.mjs';
import { findContentProblems, maximumVsixBytes } from '../../../src/tools/vsixContents.mjs';

const runtime = 'extension/dist/native/onnxruntime-node';
const target = 'darwin-arm64';
const native = `${runtime}/${nativeFolder(target)}`;
const manifest = { main: './dist/extension.cjs', icon: 'media/icon.png', contributes: {} };

function packageWith(extra: Record<string, string> = {}, without: string[] = []) {
  const files: Record<string, string> = {
    'extension.vsixmanifest': '',
    '[Content_Types].xml': '',
    'extension/package.json': JSON.stringify(manifest),
    'extension/readme.md': '',
    'extension/media/icon.png': '',
    'extension/media/notices/onnxruntime-1.30.0.txt': '',
    'extension/dist/extension.cjs': '',
    [`${runtime}/package.json`]: '{}',
    [`${runtime}/dist/index.js`]: '',
    [`${runtime}/node_modules/onnxruntime-common/dist/cjs/index.js`]: '',
    ...Object.fromEntries((nativeFiles[target] ?? []).map(file => [`${native}/${file}`, ''])),
    ...extra,
  };
  for (const path of without) delete files[path];
  return Object.entries(files).map(([path, text]) => ({ path, bytes: text.length, read: () => Buffer.from(text) }));
}

describe('findContentProblems', () => {
  it('finds nothing wrong with what should ship', () => {
    expect(findContentProblems(target, packageWith(), 1000)).toEqual([]);
  });

  it.each([
    'extension/dist/cli.js.map',
    'extension/test/unit/a.test.ts',
    'extension/src/extension.ts',
    'extension/.npmrc',
    'extension/node_modules/onnxruntime-node/package.json',
    `${native}/libonnxruntime.1.30.0.dylib`,
    `${runtime}/bin/napi-v6/linux/x64/libonnxruntime.so.1`,
    'extension/dist/../secrets.json',
  ])('refuses %s', path => {
    expect(findContentProblems(target, packageWith({ [path]: '' }), 1000)).toEqual([
      `${path}: not on the list of what ships`,
    ]);
  });

  it('misses a native file of the target', () => {
    const path = `${native}/libonnxruntime.1.dylib`;
    expect(findContentProblems(target, packageWith({}, [path]), 1000)).toEqual([`${path}: missing`]);
  });

  it('misses the licences of the code inside the native library', () => {
    const without = packageWith({}, ['extension/media/notices/onnxruntime-1.30.0.txt']);
    expect(findContentProblems(target, without, 1000)).toEqual(["the notices of ONNX Runtime's library: missing"]);
  });

  it('misses the program and the pictures that the manifest names, however deep', () => {
    const contributes = { walkthroughs: [{ steps: [{ media: { image: './media/walkthrough/start.svg' } }] }] };
    const named = packageWith({ 'extension/package.json': JSON.stringify({ ...manifest, contributes }) }, [
      'extension/dist/extension.cjs',
    ]);
    expect(findContentProblems(target, named, 1000)).toEqual([
      'extension/dist/extension.cjs: missing',
      'extension/media/walkthrough/start.svg: missing',
    ]);
  });

  it('refuses a script that names a source map', () => {
    const script = 'run();\n//# sourceMappingURL=cli.js.map\n';
    expect(findContentProblems(target, packageWith({ 'extension/dist/cli.js': script }), 1000)).toEqual([
      'extension/dist/cli.js: names a source map',
    ]);
  });

  it('refuses a package that is too large, and says both sizes', () => {
    const [problem] = findContentProblems(target, packageWith(), maximumVsixBytes);
    expect(problem).toContain(`expected fewer than ${maximumVsixBytes}`);
  });
});

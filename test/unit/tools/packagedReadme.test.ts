import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writePackagedReadme } from '../../../src/tools/packagedReadme.mjs';

const root = resolve(import.meta.dirname, '../../..');
const bytes = Buffer.from([1, 2, 3]);

describe('writePackagedReadme', () => {
  it('brings the light picture as data', () => {
    const text =
      'Before\n<picture>\n<source media="(prefers-color-scheme: dark)" srcset="a-dark.png">\n<img alt="A run" src="a-light.png">\n</picture>\nAfter';
    expect(writePackagedReadme(text, () => bytes)).toBe('Before\n![A run](data:image/png;base64,AQID)\nAfter');
  });

  it('keeps web links and anchors, and makes relative links plain text', () => {
    const text = '[LICENSE](LICENSE), [house](docs/a.md#b), [web](https://example.org/), [below](#tests)';
    expect(writePackagedReadme(text, () => bytes)).toBe('LICENSE, house, [web](https://example.org/), [below](#tests)');
  });

  it('leaves nothing relative in the README of the repository', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    const packaged = writePackagedReadme(readme, path => readFileSync(join(root, path)));
    expect(packaged).toContain('](data:image/png;base64,');
    expect(packaged).not.toMatch(/media\/pictures|<picture>|\]\((?![a-z]+:|#)/);
  });
});

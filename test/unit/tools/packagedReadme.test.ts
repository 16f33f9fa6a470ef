import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writePackagedReadme } from '../../../src/tools/packagedReadme.mjs';

const root = resolve(import.meta.dirname, '../../..');

describe('writePackagedReadme', () => {
  it('leaves out what stands between the marks for pictures', () => {
    const text = 'Before\n\n<!-- pictures: begin -->\n<img alt="A run" src="a.png">\n<!-- pictures: end -->\n\nAfter';
    expect(writePackagedReadme(text)).toBe('Before\n\nAfter');
  });

  it('keeps web links and anchors, and makes relative links plain text', () => {
    const text = '[LICENSE](LICENSE), [house](docs/a.md#b), [web](https://example.org/), [below](#tests)';
    expect(writePackagedReadme(text)).toBe('LICENSE, house, [web](https://example.org/), [below](#tests)');
  });

  it('leaves nothing relative in the README of the repository', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    expect(readme).toContain('media/pictures/');
    expect(writePackagedReadme(readme)).not.toMatch(/media\/pictures|<img|\]\((?![a-z]+:|#)/);
  });
});

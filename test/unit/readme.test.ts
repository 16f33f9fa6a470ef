/** README.md and docs/ say what the code does: the table of hyperparameters is drawn from the schema, and what they point to exists. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hyperparameterNames, hyperparameterTable, type Setting } from '../../src/shared/hyperparameters.ts';
import { suites } from '../../src/tools/suites.mjs';

const root = resolve(import.meta.dirname, '../..');
const file = join(root, 'docs/hyperparameters.md');
const guide = readdirSync(join(root, 'docs')).map(name => `docs/${name}`);
const [begin, end] = [/<!-- hyperparameters: begin.*-->\n/, '<!-- hyperparameters: end -->'] as const;

describe('README.md and docs', () => {
  it('has the table of hyperparameters of the schema (WRITE_README=1 writes it)', () => {
    const text = readFileSync(file, 'utf8');
    const start = begin.exec(text)!;
    const from = start.index + start[0].length;
    const to = text.indexOf(end);
    const table = writeTable();
    if (process.env.WRITE_README) writeFileSync(file, text.slice(0, from) + table + text.slice(to));
    else expect(text.slice(from, to)).toBe(table);
  });

  it('names every suite of npm test', () => {
    const text = readFileSync(join(root, 'README.md'), 'utf8');
    for (const { name } of suites) expect(text).toContain(`| \`${name}\` |`);
  });

  it('has every page of docs in the README', () => {
    const text = readFileSync(join(root, 'README.md'), 'utf8');
    for (const page of guide) expect(text).toContain(`](${page})`);
  });

  it.each(['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md', 'CHANGELOG.md', 'test/bench/README.md', ...guide])(
    '%s points to files that exist',
    page => {
      const text = readFileSync(join(root, page), 'utf8');
      const links = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)|(?:src|srcset)="([^"]+)"/g)].map(
        match => match[1] ?? match[2]!,
      );
      const missing = links.filter(link => !/^[a-z]+:/.test(link) && !existsSync(join(root, dirname(page), link)));
      expect(missing).toEqual([]);
    },
  );
});

function writeTable(): string {
  const rows = hyperparameterNames.map(name => {
    const setting: Setting = hyperparameterTable[name];
    return `| \`${name}\` | ${writeDefault(setting)} | ${writeValues(setting)} | ${setting.help} |`;
  });
  return ['| name | default | values | effect |', '|---|---|---|---|', ...rows, ''].join('\n');
}

function writeDefault(setting: Setting): string {
  if ('emptyText' in setting) return setting.emptyText;
  if (setting.kind === 'layers') return 'all';
  if (setting.kind === 'texts') return 'none';
  return String(setting.default);
}

function writeValues(setting: Setting): string {
  switch (setting.kind) {
    case 'number':
      return `${setting.min} to ${setting.max}`;
    case 'integer':
    case 'optionalInteger':
      return `whole, ${setting.min} to ${setting.max}`;
    case 'choice':
      return setting.choices.map(({ value }) => `\`${value}\``).join(', ');
    case 'flag':
      return '`true`, `false`';
    case 'layers':
      return 'names with commas, or `all`';
    case 'names':
      return `${setting.words}, with commas`;
    case 'texts':
      return 'one a line';
  }
}

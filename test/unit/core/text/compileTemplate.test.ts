import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileTemplate } from '../../../../src/core/text/compileTemplate.ts';
import { readGoldens } from './stockTemplates.ts';

const date = new Date('2024-07-26T00:00:00Z');
const messages = [
  { role: 'user', content: 'Q1' },
  { role: 'assistant', content: 'A1' },
  { role: 'user', content: 'Q2' },
  { role: 'assistant', content: 'A2' },
];
const snippets = JSON.parse(
  readFileSync(new URL('../../../fixtures/templates/snippets.json', import.meta.url), 'utf8'),
) as Record<string, string>;
const goldens = readGoldens().snippets!;
const render = (source: string) => compileTemplate(source, {}, date).render(messages, false);

describe('compileTemplate', () => {
  it.each(Object.entries(snippets))('renders the snippet %s as Jinja2 does', (name, source) => {
    const { text, generated } = render(source);
    expect(text).toBe(goldens[name]?.text);
    expect(generated.filter(span => span.end > span.start).map(span => [span.start, span.end])).toEqual(
      goldens[name]?.spans,
    );
  });

  it.each([
    ['counts for ever', '{% for a in range(999999) %}{% for b in range(999999) %}{% endfor %}{% endfor %}'],
    [
      'doubles a text',
      `{% set ns = namespace(t='xxxxxxxx') %}{% for i in range(60) %}{% set ns.t = ns.t ~ ns.t %}{% endfor %}`,
    ],
    [
      'doubles a list',
      '{% set ns = namespace(l=[1, 2]) %}{% for i in range(60) %}{% set ns.l = ns.l + ns.l %}{% endfor %}',
    ],
    ['asks for a huge range', '{{ range(1000000000) | length }}'],
    ['asks for an endless range', '{{ range(0, 10, 0) | length }}'],
    ['calls itself', '{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}'],
    ['calls what is not there', '{{ messages.nothing() }}'],
    ['adds to nothing', '{{ missing + 1 }}'],
  ])('ends a template that %s', (_, source) => {
    expect(() => render(source)).toThrow(
      expect.objectContaining({ code: 'template-invalid', hint: expect.any(String) }),
    );
  });

  it.each([
    ['is not Jinja', '{% for %}'],
    ['is longer than any template', 'x'.repeat(300_000)],
    ['holds a flood of white space', `{{ 1 }}${' '.repeat(100_000)}`],
    ['holds a noncharacter', 'a\uFDD0b'],
  ])('refuses a source that %s', (_, source) => {
    expect(() => compileTemplate(source, {}, date)).toThrow(expect.objectContaining({ code: 'template-invalid' }));
  });

  it('hides the host from the template', () => {
    expect(render('{{ messages.constructor }}{{ process }}{{ messages[0].__proto__ }}').text).toBe('');
  });

  it('renders the same text again from the same compiled template', () => {
    const compiled = compileTemplate(
      '{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}',
      {},
      date,
    );
    expect([compiled.render(messages, false).text, compiled.render(messages, false).text]).toEqual(['4', '4']);
  });
});

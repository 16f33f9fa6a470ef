import { describe, expect, it } from 'vitest';
import { TuneError } from '../../../../src/shared/errors.ts';
import { type Golden, loadTemplate, readConversations, readGoldens, templateNames } from './stockTemplates.ts';

const goldens = readGoldens();
const conversations = readConversations();
const origin = { file: 'rows.jsonl', line: 7 };

/** Templates whose prompts lack the header of the assistant's turn: ours end with it. */
const missingHeader: Record<string, string> = { 'chatml-headless': '<|im_start|>assistant\n' };

describe.each(templateNames)('the stock template %s', name => {
  const template = loadTemplate(name);
  const cases = Object.entries(conversations).map(([key, messages]) => ({
    key,
    messages,
    golden: goldens[name]?.[key] as Golden,
  }));

  it('has a golden for every conversation', () => {
    expect(Object.keys(goldens[name] ?? {}).sort()).toEqual(Object.keys(conversations).sort());
  });

  it.each(cases.filter(c => c.golden.refused === undefined))('renders $key as Jinja2 does', ({ messages, golden }) => {
    const { text, assistant } = template.render(messages, origin);
    expect(text).toBe(golden.text);
    expect(assistant.map(span => text.slice(span.start, span.end))).toEqual(
      golden.spans?.map(([start, end]) => text.slice(start, end)),
    );
    expect(assistant.map(span => [span.start, span.end])).toEqual(golden.spans);
    if (golden.prompt != null) {
      expect(template.renderPrompt(messages, origin)).toBe(golden.prompt + (missingHeader[name] ?? ''));
    }
  });

  it.each(cases.filter(c => c.golden.refused !== undefined))('refuses $key as Jinja2 does', ({ messages, golden }) => {
    const render = () => template.render(messages, origin);
    expect(render).toThrow(TuneError);
    expect(render).toThrow(expect.objectContaining({ code: 'dataset-invalid', ...origin, hint: expect.any(String) }));
    expect(render).toThrow(golden.refused);
  });
});

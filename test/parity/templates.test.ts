/** Chat templates and tokenizers against Python as it is installed now; the goldens in git are its answers of before. */
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openModel } from '../../src/core/models/openModel.ts';
import { createChatTemplate } from '../../src/core/text/chatTemplate.ts';
import { encodeSpans } from '../../src/core/text/encodeSpans.ts';
import { createTokenizer } from '../../src/core/text/tokenizer.ts';
import { readTokenizerGoldens } from '../unit/core/text/smallTokenizers.ts';
import { readConversations, readGoldens } from '../unit/core/text/stockTemplates.ts';

const python = process.env.TUNING_FORK_PYTHON;
const model = process.env.TUNING_FORK_MODEL;
const here = dirname(fileURLToPath(import.meta.url));

function runPython(script: string, parameters: string[] = [], input = ''): unknown {
  const run = spawnSync(python!, [script, ...parameters], { cwd: here, input, encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (run.status !== 0) throw new Error(`${script}: exit ${run.status}\n${run.stderr.slice(-2000)}`);
  return JSON.parse(run.stdout) as unknown;
}

describe.skipIf(!python)('the goldens of the text step', () => {
  it('are what Jinja2 renders now', () => {
    expect(runPython('templateGoldens.py')).toEqual(readGoldens());
  });
  it('are what the tokenizers give now', () => {
    expect(runPython('tokenizerGoldens.py')).toEqual(readTokenizerGoldens());
  });
});

describe.skipIf(!python || !model)('the tokenizer and template of a real GGUF model', () => {
  it('give the token ids and the prompt of transformers', async () => {
    const opened = await openModel(model!, { tinyFolder: here });
    const tokenizer = createTokenizer(opened.tokenizer);
    const template = createChatTemplate({
      config: opened.tokenizer.tokenizerConfig,
      specialTokens: [...tokenizer.specialTokens.keys()],
    });
    const conversations = Object.entries(readConversations()).filter(([, messages]) => messages.length > 1);
    const asked = Object.fromEntries(conversations.map(([name, list]) => [name, list.map(m => [m.role, m.content])]));
    const answered = runPython('templatesRealModel.py', [model!], JSON.stringify(asked)) as Record<
      string,
      { ids: number[]; promptIds: number[]; text: string }
    >;
    opened.close();
    for (const [name, messages] of conversations) {
      const { text } = template.render(messages);
      const expected = answered[name]!;
      expect({ name, ids: tokenizer.encode(text) }).toEqual({ name, ids: expected.ids });
      expect({ name, ids: tokenizer.encode(template.renderPrompt(messages.slice(0, -1))) }).toEqual({
        name,
        ids: expected.promptIds,
      });
      expect(tokenizer.decode(expected.ids)).toBe(expected.text);
      const { assistant } = template.render(messages);
      const { tokenIds, inSpan } = encodeSpans(tokenizer, text, assistant);
      const said = tokenizer.decode(
        tokenIds.filter((_, i) => inSpan[i] === 1),
        { keepSpecialTokens: true },
      );
      expect(said).toBe(assistant.map(span => text.slice(span.start, span.end)).join(''));
    }
  });
});

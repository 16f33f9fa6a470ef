import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exportTuned } from '../../../../../src/core/jobs/export/exportTuned.ts';
import { quoteForShell } from '../../../../../src/core/jobs/export/launchFiles.ts';
import { writeOllamaTemplate } from '../../../../../src/core/jobs/export/ollamaTemplate.ts';
import { createChatTemplate } from '../../../../../src/core/text/chatTemplate.ts';
import { temporaryFolder } from '../../../../support/temporaryFolder.ts';
import { writeTinyAdapter, writeTinyChatModel } from '../../../../support/tinyChatModel.ts';

type Turn = { role: 'system' | 'user' | 'assistant'; content: string };

/** As much of Go's templates as is used here. */
function renderGo(template: string, messages: readonly Turn[]): string {
  const js = template
    .split(/(\{\{.*?\}\})/s)
    .map((part, i, parts) => {
      const tag = /^\{\{-?\s*(.*?)\s*\}\}$/s.exec(part)?.[1];
      if (tag === undefined)
        return `out += ${JSON.stringify(parts[i + 1]?.startsWith('{{-') ? part.trimEnd() : part)};`;
      const test = /^(?:else )?if eq (\S+) (".*")$/.exec(tag);
      const value = (name: string): string => (name === '.Role' ? 'm.role' : 'last');
      if (test) return `${tag.startsWith('else') ? '} else ' : ''}if (${value(test[1]!)} === ${test[2]}) {`;
      if (tag === 'range .Messages') return 'for (const m of messages) {';
      if (tag === '$last := ""') return 'let last = "";';
      if (tag === '$last = .Role') return 'last = m.role;';
      if (tag === 'else') return '} else {';
      if (tag === 'end') return '}';
      return `out += ${tag === '.Content' ? 'm.content' : tag};`;
    })
    .join('\n');
  return new Function('messages', `let out = '';\n${js}\nreturn out;`)(messages) as string;
}

const chatMl =
  "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nBe kind.<|im_end|>\\n' }}{% endif %}{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
const mistral =
  "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}{{ '[INST] \"' + m['content'] + '\" [/INST]' }}{% elif m['role'] == 'assistant' %}{{ ' ' + m['content'] + eos_token }}{% else %}{{ raise_exception('no system') }}{% endif %}{% endfor %}";

describe('writeOllamaTemplate', () => {
  it.each([
    ['ChatML with a default system text', chatMl, ''],
    ['a template that refuses system messages and writes BOS', mistral, '<s>'],
    ['plain questions and answers', '', ''],
  ])('renders %s as Jinja does', (_, jinja, begin) => {
    const config = { bos_token: '<s>', eos_token: '</s>', ...(jinja === '' ? {} : { chat_template: jinja }) };
    const template = createChatTemplate({ config, specialTokens: ['<s>', '</s>'] });
    const go = writeOllamaTemplate(template, begin);
    expect(go).toBeDefined();
    const turns: Turn[] = ['user', 'assistant', 'user', 'assistant', 'user'].map((role, i) => {
      return { role: role as Turn['role'], content: `text "${i}"\nand more` };
    });
    const system: Turn = { role: 'system', content: 'You know  plants.' };
    for (const messages of jinja === mistral ? [turns, turns.slice(0, 1)] : [turns, [system, ...turns]]) {
      expect(begin + renderGo(go!, messages)).toBe(template.renderPrompt(messages));
    }
  });

  it('gives none where the text depends on more than the messages beside it', () => {
    const counting = "{% for m in messages %}{{ loop.index }}{{ m['content'] }}{% endfor %}";
    const template = createChatTemplate({ config: { chat_template: counting }, specialTokens: [] });
    expect(writeOllamaTemplate(template, '')).toBeUndefined();
  });
});

describe('makeLaunchFiles', () => {
  it('writes a Modelfile with template and every stop token, and scripts whose arguments arrive whole', async () => {
    const folder = join(temporaryFolder(), "it's a folder");
    mkdirSync(folder);
    const model = writeTinyChatModel(join(folder, 'base'));
    const adapter = writeTinyAdapter(join(folder, 'my "plants" & more'));
    const run = (format: 'gguf' | 'merged' | 'peft') =>
      exportTuned(
        { paths: [adapter], model, format, dtype: null, out: join(folder, format) },
        { models: { tinyFolder: '' } },
      );
    const gguf = await run('gguf');
    const modelfile = readFileSync(join(gguf.path, 'Modelfile'), 'utf8');
    expect(modelfile).toMatch(/^FROM \.\/my-plants-more-f16\.gguf\nTEMPLATE """\{\{- \$last/);
    expect(modelfile).toContain('PARAMETER stop "<|im_end|>"\nPARAMETER stop "<|eot_id|>"\n');
    const merged = await run('merged');
    const { vllm } = JSON.parse(readFileSync(join(merged.path, 'launch.json'), 'utf8'));
    expect(vllm.argv.slice(0, 5)).toEqual(['vllm', 'serve', '.', '--dtype', 'bfloat16']);
    const ends = JSON.parse(readFileSync(join(merged.path, 'generation_config.json'), 'utf8')).eos_token_id;
    expect(ends).toEqual([2, 3]);
    const programs = join(folder, 'programs');
    mkdirSync(programs);
    writeFileSync(join(programs, 'vllm'), '#!/bin/sh\npwd\nfor word in "$@"; do echo "$word"; done\n');
    chmodSync(join(programs, 'vllm'), 0o755);
    const env = { ...process.env, PATH: `${programs}${delimiter}${process.env.PATH}` };
    const said = execFileSync('sh', [join(merged.path, 'start-vllm.sh'), 'one more'], { env, encoding: 'utf8' });
    expect(said.trim().split('\n')).toEqual([merged.path, ...vllm.argv.slice(1), 'one more']);
    const { text } = merged.commands.find(({ label }) => label === 'vLLM')!;
    expect(execFileSync('sh', ['-c', text], { env, encoding: 'utf8' })).toBe(said.replace('one more\n', ''));
    const readme = readFileSync(join(merged.path, 'README.md'), 'utf8');
    expect(readme).toMatch(/library_name: transformers[\s\S]+## Check\n\nRun by Tuning Fork/);
    const peft = JSON.parse(readFileSync(join((await run('peft')).path, 'launch.json'), 'utf8'));
    expect(peft.vllm.argv).toContain('--enable-lora');
  });

  it("names the base without this machine's path, which a variable of the script gives", async () => {
    const folder = temporaryFolder();
    const model = writeTinyChatModel(join(folder, 'my base'));
    const adapter = writeTinyAdapter(join(folder, 'plants'));
    const config = join(adapter, 'adapter_config.json');
    const settings = JSON.parse(readFileSync(config, 'utf8'));
    writeFileSync(config, JSON.stringify({ ...settings, base_model_name_or_path: model }));
    const run = (format: 'gguf' | 'gguf-lora' | 'peft', base: string) =>
      exportTuned(
        { paths: [adapter], model: base, format, dtype: null, out: join(folder, format) },
        { models: { tinyFolder: '' } },
      );
    const programs = join(folder, 'programs');
    mkdirSync(programs);
    for (const name of ['vllm', 'llama-server']) {
      writeFileSync(join(programs, name), '#!/bin/sh\nfor word in "$@"; do echo "$word"; done\n');
      chmodSync(join(programs, name), 0o755);
    }
    const env = { ...process.env, PATH: `${programs}${delimiter}${process.env.PATH}` };
    const start = (script: string, more: NodeJS.ProcessEnv = {}) =>
      execFileSync(script, { env: { ...env, ...more }, encoding: 'utf8' }).split('\n');

    const peft = await run('peft', model);
    const script = join(peft.path, 'start-vllm.sh');
    expect(statSync(script).mode & 0o111).not.toBe(0);
    expect(start(script).slice(0, 2)).toEqual(['serve', 'my base']);
    expect(start(script, { BASE_MODEL: model }).slice(0, 2)).toEqual(['serve', model]);
    expect(peft.commands.find(({ label }) => label === 'vLLM')!.text).toContain(`serve '${model}'`);

    const gguf = await run('gguf', model);
    const file = readdirSync(gguf.path).find(name => name.endsWith('.gguf'))!;
    const lora = await run('gguf-lora', join(gguf.path, file));
    expect(start(join(lora.path, 'start-llama-server.sh')).slice(0, 2)).toEqual(['-m', file]);
    for (const { path } of [peft, lora]) {
      const named = readdirSync(path).filter(name => /^start-|^launch/.test(name));
      expect(named.length).toBeGreaterThan(1);
      for (const name of named) expect(readFileSync(join(path, name), 'utf8')).not.toContain(folder);
    }
    expect(readFileSync(join(lora.path, 'README.md'), 'utf8')).toMatch(
      /base_model: "my base"[\s\S]+llama-server -m plants/,
    );
  });

  it('quotes words for a shell', () => {
    expect(['plain-1', 'a b', "it's", '$HOME', ''].map(quoteForShell)).toEqual([
      'plain-1',
      "'a b'",
      "'it'\\''s'",
      "'$HOME'",
      "''",
    ]);
  });
});

/** @file An export -> README.md beside it: what it is, how it was checked, how it is started, and the numbers of its run. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';
import { type ExportCheck, type ExportFormat, type ExportType, exportFormats } from '../../../shared/exportFormats.ts';
import { type Launch, namePublicly, quoteForShell } from './launchFiles.ts';
import { slugOf, type TunedModel } from './openTuned.ts';

const libraries = {
  peft: 'peft',
  merged: 'transformers',
  gguf: 'gguf',
  'gguf-lora': 'gguf',
  onnx: 'transformers.js',
} as const satisfies Record<ExportFormat, string>;

export interface ReadmeFacts {
  readonly tuned: TunedModel;
  readonly format: ExportFormat;
  readonly dtype: ExportType | null;
  readonly check: ExportCheck;
  readonly launches: readonly Launch[];
}

export function writeExportReadme({ tuned, format, dtype, check, launches }: ReadmeFacts): string {
  const base = nameBase(tuned);
  const { title } = exportFormats[format];
  return [
    '---',
    `library_name: ${libraries[format]}`,
    `base_model: ${JSON.stringify(base)}`,
    'pipeline_tag: text-generation',
    `tags: [${[...(exportFormats[format].isAdapter ? ['lora'] : []), 'tuning-fork'].join(', ')}]`,
    '---',
    '',
    `# ${tuned.name.replace(/\s+/g, ' ')}`,
    '',
    `${title}${dtype === null ? '' : `, weights in ${dtype}`}, fine-tuned from \`${base}\` with Tuning Fork.`,
    '',
    '## Use',
    '',
    ...describeUse(format, slugOf(tuned.name), launches),
    '## Check',
    '',
    describeCheck(check),
    '',
    ...readRunSections(tuned),
  ].join('\n');
}

export function describeCheck({ tool, tokens, sameTokens, difference }: ExportCheck): string {
  const distance = difference.toExponential(1);
  return tokens === 0
    ? `Read back by ${tool}: weights differ from the tuned model's by ${distance} at most.`
    : `Run by ${tool}: logits differ from the tuned model's by ${distance} of their spread; ${sameTokens} of ${tokens} likeliest tokens are the same.`;
}

function describeUse(format: ExportFormat, name: string, launches: readonly Launch[]): string[] {
  const lines = launches.map(namePublicly).flatMap(({ label, argv, environment = {} }) => {
    const variables = Object.entries(environment).map(([key, value]) => `${key}=${quoteForShell(value)} `);
    return [`${label}:`, '', '```sh', `${variables.join('')}${argv.map(quoteForShell).join(' ')}`, '```', ''];
  });
  if (format === 'gguf') lines.push(`Then \`ollama run ${name.toLowerCase()}\`.`, '');
  if (format === 'peft') lines.push('```python', ...peftExample, '```', '');
  if (format === 'onnx') lines.push('```js', ...onnxExample, '```', '');
  return lines;
}

const peftExample = [
  'from peft import AutoPeftModelForCausalLM',
  'model = AutoPeftModelForCausalLM.from_pretrained(".")',
];
const onnxExample = [
  "import { pipeline } from '@huggingface/transformers'; // 4 or newer",
  "const generate = await pipeline('text-generation', 'this folder or its Hub id');",
  "const [answer] = await generate([{ role: 'user', content: 'Hello' }], { max_new_tokens: 128 });",
];

/** A path says nothing to others: its last part is enough. */
function nameBase({ adapter, base }: TunedModel): string {
  const name = adapter?.baseModel ?? base.id;
  return isAbsolute(name) || existsSync(name) ? basename(name) : name;
}

/** From the run's own card: everything below its title. */
function readRunSections({ adapterFolders, base, adapter }: TunedModel): string[] {
  const folders = adapter === null ? [base.path] : adapterFolders;
  return folders.flatMap(folder => {
    const card = join(folder, 'README.md');
    if (!existsSync(card)) return [];
    const text = readFileSync(card, 'utf8');
    const start = text.indexOf('\n## ');
    return start < 0 ? [] : [text.slice(start + 1).trimEnd(), ''];
  });
}

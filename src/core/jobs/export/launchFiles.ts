/** @file An export -> what starts it in the programs that take it: argument arrays, shell scripts and Ollama's Modelfile. */
import { basename, isAbsolute } from 'node:path';
import type { ExportCommand, ExportFormat, ExportType } from '../../../shared/exportFormats.ts';
import { isDora } from '../../adapter/readAdapter.ts';
import { jsonFile, textFile } from '../../adapter/tokenizerFolder.ts';
import { countAnswerableTokens } from '../../models/ropeInputs.ts';
import type { FileToWrite } from '../../train/stagedFolder.ts';
import { openModelText } from '../prepare/openModelText.ts';
import { writeOllamaTemplate } from './ollamaTemplate.ts';
import { slugOf, type TunedModel } from './openTuned.ts';

export interface Launch {
  /** For file names: `vllm`. */
  readonly id: string;
  readonly label: string;
  /** Run in the export's folder. */
  readonly argv: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** The word of `argv` that is the base's path on this machine, which files that are given on do not say. */
  readonly basePath?: string | undefined;
}

export interface LaunchFiles {
  readonly files: readonly FileToWrite[];
  readonly launches: readonly Launch[];
}

const host = '127.0.0.1';
/** The ranks for which vLLM has kernels. */
const vllmRanks = [8, 16, 32, 64, 128, 256, 320, 512];

/** @param file name of the GGUF file, where the format has one */
export function makeLaunchFiles(
  tuned: TunedModel,
  format: ExportFormat,
  dtype: ExportType | null,
  file: string | undefined,
): LaunchFiles {
  const launches = listLaunches(tuned, format, dtype, file);
  const scripts = launches.map(launch => textFile(`start-${launch.id}.sh`, writeScript(launch)));
  const modelfile = format === 'gguf' && file !== undefined ? [textFile('Modelfile', writeModelfile(tuned, file))] : [];
  const commands = Object.fromEntries(
    launches.map(namePublicly).map(({ id, argv, environment }) => [id, { argv, environment }]),
  );
  const list = launches.length === 0 ? [] : [jsonFile('launch.json', commands)];
  return { files: [...modelfile, ...scripts, ...list], launches };
}

function listLaunches(
  tuned: TunedModel,
  format: ExportFormat,
  dtype: ExportType | null,
  file: string | undefined,
): Launch[] {
  const { base, adapter, model } = tuned;
  const name = slugOf(tuned.name);
  const context = String(countAnswerableTokens(model.config));
  const served = ['--served-model-name', name, '--host', host, '--port', '8000', '--max-model-len', context];
  switch (format) {
    case 'merged':
      return [
        { id: 'vllm', label: 'vLLM', argv: ['vllm', 'serve', '.', '--dtype', dtype ?? 'auto', ...served] },
        {
          id: 'tgi',
          label: 'TGI',
          argv: [
            'text-generation-launcher',
            ...['--model-id', '.', '--dtype', dtype === 'float16' ? 'float16' : 'bfloat16'],
            ...['--hostname', host, '--port', '8080', '--max-total-tokens', context],
          ],
        },
      ];
    case 'peft': {
      // Neither loads magnitudes or whole modules.
      if (adapter === null || isDora(adapter) || adapter.saved.length > 0) return [];
      const rank = Math.max(...adapter.pairs.map(pair => pair.rank));
      const limit = vllmRanks.find(known => known >= rank);
      const reference = base.format === 'safetensors' ? (adapter.baseModel ?? base.id) : undefined;
      if (limit === undefined || reference === undefined) return [];
      const basePath = isAbsolute(reference) ? reference : undefined;
      return [
        {
          id: 'vllm',
          label: 'vLLM',
          argv: [
            ...['vllm', 'serve', reference, '--enable-lora', '--max-lora-rank', String(limit)],
            ...['--lora-modules', `${name}=.`, '--chat-template', 'chat_template.jinja'],
            ...['--host', host, '--port', '8000', '--max-model-len', context],
          ],
          basePath,
        },
        {
          id: 'tgi',
          label: 'TGI',
          argv: ['text-generation-launcher', '--model-id', reference, '--hostname', host, '--port', '8080'],
          environment: { LORA_ADAPTERS: `${name}=.` },
          basePath,
        },
      ];
    }
    case 'gguf':
      return [
        { id: 'ollama', label: 'Ollama', argv: ['ollama', 'create', name.toLowerCase(), '-f', 'Modelfile'] },
        {
          id: 'llama-server',
          label: 'llama.cpp',
          argv: ['llama-server', '-m', file!, '--alias', name, '--jinja', '--host', host, '--port', '8080'],
        },
      ];
    case 'gguf-lora': {
      const beside = base.format === 'gguf' ? base.path : 'BASE.gguf';
      return [
        {
          id: 'llama-server',
          label: 'llama.cpp',
          argv: [
            'llama-server',
            '-m',
            beside,
            '--lora',
            file!,
            '--alias',
            name,
            '--jinja',
            '--host',
            host,
            '--port',
            '8080',
          ],
          basePath: beside,
        },
      ];
    }
    case 'onnx':
      return [];
  }
}

/** What a person types to start it, from anywhere. */
export function toCommands(launches: readonly Launch[], folder: string): ExportCommand[] {
  return launches.map(({ label, argv, environment = {} }) => {
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${quoteForShell(value)} `);
    return { label, text: `cd ${quoteForShell(folder)} && ${variables.join('')}${argv.map(quoteForShell).join(' ')}` };
  });
}

/** With the base's name in place of its path on this machine. */
export function namePublicly({ argv, basePath, ...launch }: Launch): Launch {
  return { ...launch, argv: argv.map(word => (word === basePath ? basename(word) : word)) };
}

function writeScript({ argv, environment = {}, basePath }: Launch): string {
  const base =
    basePath === undefined
      ? []
      : [
          '# The base model: a path, or its id on the Hub where the program takes one.',
          `BASE_MODEL=\${BASE_MODEL:-${quoteForShell(basename(basePath))}}`,
        ];
  const words = argv.map(word => (word === basePath ? '"$BASE_MODEL"' : quoteForShell(word)));
  return [
    '#!/bin/sh',
    ...base,
    'cd -- "$(dirname -- "$0")" || exit 1',
    ...Object.entries(environment).map(([name, value]) => `export ${name}=${quoteForShell(value)}`),
    `exec ${words.join(' ')} "$@"`,
    '',
  ].join('\n');
}

/** A POSIX shell's word. */
export function quoteForShell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function writeModelfile({ base }: TunedModel, file: string): string {
  const { template, tokenizer } = openModelText(base);
  const begin = tokenizer.addsBos && tokenizer.bosTokenId !== null ? tokenizer.tokenText(tokenizer.bosTokenId) : '';
  const text = writeOllamaTemplate(template, begin);
  const stops = tokenizer.eosTokenIds.map(id => tokenizer.tokenText(id)).filter(stop => stop !== '');
  return [
    `FROM ./${file}`,
    ...(text === undefined
      ? ["# The model's chat template has no equal in Ollama's language: Ollama reads the one in the file."]
      : [`TEMPLATE """${text}"""`]),
    ...stops.map(stop => `PARAMETER stop ${JSON.stringify(stop)}`),
    '',
  ].join('\n');
}

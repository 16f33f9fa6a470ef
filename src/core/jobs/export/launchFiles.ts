/** @file An export -> what starts it in the programs that take it: argument arrays, shell scripts and Ollama's Modelfile. */
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
  const commands = Object.fromEntries(launches.map(({ id, argv, environment }) => [id, { argv, environment }]));
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
      return [
        {
          id: 'vllm',
          label: 'vLLM',
          argv: [
            ...['vllm', 'serve', reference, '--enable-lora', '--max-lora-rank', String(limit)],
            ...['--lora-modules', `${name}=.`, '--chat-template', 'chat_template.jinja'],
            ...['--host', host, '--port', '8000', '--max-model-len', context],
          ],
        },
        {
          id: 'tgi',
          label: 'TGI',
          argv: ['text-generation-launcher', '--model-id', reference, '--hostname', host, '--port', '8080'],
          environment: { LORA_ADAPTERS: `${name}=.` },
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

function writeScript({ argv, environment = {} }: Launch): string {
  return [
    '#!/bin/sh',
    'cd -- "$(dirname -- "$0")" || exit 1',
    ...Object.entries(environment).map(([name, value]) => `export ${name}=${quoteForShell(value)}`),
    `exec ${argv.map(quoteForShell).join(' ')} "$@"`,
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

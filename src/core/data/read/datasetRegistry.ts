/**
 * @file LLaMA-Factory's dataset_info.json -> the files that an entry names and the mapping of their columns. It is read
 * for its entries (`dataset_info.json#name`; without a name its only entry) and as a hint beside a file that it registers.
 */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { TuneError } from '../../../shared/errors.ts';
import type { Mapping } from '../../../shared/recipe.ts';
import { type Fields, isFields } from '../mapping/rowReport.ts';

export const registryName = 'dataset_info.json';
const maxRegistryBytes = 16 * 1024 * 1024;

export interface RegistryEntry {
  readonly name: string;
  readonly path: string;
  readonly mapping: Mapping;
}

/** Undefined for a path that names no registry. @throws TuneError `dataset-invalid` | `dataset-unreadable` */
export async function readRegistered(path: string): Promise<RegistryEntry | undefined> {
  const [file = '', name] = path.split(/#(?=[^#/\\]*$)/);
  if (basename(file) !== registryName) return undefined;
  const entries = await readEntries(file);
  if (entries === undefined) return undefined;
  const names = Object.keys(entries);
  const chosen = name ?? (names.length === 1 ? names[0]! : undefined);
  if (chosen === undefined || !Object.hasOwn(entries, chosen)) {
    const got = chosen === undefined ? `${names.length} of them` : `"${chosen}"`;
    throw new TuneError(
      'dataset-invalid',
      `${file}: expected the name of an entry (${names.slice(0, 20).join(', ')}), got ${got}`,
      {
        file,
        line: 1,
        hint: `Name one behind a #: ${file}#${names[0]}`,
      },
    );
  }
  return toEntry(file, chosen, entries[chosen]);
}

/** What a registry in the file's folder says of it. */
export async function findRegistered(file: string): Promise<RegistryEntry | undefined> {
  const registry = join(dirname(file), registryName);
  if (basename(file) === registryName || !(await isSmallFile(registry))) return undefined;
  const entries = await readEntries(registry).catch(() => undefined);
  for (const [name, value] of Object.entries(entries ?? {})) {
    if (isFields(value) && value.file_name === basename(file)) return toEntry(registry, name, value);
  }
  return undefined;
}

async function isSmallFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() === true && found.size <= maxRegistryBytes;
}

/** Undefined when the file holds something else, as a dataset card of the Hub does. */
async function readEntries(file: string): Promise<Fields | undefined> {
  if (!(await isSmallFile(file))) return undefined;
  let value: unknown;
  try {
    value = JSON.parse((await readFile(file, 'utf8')).replace(/^\ufeff/, ''));
  } catch (error) {
    throw new TuneError(
      'dataset-invalid',
      `${file}: expected JSON, got text that is not (${(error as Error).message})`,
      {
        file,
        line: 1,
        hint: 'Correct the JSON, or choose the dataset file itself.',
      },
    );
  }
  if (!isFields(value)) return undefined;
  const isRegistry = Object.values(value).some(
    entry =>
      isFields(entry) && ['file_name', 'hf_hub_url', 'ms_hub_url', 'script_url'].some(key => Object.hasOwn(entry, key)),
  );
  return isRegistry ? value : undefined;
}

function toEntry(registry: string, name: string, value: unknown): RegistryEntry {
  const fail = (what: string, hint: string): TuneError =>
    new TuneError('dataset-invalid', `${registry}, ${name}: ${what}`, { file: registry, line: 1, hint });
  const fileName = isFields(value) ? value.file_name : undefined;
  if (!isFields(value) || typeof fileName !== 'string' || fileName === '') {
    throw fail(
      'expected a file_name, got an entry without one',
      'Datasets of hubs are not fetched: download the file and name it.',
    );
  }
  const folder = dirname(registry);
  const path = join(folder, fileName);
  if (isAbsolute(fileName) || relative(folder, path).startsWith('..')) {
    throw fail(`expected a file below ${folder}, got ${fileName}`, 'Move the file there, or choose it itself.');
  }
  return { name, path, mapping: toMapping(value) };
}

const text = (fields: unknown, key: string, fallback: string): string =>
  isFields(fields) && typeof fields[key] === 'string' ? fields[key] : fallback;

/** Columns under their LLaMA-Factory names, with its defaults. */
function toMapping(entry: Fields): Mapping {
  const { columns, tags } = entry;
  const named = (slots: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(slots).flatMap(([slot, key]) => {
        const field = isFields(columns) ? columns[key] : undefined;
        return typeof field === 'string' ? [[slot, field]] : [];
      }),
    );
  const isRanking = entry.ranking === true;
  if (text(entry, 'formatting', 'alpaca') !== 'sharegpt') {
    const prompt = text(columns, 'prompt', 'instruction');
    const input = isFields(columns) ? named({ input: 'query' }) : { input: 'input' };
    if (isRanking) {
      return {
        kind: 'preference',
        fields: {
          prompt,
          ...input,
          chosen: text(columns, 'chosen', 'chosen'),
          rejected: text(columns, 'rejected', 'rejected'),
          ...named({ system: 'system' }),
        },
      };
    }
    if (isFields(columns) && !Object.hasOwn(columns, 'response') && Object.hasOwn(columns, 'prompt')) {
      return { kind: 'text', fields: { text: prompt } };
    }
    const more = named({ system: 'system', history: 'history' });
    return {
      kind: 'instruction',
      fields: { instruction: prompt, output: text(columns, 'response', 'output'), ...input, ...more },
    };
  }
  const messages = text(columns, 'messages', 'conversations');
  const system = named({ system: 'system' });
  if (isRanking) {
    const answers = { chosen: text(columns, 'chosen', 'chosen'), rejected: text(columns, 'rejected', 'rejected') };
    return { kind: 'preference', fields: { prompt: messages, ...answers, ...system } };
  }
  return {
    kind: 'conversations',
    fields: { conversations: messages, ...system, ...named({ tools: 'tools' }), ...readTags(tags) },
  };
}

const tagSlots = {
  roleField: ['role_tag', 'from'],
  textField: ['content_tag', 'value'],
  userRole: ['user_tag', 'human'],
  assistantRole: ['assistant_tag', 'gpt'],
  systemRole: ['system_tag', 'system'],
  toolRole: ['observation_tag', 'observation'],
  callRole: ['function_tag', 'function_call'],
} as const;

/** Only what differs from ShareGPT's own names. */
function readTags(tags: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(tagSlots).flatMap(([slot, [key, usual]]) => {
      const given = text(tags, key, usual);
      return given === usual ? [] : [[slot, given]];
    }),
  );
}

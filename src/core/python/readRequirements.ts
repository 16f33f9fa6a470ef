/** @file The requirement files that ship with the program -> what is installed for one build of PyTorch, and its fingerprint. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildFacts, type TorchBuild } from './torchBuild.ts';

export interface Requirements {
  readonly build: TorchBuild;
  /** As `torch==2.13.0`. */
  readonly torch: string;
  /** The index of PyTorch's builds; undefined for PyPI's own. */
  readonly torchIndex: string | undefined;
  readonly partsOnTorchIndex: boolean;
  readonly packagesFile: string;
  /** Version by name of what the engine itself imports. */
  readonly pins: ReadonlyMap<string, string>;
  /** Packages of the whole environment, for a progress bar. */
  readonly packageCount: number;
  /** 12 hex digits over all that decides what is installed. */
  readonly fingerprint: string;
}

/** @param folder of the requirement files */
export function readRequirements(folder: string, build: TorchBuild): Requirements {
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  const [torchText, packages, constraints] = [
    read(`torch-${build}.txt`),
    read('packages.txt'),
    read('constraints.txt'),
  ];
  const torchLines = linesOf(torchText);
  const torch = torchLines.find(line => line.startsWith('torch=='));
  if (torch === undefined) throw new Error(`torch-${build}.txt names no torch`);
  const index = torchLines.find(line => line.startsWith('--index-url '));
  const pinned = linesOf(packages).filter(line => line.includes('=='));
  return {
    build,
    torch,
    torchIndex: index?.slice('--index-url '.length),
    partsOnTorchIndex: buildFacts[build].partsOnTorchIndex,
    packagesFile: join(folder, 'packages.txt'),
    pins: new Map(pinned.map(readPin)),
    packageCount: linesOf(constraints).length + 1,
    fingerprint: createHash('sha256').update([torchText, packages, constraints].join('\0')).digest('hex').slice(0, 12),
  };
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map(line => line.replace(/(^|\s)#.*$/, '').trim())
    .filter(line => line !== '');
}

/** `name==version ; marker` -> name and version. */
function readPin(line: string): [string, string] {
  const [name = '', rest = ''] = line.split('==');
  return [name.trim(), rest.split(';')[0]!.trim()];
}

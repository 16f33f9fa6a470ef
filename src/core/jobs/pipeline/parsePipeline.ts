/**
 * @file The text of a pipeline file -> its stages, each a whole recipe, and everything that is wrong with it at its line and
 * column. What the text alone shows is checked here: files, models and data are looked at by whoever runs or checks it.
 */
import { basename, dirname, resolve } from 'node:path';
import { type PipelineRequest, type PipelineStage, pipelineFilePattern } from '../../../shared/pipeline.ts';
import type { PipelineProblem, StageOutline } from '../../../shared/pipelineOutline.ts';
import { parseSettings, type Settings } from './parseSettings.ts';
import { type ParsedStage, parseStage } from './parseStage.ts';
import { fileKeys, isKeyOf } from './pipelineKeys.ts';
import { resolveName } from './resolveName.ts';
import { type MapEntry, YamlNodes } from './yamlNodes.ts';

export interface ParsedPipeline {
  /** Undefined when an error speaks against it. */
  readonly request: PipelineRequest | undefined;
  readonly problems: readonly PipelineProblem[];
  readonly outline: readonly StageOutline[];
  /** What stands where, by stage: for problems that are found later. */
  readonly stages: readonly ParsedStage[];
}

export const maxPipelineBytes = 1024 * 1024;

const fileHint = 'A pipeline has a `model` and `stages`, each with a `name` and a `dataset`.';

export function parsePipeline(text: string, file: string): ParsedPipeline {
  const nodes = new YamlNodes(text);
  const entries = nodes.readMap(nodes.root, '', fileHint) ?? [];
  const found = new Map<string, MapEntry>();
  for (const entry of entries) {
    if (isKeyOf(fileKeys, entry.key)) found.set(entry.key, entry);
    else nodes.refuse(entry.keyNode, `one of ${Object.keys(fileKeys).join(', ')}`, `"${entry.key}"`, fileHint);
  }
  const folder = dirname(file);
  const read = (key: string) => {
    const entry = found.get(key);
    return entry && nodes.readText(entry.value, key, fileKeys[key as keyof typeof fileKeys].help);
  };
  const model = read('model');
  const name = read('name') ?? basename(file).replace(pipelineFilePattern, '');
  const common = found.has('set') ? parseSettings(nodes, found.get('set')!.value, 'set') : new Map();
  const stages = parseStages(nodes, found.get('stages'), {
    folder,
    common,
    model: model && resolveName(model, folder),
  });
  const isWhole = stages.length > 0 && nodes.problems.every(({ severity }) => severity !== 'error');
  return {
    request: isWhole ? toRequest(name, file, stages) : undefined,
    problems: nodes.problems,
    outline: stages.map(stage => stage.outline),
    stages,
  };
}

function parseStages(
  nodes: YamlNodes,
  entry: MapEntry | undefined,
  { folder, common, model }: { folder: string; common: Settings; model: string | undefined },
): ParsedStage[] {
  const items = nodes.readList(entry?.value);
  if (items === undefined || items.length === 0) {
    // Nothing more to say of text that could not be read.
    if (nodes.problems.length === 0) {
      const got = entry === undefined ? 'none' : 'something else';
      nodes.refuse(entry?.keyNode ?? nodes.root, 'a list of at least one stage', got, fileHint, 'stages');
    }
    return [];
  }
  const stages: ParsedStage[] = [];
  for (const item of items) {
    const before = stages.map(({ stage }) => stage);
    const parsed = parseStage(nodes, item, { folder, common, model, before, number: stages.length + 1 });
    if (parsed !== undefined) stages.push(parsed);
  }
  return stages;
}

function toRequest(name: string, file: string, stages: readonly ParsedStage[]): PipelineRequest {
  return {
    kind: 'pipeline',
    name: name.slice(0, 120),
    file: resolve(file),
    stages: stages.map(({ stage }): PipelineStage => stage),
    restartFrom: null,
    parents: [],
  };
}

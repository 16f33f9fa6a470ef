/** @file One item of a pipeline's `stages` -> a whole recipe and its outline, or what is wrong with it and where. */
import { resolve } from 'node:path';
import { TuneError } from '../../../shared/errors.ts';
import {
  defaultHyperparameters,
  type Hyperparameters,
  hyperparametersSchema,
} from '../../../shared/hyperparameters.ts';
import {
  describeStage,
  distillKinds,
  type PipelineStage,
  type StageStart,
  stageNamePattern,
  stageStarts,
} from '../../../shared/pipeline.ts';
import type { StageOutline, TextRange } from '../../../shared/pipelineOutline.ts';
import { type Mapping, type OverrideName, overrideNames } from '../../../shared/recipe.ts';
import { adoptedNames } from '../../adapter/adoptedSettings.ts';
import { parseMapping } from '../../data/mapping/mapping.ts';
import { findNear, parseSettings, type Settings } from './parseSettings.ts';
import { isKeyOf, type StageKey, stageKeys } from './pipelineKeys.ts';
import { resolveName } from './resolveName.ts';
import type { AnyNode, MapEntry, YamlNodes } from './yamlNodes.ts';

export interface ParsedStage {
  readonly stage: PipelineStage;
  readonly outline: StageOutline;
  /** The place of each dataset. */
  readonly datasetRanges: readonly TextRange[];
}

export interface StageContext {
  readonly folder: string;
  readonly common: Settings;
  /** Of the first stage. */
  readonly model: string | undefined;
  readonly before: readonly PipelineStage[];
  /** From 1. */
  readonly number: number;
}

const stageHint = 'For example {name: instructions, dataset: rows.jsonl, set: {epochs: 2}}.';
const defaultMaxTokens = 160;

/** A stage with mistakes still has an outline; undefined for what is no stage at all. */
export function parseStage(nodes: YamlNodes, node: AnyNode, context: StageContext): ParsedStage | undefined {
  const { folder, before, number } = context;
  const read = nodes.readMap(node, `stage ${number}`, stageHint);
  if (read === undefined) return undefined;
  const entries = new Map<string, MapEntry>();
  for (const entry of read) {
    if (isKeyOf(stageKeys, entry.key)) entries.set(entry.key, entry);
    else {
      const near = findNear(entry.key, Object.keys(stageKeys));
      const hint = near === undefined ? 'Hyperparameters stand below `set`.' : `Perhaps ${near}?`;
      nodes.refuse(entry.keyNode, `one of ${Object.keys(stageKeys).join(', ')}`, `"${entry.key}"`, hint);
    }
  }
  const reader = new StageReader(nodes, node, entries);
  const name = reader.name(before, number);
  const ownModel = reader.text('model');
  const first = before.length === 0;
  const given = ownModel ?? (first ? context.model : undefined);
  const start = reader.start(first, given !== undefined);
  const model = start === 'fresh' && given !== undefined ? resolveName(given, folder) : null;
  const { paths, datasetNodes } = reader.datasets(folder);
  const mapping = reader.mapping();
  const teacher = reader.teacher(folder, before);
  const distill = reader.distill(teacher);
  const settings = reader.settings(context.common, { start, previous: before.at(-1), distill });
  const maxTokens = reader.maxTokens();
  const stage: PipelineStage = {
    name,
    model,
    start,
    datasets: paths.map(path => ({ path, mapping })),
    hyperparameters: settings,
    overrides: reader.overrides(),
    teacher,
    distill,
    maxTokens,
    keepCut: reader.keepCut(),
  };
  const nameRange = nodes.rangeOf(entries.get('name')?.value ?? read[0]?.keyNode ?? node);
  const outline = { name, detail: describeStage(stage), range: nodes.rangeOf(node), nameRange };
  return { stage, outline, datasetRanges: datasetNodes.map(place => nodes.rangeOf(place)) };
}

class StageReader {
  constructor(
    private readonly nodes: YamlNodes,
    private readonly node: AnyNode,
    private readonly entries: ReadonlyMap<string, MapEntry>,
  ) {}

  text(key: StageKey): string | undefined {
    const entry = this.entries.get(key);
    return entry && this.nodes.readText(entry.value ?? entry.keyNode, key, stageKeys[key].help);
  }

  name(before: readonly PipelineStage[], number: number): string {
    const entry = this.entries.get('name');
    if (entry === undefined) {
      this.nodes.refuse(this.firstKey, 'a name', 'none', stageKeys.name.help, `stage ${number}`);
      return `stage-${number}`;
    }
    const name = this.text('name');
    if (name === undefined) return `stage-${number}`;
    if (!stageNamePattern.test(name)) {
      this.nodes.refuse(entry.value, 'up to 40 letters, digits, - and _', `"${name}"`, stageKeys.name.help, 'name');
    } else if (before.some(stage => stage.name === name)) {
      this.nodes.refuse(entry.value, 'a name of its own', `"${name}" again`, stageKeys.name.help, 'name');
    } else if (name === 'previous') {
      this.nodes.refuse(entry.value, 'another name', '"previous"', '`previous` means the stage before.', 'name');
    }
    return name;
  }

  start(isFirst: boolean, hasModel: boolean): StageStart {
    const chosen = this.choice('start', stageStarts);
    if (isFirst) {
      if (!hasModel) {
        this.nodes.refuse(this.firstKey, 'a model to begin with', 'none', 'Name it above the stages: `model: tiny`.');
      }
      if (chosen !== undefined && chosen !== 'fresh') {
        const hint = 'There is nothing before the first stage: leave `start` out.';
        this.nodes.refuse(this.entries.get('start')?.value, 'fresh', chosen, hint, 'start');
      }
      return 'fresh';
    }
    if (hasModel && chosen !== undefined && chosen !== 'fresh') {
      const hint = 'Leave `model` out to go on from the stage before, or `start` to train from that model.';
      this.nodes.refuse(this.entries.get('start')?.value, 'fresh beside a model', chosen, hint, 'start');
    }
    if (chosen === 'fresh' && !hasModel) {
      this.nodes.refuse(this.entries.get('start')?.value, 'a model beside it', 'none', stageKeys.model.help, 'start');
    }
    return hasModel ? 'fresh' : (chosen ?? 'continue');
  }

  datasets(folder: string): { paths: string[]; datasetNodes: AnyNode[] } {
    const entry = this.entries.get('dataset');
    if (entry === undefined) {
      this.nodes.refuse(this.firstKey, 'a dataset', 'none', stageKeys.dataset.help);
      return { paths: ['?'], datasetNodes: [this.node] };
    }
    const items = this.nodes.readList(entry.value) ?? [entry.value ?? entry.keyNode];
    const read = items.flatMap(item => {
      const path = this.nodes.readText(item ?? entry.keyNode, 'dataset', stageKeys.dataset.help);
      return path === undefined ? [] : [{ path: resolve(folder, path), item }];
    });
    if (items.length === 0) {
      this.nodes.refuse(entry.value, 'at least one file', 'none', stageKeys.dataset.help, 'dataset');
    }
    if (read.length === 0) return { paths: ['?'], datasetNodes: [entry.keyNode] };
    return { paths: read.map(({ path }) => path), datasetNodes: read.map(({ item }) => item) };
  }

  mapping(): Mapping | null {
    const text = this.text('mapping');
    if (text === undefined) return null;
    try {
      return parseMapping(text);
    } catch (error) {
      if (!(error instanceof TuneError)) throw error;
      const range = this.nodes.rangeOf(this.entries.get('mapping')?.value);
      this.nodes.problems.push({ severity: 'error', range, message: error.message, hint: error.hint ?? '' });
      return null;
    }
  }

  teacher(folder: string, before: readonly PipelineStage[]): PipelineStage['teacher'] {
    const name = this.text('teacher');
    if (name === undefined) return null;
    const value = this.entries.get('teacher')?.value;
    if (/^https?:\/\//i.test(name)) return this.endpoint(name);
    if (name === 'previous') {
      const previous = before.at(-1);
      if (previous !== undefined) return { kind: 'stage', stage: previous.name };
      this.nodes.refuse(value, 'a stage before this one', 'none', stageKeys.teacher.help, 'teacher');
    }
    if (before.some(stage => stage.name === name)) return { kind: 'stage', stage: name };
    return { kind: 'model', model: resolveName(name, folder) };
  }

  private endpoint(address: string): PipelineStage['teacher'] {
    const url = URL.canParse(address) ? new URL(address) : undefined;
    if (url === undefined || url.username !== '' || url.password !== '') {
      const hint = 'For example http://127.0.0.1:8080/v1; a key never stands in the file.';
      this.nodes.refuse(this.entries.get('teacher')?.value, 'an address without a key', 'another', hint, 'teacher');
      return null;
    }
    const model = this.text('teacherModel');
    if (model === undefined) {
      const at = this.entries.get('teacher')?.keyNode;
      this.nodes.refuse(at, 'teacherModel beside it', 'none', stageKeys.teacherModel.help, 'teacher');
    }
    return { kind: 'endpoint', baseUrl: address, model: model ?? '?', requestsPerMinute: this.requestsPerMinute() };
  }

  private requestsPerMinute(): number {
    const entry = this.entries.get('requestsPerMinute');
    if (entry === undefined) return 0;
    const value = this.nodes.readScalar(entry.value);
    if (typeof value === 'number' && value >= 0 && value <= 1e6) return value;
    this.nodes.refuse(entry.value ?? entry.keyNode, 'a number from 0', String(value), stageKeys.requestsPerMinute.help);
    return 0;
  }

  distill(teacher: PipelineStage['teacher']): PipelineStage['distill'] {
    const hasTeacher = teacher !== null;
    const chosen = this.choice('distill', distillKinds);
    if (teacher?.kind === 'endpoint') {
      const hint = 'An endpoint says no logits: leave it out, or `distill: answers`.';
      if (chosen === 'logits')
        this.nodes.refuse(this.entries.get('distill')?.value, 'answers', chosen, hint, 'distill');
      return 'answers';
    }
    if (chosen !== undefined && !hasTeacher) {
      const entry = this.entries.get('distill');
      this.nodes.refuse(entry?.keyNode, 'a teacher beside it', 'none', stageKeys.teacher.help, 'distill');
    }
    return hasTeacher ? (chosen ?? 'logits') : null;
  }

  settings(
    common: Settings,
    { start, previous, distill }: Pick<PipelineStage, 'start' | 'distill'> & { previous: PipelineStage | undefined },
  ): Hyperparameters {
    const entry = this.entries.get('set');
    const own: Settings =
      entry === undefined ? new Map() : parseSettings(this.nodes, entry.value ?? entry.keyNode, 'set');
    const adopts = start === 'continue' && previous?.hyperparameters.method === 'lora';
    for (const [name, { node }] of adopts ? own : []) {
      if (!(adoptedNames as readonly string[]).includes(name)) continue;
      const hint = 'Leave it out, or train a new adapter on the merged model: `start: merge`.';
      this.nodes.refuse(node, 'nothing beside the adapter that goes on, which decides it', 'a value', hint, name);
    }
    const inherited = adopts ? adoptedNames.map(name => [name, previous.hyperparameters[name]] as const) : [];
    const values: Record<string, unknown> = { ...defaultHyperparameters };
    for (const [name, { value }] of common) values[name] = value;
    for (const [name, value] of inherited) values[name] = value;
    for (const [name, { value }] of own) values[name] = value;
    const objective = this.objective(own, distill);
    if (objective !== undefined) values.objective = objective;
    return hyperparametersSchema.parse(values);
  }

  /** Undefined: as the settings say. */
  private objective(own: Settings, distill: PipelineStage['distill']): Hyperparameters['objective'] | undefined {
    const chosen = this.choice('objective', ['sft', 'dpo', 'distill'] as const);
    const set = own.get('objective');
    const named = chosen ?? (set?.value as Hyperparameters['objective'] | undefined);
    const node = this.entries.get('objective')?.value ?? set?.node;
    if (distill !== null) {
      const wanted = distill === 'logits' ? 'distill' : 'sft';
      if (named !== undefined && named !== wanted) {
        const hint = 'Leave the objective out: the teacher decides it.';
        this.nodes.refuse(node, `${wanted} beside a teacher`, named, hint, 'objective');
      }
      return wanted;
    }
    if (named === 'distill')
      this.nodes.refuse(node, 'a teacher beside it', 'none', stageKeys.teacher.help, 'objective');
    return named;
  }

  maxTokens(): number {
    const entry = this.entries.get('maxTokens');
    if (entry === undefined) return defaultMaxTokens;
    const value = this.nodes.readScalar(entry.value);
    if (typeof value === 'number' && Number.isInteger(value) && value >= 1) return value;
    this.nodes.refuse(entry.value ?? entry.keyNode, 'a whole number from 1', String(value), stageKeys.maxTokens.help);
    return defaultMaxTokens;
  }

  keepCut(): boolean {
    const entry = this.entries.get('keepCut');
    if (entry === undefined) return false;
    const value = this.nodes.readScalar(entry.value);
    if (typeof value === 'boolean') return value;
    this.nodes.refuse(entry.value ?? entry.keyNode, 'true or false', String(value), stageKeys.keepCut.help, 'keepCut');
    return false;
  }

  overrides(): OverrideName[] {
    const entry = this.entries.get('override');
    if (entry === undefined) return [];
    const items = this.nodes.readList(entry.value) ?? [entry.value ?? entry.keyNode];
    return items.flatMap(item => {
      const name = this.nodes.readScalar(item);
      const known = overrideNames.find(override => override === name);
      if (known !== undefined) return [known];
      this.nodes.refuse(item, `one of ${overrideNames.join(', ')}`, JSON.stringify(name), stageKeys.override.help);
      return [];
    });
  }

  private choice<T extends string>(key: StageKey, values: readonly T[]): T | undefined {
    const text = this.text(key);
    if (text === undefined) return undefined;
    const known = values.find(value => value === text);
    if (known === undefined) {
      this.nodes.refuse(
        this.entries.get(key)?.value,
        `one of ${values.join(', ')}`,
        `"${text}"`,
        stageKeys[key].help,
        key,
      );
    }
    return known;
  }

  /** Where something is told that is missing. */
  private get firstKey(): AnyNode {
    return this.entries.values().next().value?.keyNode ?? this.node;
  }
}

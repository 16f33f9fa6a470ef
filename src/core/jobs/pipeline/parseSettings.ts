/** @file The map `set` of a pipeline file -> checked hyperparameters by name. */
import {
  checkHyperparameter,
  type HyperparameterName,
  hyperparameterNames,
  hyperparameterTable,
  parseHyperparameter,
} from '../../../shared/hyperparameters.ts';
import type { AnyNode, YamlNodes } from './yamlNodes.ts';

export type Settings = Map<HyperparameterName, { readonly value: unknown; readonly node: AnyNode }>;

export const isSettingName = (name: string): name is HyperparameterName =>
  (hyperparameterNames as readonly string[]).includes(name);

/** Those without a problem. */
export function parseSettings(nodes: YamlNodes, node: AnyNode, where: string): Settings {
  const settings: Settings = new Map();
  for (const { key, keyNode, value } of nodes.readMap(node, where, 'For example {epochs: 2, rank: 8}.') ?? []) {
    if (!isSettingName(key)) {
      const near = findNear(key);
      const hint = near === undefined ? 'tuning-fork train --help lists them.' : `Perhaps ${near}?`;
      nodes.refuse(keyNode, 'the name of a hyperparameter', `"${key}"`, hint, where);
      continue;
    }
    const read = readValue(nodes, key, value);
    const problem = checkHyperparameter(key, read);
    if (problem === undefined) settings.set(key, { value: read, node: keyNode });
    else {
      const range = nodes.rangeOf(value ?? keyNode);
      nodes.problems.push({
        severity: 'error',
        range,
        message: `${key}: ${problem}`,
        hint: hyperparameterTable[key].help,
      });
    }
  }
  return settings;
}

/** Lists as lists or as text with commas, everything else as YAML has it or as text. */
function readValue(nodes: YamlNodes, name: HyperparameterName, node: AnyNode): unknown {
  const list = nodes.readList(node);
  if (list !== undefined) return list.map(item => String(nodes.readScalar(item)));
  const value = nodes.readScalar(node);
  return typeof value === 'string' ? parseHyperparameter(name, value) : value;
}

/** The name that differs least, if it is near. */
export function findNear(text: string, names: readonly string[] = hyperparameterNames): string | undefined {
  const wanted = text.toLowerCase().replace(/[^a-z0-9]/g, '');
  const ranked = names
    .map(name => ({ name, distance: editDistance(wanted, name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best !== undefined && best.distance <= Math.max(1, Math.floor(wanted.length / 3)) ? best.name : undefined;
}

/** Levenshtein's. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, substituted));
    }
    row = next;
  }
  return row[b.length]!;
}

/** @file What the server process is told and tells: an OpenAI-compatible endpoint on this machine, for one base model and its adapters. */
import type { HubSettings } from './hubSettings.ts';

export interface ServedAdapter {
  /** What clients call it. */
  id: string;
  /** Runs or folders of adapters, absolute; several are added up. */
  paths: string[];
  /** False leaves it out with a remark when it cannot be used. */
  isRequired: boolean;
}

export interface ServerOrder {
  model: string;
  /** What clients call the base model. */
  modelId: string;
  adapters: ServedAdapter[];
  /** 0 takes one that is free. */
  port: number;
  /** What clients must send as `Authorization: Bearer <key>`; travels in this message alone. */
  key: string;
  hub: HubSettings | null;
  /** `float` computes the weights of a GGUF file in float32. */
  weights: 'stored' | 'float';
  /** For requests that name none. */
  temperature: number;
  /** Of an answer, for requests that name no limit; null: what the context leaves. */
  maxTokens: number | null;
  /** Answers that decode at once, and that wait behind them before more are refused. */
  maxRows: number;
  maxWaiting: number;
}

export interface ServerAddress {
  /** Up to and with `/v1`, as clients take it. */
  baseUrl: string;
  /** The base model's first. */
  models: string[];
  contextTokens: number;
  /** Adapters that were left out, and why. */
  remarks: string[];
}

export interface ServedRequest {
  method: string;
  path: string;
  status: number;
  /** Null where none was named. */
  model: string | null;
  promptTokens: number;
  outputTokens: number;
  elapsedMs: number;
  /** The client went away before its answer was whole. */
  isCut: boolean;
}

export type ServerCalls = {
  /** @throws TuneError as models and adapters are opened, `usage` when the port is taken */
  'server/start': { parameters: ServerOrder; result: ServerAddress };
  /** Takes no more requests, lets those under way finish for so long, then tells them and ends. */
  'server/stop': { parameters: { graceMs: number }; result: { requests: number; outputTokens: number } };
};

export type ServerEvents = {
  'server/progress': { phase: string; done: number; total: number };
  'server/request': ServedRequest;
};

export const serverDefaults = { maxRows: 16, maxWaiting: 64, graceMs: 10_000 } as const;

/** A name for clients: of a path its last part, without the ending of a weight file. */
export function nameServedModel(model: string): string {
  const isPath = /^([\\/]|[A-Za-z]:)/.test(model);
  const name = isPath ? model.split(/[\\/]/).findLast(part => part !== '') : model;
  return (name ?? model).replace(/\.gguf$/i, '');
}

/** Names that are all different: one that comes again gets what tells it apart. */
export function nameApart<T extends { name: string; id: string }>(
  items: readonly T[],
  taken: readonly string[],
): string[] {
  return items.map(({ name, id }) => {
    const isTaken = taken.includes(name) || items.filter(other => other.name === name).length > 1;
    return isTaken ? id : name;
  });
}

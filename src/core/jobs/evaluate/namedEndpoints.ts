/** @file Endpoints that this user has named, kept outside every workspace: a run folder may come from anyone, and questions and keys go only where the user has said. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { TuneError } from '../../../shared/errors.ts';
import type { EndpointReference } from '../../../shared/evaluation.ts';
import { readJson, writeJson } from '../../runs/jsonFile.ts';
import { ensureUserStateFolder } from '../../runs/processRegistry.ts';
import { ChatEndpoint } from '../../teachers/endpoint/chatEndpoint.ts';

const fileSchema = z.strictObject({
  endpoints: z.array(z.strictObject({ baseUrl: z.string(), keyVariable: z.string().nullable() })),
});
const mostEndpoints = 200;

type Named = z.infer<typeof fileSchema>['endpoints'][number];

/** @throws TuneError `disk-full` | `not-writable` */
export function rememberEndpoint({ baseUrl, keyVariable }: Named): void {
  const endpoints = readNamed();
  if (endpoints.some(known => isSame(known, { baseUrl, keyVariable }))) return;
  writeJson(namedPath(), { endpoints: [...endpoints, { baseUrl, keyVariable }].slice(-mostEndpoints) });
}

/** @throws TuneError `usage` for one that the user has not named, or whose key is not there */
export function openNamedEndpoint(reference: EndpointReference): ChatEndpoint {
  const { baseUrl, model, keyVariable, ...options } = reference;
  if (!readNamed().some(known => isSame(known, reference))) {
    throw new TuneError(
      'usage',
      `${baseUrl}: expected an endpoint that you have named yourself, got one of the run folder`,
      {
        hint: 'Start the evaluation anew and name the endpoint there.',
      },
    );
  }
  const apiKey = keyVariable === null ? undefined : process.env[keyVariable];
  if (keyVariable !== null && apiKey === undefined) {
    throw new TuneError('usage', `${baseUrl}: expected its key in the variable ${keyVariable}, got none`, {
      hint: `Set ${keyVariable}, then go on with: tuning-fork resume <run>`,
    });
  }
  return new ChatEndpoint({ baseUrl, model, apiKey }, { ...options, isStreamed: true });
}

const isSame = (a: Named, b: Named): boolean => a.baseUrl === b.baseUrl && a.keyVariable === b.keyVariable;

function readNamed(): Named[] {
  const path = namedPath();
  return existsSync(path) ? readJson(path, fileSchema).endpoints : [];
}

function namedPath(): string {
  return join(ensureUserStateFolder(), 'endpoints.json');
}

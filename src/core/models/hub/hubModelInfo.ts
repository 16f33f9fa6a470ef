/** @file What the Hub says of a model -> the files to download, and its licence. */
import { TuneError } from '../../../shared/errors.ts';
import { isJsonObject, type JsonObject } from '../readJsonFile.ts';
import type { HubReference } from './hubLocation.ts';
import { type HubRequest, readJsonAnswer, requestHub, toDownloadError } from './hubRequest.ts';

export interface HubModelInfo {
  /** 40 hexadecimal digits. */
  readonly commit: string;
  /** As the model card says it: `apache-2.0`, `llama3.2`; undefined when it does not. */
  readonly licence: string | undefined;
  readonly files: ReadonlySet<string>;
}

export const weightIndex = 'model.safetensors.index.json';
export const singleWeights = 'model.safetensors';
const textFiles =
  /^(?:config\.json|generation_config\.json|special_tokens_map\.json|tokenizer[^/]*|chat_template[^/]*|additional_chat_templates\/[\w-]+\.jinja)$/;

/** @throws TuneError `model-not-found` | `model-gated` | `download-failed` */
export async function requestModelInfo(request: HubRequest, reference: HubReference): Promise<HubModelInfo> {
  const { endpoint } = request.location;
  const url = `${endpoint}/api/models/${reference.repository}/revision/${encodeURIComponent(reference.revision)}`;
  const answer = await readJsonAnswer(request, await requestHub(request, url));
  const commit = isJsonObject(answer) ? answer.sha : undefined;
  const siblings = isJsonObject(answer) ? answer.siblings : undefined;
  if (
    !isJsonObject(answer) ||
    typeof commit !== 'string' ||
    !/^[0-9a-f]{40}$/.test(commit) ||
    !Array.isArray(siblings)
  ) {
    throw toDownloadError(request, 'an answer without commit and files');
  }
  const names = siblings.filter(isJsonObject).map(sibling => sibling.rfilename);
  return {
    commit,
    licence: readLicence(answer),
    files: new Set(names.filter(name => typeof name === 'string')),
  };
}

function readLicence(answer: JsonObject): string | undefined {
  const card = isJsonObject(answer.cardData) ? answer.cardData : {};
  // `other` with a name and a link is how models with a licence of their own say it.
  const stated = card.license === 'other' ? (card.license_name ?? 'other') : card.license;
  const list = Array.isArray(stated) ? stated : [stated];
  const names = list.filter(name => typeof name === 'string');
  if (names.length > 0) return names.join(', ');
  const tags = Array.isArray(answer.tags) ? answer.tags : [];
  const tag = tags.find(each => typeof each === 'string' && each.startsWith('license:'));
  return typeof tag === 'string' ? tag.slice('license:'.length) : undefined;
}

/** The small files, and the index or the one weight file; shards follow from the index. @throws TuneError for a model without */
export function chooseFirstFiles({ files }: HubModelInfo, { repository, ggufFile }: HubReference): string[] {
  if (ggufFile !== undefined) {
    if (files.has(ggufFile)) return [ggufFile];
    throw toMissingFileError(repository, ggufFile, files);
  }
  if (!files.has('config.json')) throw toMissingFileError(repository, 'config.json', files);
  const weights = files.has(weightIndex) ? weightIndex : singleWeights;
  if (!files.has(weights)) throw toMissingFileError(repository, singleWeights, files);
  return [...[...files].filter(name => textFiles.test(name)).sort(), weights];
}

function toMissingFileError(repository: string, wanted: string, files: ReadonlySet<string>): TuneError {
  const names = [...files];
  const ggufs = names.filter(name => /\.gguf$/i.test(name));
  if (ggufs.length > 0) {
    const shown = ggufs.slice(0, 8).map(name => `${repository}/${name}`);
    return new TuneError('model-not-found', `${repository}: expected ${wanted}, got a repository of GGUF files`, {
      hint: `Name one of its files: ${shown.join(', ')}${ggufs.length > shown.length ? '...' : ''}`,
    });
  }
  const pickle = names.find(name => /\.(bin|pt|pth|ckpt)$/.test(name));
  if (pickle && wanted === singleWeights) {
    return new TuneError(
      'model-unsupported',
      `${repository}: expected *.safetensors, got ${pickle}, which is a pickle`,
      {
        hint: 'Pickle files can run code when they are opened and are never loaded. Choose a repository with safetensors, or convert the model where you trust it.',
      },
    );
  }
  return new TuneError('model-not-found', `${repository}: expected ${wanted}, got ${names.length} other files`, {
    hint: 'Choose a language model with config.json, tokenizer.json and model.safetensors.',
  });
}

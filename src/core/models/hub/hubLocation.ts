/** @file Which model of the Hub is meant, where the Hub is, and where its cache lies on this machine. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { TuneError } from '../../../shared/errors.ts';
import type { HubSettings } from '../../../shared/hubSettings.ts';

export interface HubReference {
  /** `organisation/name`. */
  readonly repository: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  /** A single GGUF file of the repository, when that is what was named. */
  readonly ggufFile: string | undefined;
}

export interface HubLocation {
  /** Without a slash at its end. */
  readonly endpoint: string;
  /** The folder that holds `models--organisation--name`. */
  readonly cache: string;
  readonly token: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

const segment = '[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?';
const referencePattern = new RegExp(`^(${segment}/${segment})(?:/([^@\\\\]+\\.gguf))?(?:@([A-Za-z0-9._/-]+))?$`, 'i');

/** `organisation/name`, `organisation/name@revision`, `organisation/name/file.gguf`; undefined for anything else. */
export function parseHubReference(reference: string): HubReference | undefined {
  const match = referencePattern.exec(reference);
  const repository = match?.[1];
  if (!match || !repository || /\.\.|--/.test(reference)) return undefined;
  return { repository, revision: match[3] ?? 'main', ggufFile: match[2] };
}

/** Settings first, then the variables that Hugging Face's own library reads, then its defaults. */
export function locateHub(settings: HubSettings | undefined, environment: Environment): HubLocation {
  const endpoint = (settings?.endpoint ?? environment.HF_ENDPOINT ?? 'https://huggingface.co').replace(/\/+$/, '');
  checkEndpoint(endpoint);
  return {
    endpoint,
    cache: resolve(settings?.cache ?? locateCache(environment)),
    token: settings?.token ?? environment.HF_TOKEN ?? undefined,
  };
}

function locateCache(environment: Environment): string {
  const chosen = environment.HF_HUB_CACHE ?? environment.HUGGINGFACE_HUB_CACHE;
  if (chosen) return expandHome(chosen);
  const home = environment.HF_HOME;
  if (home) return join(expandHome(home), 'hub');
  const caches = environment.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return join(caches, 'huggingface', 'hub');
}

function expandHome(path: string): string {
  return path.replace(/^~(?=$|[/\\])/, homedir());
}

function checkEndpoint(endpoint: string): void {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url && /^https?:$/.test(url.protocol) && !url.username && !url.password) return;
  throw new TuneError('usage', 'hub endpoint: expected an address such as https://host, got another', {
    hint: 'Correct the setting for the Hub endpoint, or HF_ENDPOINT. A token has a setting of its own.',
  });
}

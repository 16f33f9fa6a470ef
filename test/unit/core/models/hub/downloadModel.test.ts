import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { downloadModel, type HubPlan, type HubProgress } from '../../../../../src/core/models/hub/downloadModel.ts';
import { parseHubReference } from '../../../../../src/core/models/hub/hubLocation.ts';
import { openModel } from '../../../../../src/core/models/openModel.ts';
import { TuneError } from '../../../../../src/shared/errors.ts';
import { makeTemporaryFolder } from '../../formats/temporaryFolder.ts';
import { HubServer } from './hubServer.ts';

const fixture = join(import.meta.dirname, '../../../../fixtures/models/folder');
const reference = parseHubReference('org/name')!;
const weights = readFileSync(join(fixture, 'model.safetensors'));
const root = makeTemporaryFolder();
let server: HubServer;
let cache: string;
let count = 0;

beforeEach(async () => {
  cache = join(root, String(count++));
  server = await HubServer.start();
  for (const name of readdirSync(fixture)) server.files.set(name, readFileSync(join(fixture, name)));
  server.files.set('README.md', Buffer.from('not needed'));
  server.files.set('pytorch_model.bin', Buffer.from('never wanted'));
});
afterEach(() => server.stop());

function options(token: string | null = null) {
  return {
    settings: { endpoint: server.endpoint, cache, token },
    environment: {},
    retryDelayMs: 1,
    idleTimeoutMs: 2000,
    countFreeBytes: () => 2 ** 40,
  };
}

async function catchDownloadError(more: object = {}, token: string | null = null): Promise<TuneError> {
  const error: unknown = await downloadModel(reference, { ...options(token), ...more }).then(
    () => new Error('downloaded'),
    reason => reason,
  );
  if (error instanceof TuneError) return error;
  throw error;
}

const folder = () => join(cache, 'models--org--name');
const snapshot = () => join(folder(), 'snapshots', HubServer.commit);
const blobs = () => readdirSync(join(folder(), 'blobs')).sort();

describe('downloadModel', () => {
  it('leaves the layout of the Hub cache with only the files that are needed, and opens', async () => {
    const plans: HubPlan[] = [];
    const progress: HubProgress[] = [];
    const path = await downloadModel(reference, {
      ...options(),
      onPlan: plan => plans.push(plan),
      onProgress: each => progress.push(each),
    });
    expect(path).toBe(snapshot());
    expect(readdirSync(path).sort()).toEqual(readdirSync(fixture).sort());
    for (const name of readdirSync(fixture)) {
      expect(readFileSync(join(path, name)).equals(readFileSync(join(fixture, name)))).toBe(true);
      if (process.platform === 'win32') continue;
      expect(lstatSync(join(path, name)).isSymbolicLink()).toBe(true);
      expect(readlinkSync(join(path, name))).toMatch(/^\.\.\/\.\.\/blobs\/[0-9a-f]+$/);
    }
    expect(readFileSync(join(folder(), 'refs/main'), 'utf8')).toBe(HubServer.commit);
    expect(blobs()).toHaveLength(readdirSync(fixture).length);

    const totalBytes = readdirSync(fixture).reduce((sum, name) => sum + statSync(join(fixture, name)).size, 0);
    expect(plans).toMatchObject([{ repository: 'org/name', licence: 'apache-2.0', totalBytes }]);
    expect(progress.at(-1)).toMatchObject({ doneBytes: totalBytes, totalBytes });
    const done = progress.map(each => each.doneBytes);
    expect(done).toEqual([...done].sort((a, b) => a - b));
  });

  it('is what openModel does with a Hub id, and needs no network the second time', async () => {
    const open = () => openModel('org/name', { tinyFolder: fixture, hub: options() });
    (await open()).close();
    const requests = server.seen.length;
    const model = await open();
    expect(server.seen).toHaveLength(requests);
    expect(model).toMatchObject({ id: 'org/name', path: snapshot(), modelType: 'llama' });
    expect(model.weights.names).toContain('model.norm.weight');
    model.close();
  });

  it('continues a partial file where it ended', async () => {
    await downloadModel(reference, options());
    const sha256 = blobs().find(name => name.length === 64)!;
    cache = join(root, String(count++));
    mkdirSync(join(folder(), 'blobs'), { recursive: true });
    writeFileSync(join(folder(), 'blobs', `${sha256}.incomplete`), weights.subarray(0, 10_000));
    server.seen.length = 0;
    await downloadModel(reference, options());
    expect(server.seen.filter(each => each.host === 'storage').map(each => each.range)).toEqual(['bytes=10000-']);
    expect(readFileSync(join(snapshot(), 'model.safetensors')).equals(weights)).toBe(true);
    expect(blobs().filter(name => name.endsWith('.incomplete'))).toEqual([]);
  });

  it('starts a file anew when the server knows no ranges', async () => {
    await downloadModel(reference, options());
    const sha256 = blobs().find(name => name.length === 64)!;
    cache = join(root, String(count++));
    mkdirSync(join(folder(), 'blobs'), { recursive: true });
    writeFileSync(join(folder(), 'blobs', `${sha256}.incomplete`), Buffer.alloc(10_000, 1));
    server.interfere = (request, response) => {
      if (request.host !== 'storage') return false;
      response.writeHead(200, { 'content-length': String(weights.length) }).end(weights);
      return true;
    };
    await downloadModel(reference, options());
    expect(readFileSync(join(snapshot(), 'model.safetensors')).equals(weights)).toBe(true);
  });

  it('goes on after a connection that broke, as often as each attempt brings something', async () => {
    let attempts = 0;
    server.interfere = (request, response) => {
      if (request.host !== 'storage' || ++attempts > 8) return false;
      const start = Number(/\d+/.exec(request.range ?? '0')![0]);
      response.writeHead(start > 0 ? 206 : 200, {
        'content-length': String(weights.length - start),
        'content-range': `bytes ${start}-${weights.length - 1}/${weights.length}`,
      });
      // A broken connection throws away what the client has not read yet: let it read first.
      response.write(weights.subarray(start, start + 1000), () => setTimeout(() => response.destroy(), 25));
      return true;
    };
    await downloadModel(reference, options());
    expect(attempts).toBe(9);
    expect(readFileSync(join(snapshot(), 'model.safetensors')).equals(weights)).toBe(true);
  });

  it('gives up on a server that never delivers, and keeps what came', async () => {
    server.interfere = (request, response) => {
      if (request.host !== 'storage') return false;
      response.destroy();
      return true;
    };
    const error = await catchDownloadError();
    expect(error.code).toBe('download-failed');
    expect(error.hint).toContain('kept and continued');
    expect(existsSync(join(folder(), 'refs'))).toBe(false);
  });

  it('ends a download from which nothing comes any more', async () => {
    server.interfere = (request, response) => {
      if (request.host !== 'storage') return false;
      response.writeHead(200, { 'content-length': String(weights.length) }).write(weights.subarray(0, 100));
      return true;
    };
    const error = await catchDownloadError({ idleTimeoutMs: 60 });
    expect(error.code).toBe('download-failed');
  });

  it('refuses content with another checksum and removes it', async () => {
    server.interfere = (request, response) => {
      if (request.host !== 'storage') return false;
      response.writeHead(200, { 'content-length': String(weights.length) }).end(Buffer.alloc(weights.length));
      return true;
    };
    const error = await catchDownloadError();
    expect(error.message).toMatch(/model.safetensors with checksum [0-9a-f]{64}, got [0-9a-f]{64}/);
    expect(blobs().filter(name => name.length > 40)).toEqual([]);
    expect(existsSync(join(snapshot(), 'model.safetensors'))).toBe(false);
  });

  it('sends the token to the Hub and to no other host', async () => {
    await downloadModel(reference, options('hf_secret'));
    expect(server.seen.some(each => each.host === 'storage')).toBe(true);
    for (const request of server.seen) {
      expect(request.authorization).toBe(request.host === 'hub' ? 'Bearer hf_secret' : undefined);
    }
  });

  it.each<[string, number, string, string | null, string, RegExp]>([
    [
      'a gated model without a token',
      401,
      'GatedRepo',
      null,
      'model-gated',
      /Accept the licence at http.*org\/name, make a token/,
    ],
    ['a gated model with a token', 403, 'GatedRepo', 'hf_secret', 'model-gated', /with the account of your token/],
    ['a refused token', 401, '', 'hf_secret', 'model-gated', /The token was refused/],
    ['a private or unknown model', 401, 'RepoNotFound', null, 'model-not-found', /Check the spelling/],
    ['a missing model', 404, 'RepoNotFound', null, 'model-not-found', /Check the spelling/],
    ['a missing revision', 404, 'RevisionNotFound', null, 'model-not-found', /Check the spelling/],
    ['a broken Hub', 500, '', null, 'download-failed', /Check the connection/],
  ])('names %s before anything starts, without the token', async (_what, status, reason, token, code, hint) => {
    server.interfere = (_request, response) => {
      response.writeHead(status, { 'x-error-code': reason }).end('{}');
      return true;
    };
    const error = await catchDownloadError({}, token);
    expect(error.code).toBe(code);
    expect(error.message).toContain('org/name: expected');
    expect(error.hint).toMatch(hint);
    expect(JSON.stringify([error.message, error.hint, String(error.cause)])).not.toContain('hf_secret');
    expect(existsSync(cache)).toBe(false);
  });

  it('sees that files are gated although the model may be looked at', async () => {
    server.interfere = (request, response) => {
      if (request.path.startsWith('/api/')) return false;
      response.writeHead(401, { 'x-error-code': 'GatedRepo' }).end();
      return true;
    };
    expect((await catchDownloadError()).code).toBe('model-gated');
    expect(existsSync(cache)).toBe(false);
  });

  it('refuses to start when the disk has too little room, with both numbers', async () => {
    const error = await catchDownloadError({ countFreeBytes: () => 1000 });
    expect(error.code).toBe('disk-full');
    expect(error.message).toMatch(/expected \d+ free bytes in the Hub cache, got 1000/);
    expect(server.seen.filter(each => each.method === 'GET' && each.path.includes('resolve'))).toEqual([]);
  });

  it('downloads the shards that the index lists, and no others', async () => {
    server.files.delete('model.safetensors');
    server.files.set('a.safetensors', weights);
    server.files.set('consolidated.safetensors', Buffer.from('not in the index'));
    server.files.set('model.safetensors.index.json', Buffer.from('{"weight_map":{"x":"a.safetensors"}}'));
    const path = await downloadModel(reference, options());
    expect(readdirSync(path).filter(name => name.includes('safetensors'))).toEqual([
      'a.safetensors',
      'model.safetensors.index.json',
    ]);
  });

  it('refuses an index that names a file elsewhere, or one that is not there', async () => {
    server.files.set('model.safetensors.index.json', Buffer.from('{"weight_map":{"x":"../../x.safetensors"}}'));
    expect((await catchDownloadError()).message).toMatch(/got a broken index/);
    server.files.set('model.safetensors.index.json', Buffer.from('{"weight_map":{"x":"b.safetensors"}}'));
    expect((await catchDownloadError()).message).toMatch(/none named b.safetensors/);
  });

  it('downloads one GGUF file of a repository, and lists them when none was named', async () => {
    server.files.clear();
    const gguf = readFileSync(join(fixture, '../llama.gguf'));
    server.files.set('model-q8_0.gguf', gguf);
    const error = await catchDownloadError();
    expect(error.hint).toBe('Name one of its files: org/name/model-q8_0.gguf');
    const model = await openModel('org/name/model-q8_0.gguf', { tinyFolder: fixture, hub: options() });
    expect(model).toMatchObject({ format: 'gguf', modelType: 'llama' });
    model.close();
  });

  it('refuses a model that has only pickle weights', async () => {
    server.files.delete('model.safetensors');
    const error = await catchDownloadError();
    expect(error.code).toBe('model-unsupported');
    expect(error.message).toContain('pytorch_model.bin, which is a pickle');
    expect(existsSync(cache)).toBe(false);
  });

  it('says the licence that a model card names itself', async () => {
    server.card = { license: 'other', license_name: 'llama-licence', license_link: 'LICENSE' };
    const plans: HubPlan[] = [];
    await downloadModel(reference, { ...options(), onPlan: plan => plans.push(plan) });
    expect(plans[0]!.licence).toBe('llama-licence');
  });

  it.each<[string, Record<string, string>]>([
    ['an etag that is a path', { etag: '"../../evil"', 'content-length': '4' }],
    ['no etag', { 'content-length': '4' }],
    ['no size', { etag: '"abc"', 'transfer-encoding': 'chunked' }],
  ])('refuses %s', async (_what, headers) => {
    server.interfere = (request, response) => {
      if (request.method !== 'HEAD') return false;
      response.writeHead(200, headers).end();
      return true;
    };
    expect((await catchDownloadError()).message).toMatch(/no size and checksum of/);
  });

  it.each(['not json', '{}', '{"sha":"../..","siblings":[]}', '{"sha":1}'])('refuses the model info %s', async body => {
    server.interfere = (_request, response) => {
      response.writeHead(200).end(body);
      return true;
    };
    expect((await catchDownloadError()).code).toBe('download-failed');
  });

  it('ends a circle of redirects', async () => {
    server.interfere = (request, response) => {
      response.writeHead(307, { location: request.path }).end();
      return true;
    };
    expect((await catchDownloadError()).message).toMatch(/more than 6 redirects/);
  });

  it('stops when it is cancelled, which is no error of ours, and keeps what came', async () => {
    const abort = new AbortController();
    server.interfere = (request, response) => {
      if (request.host !== 'storage') return false;
      response.writeHead(200, { 'content-length': String(weights.length) }).write(weights.subarray(0, 5000));
      setTimeout(() => abort.abort(new Error('cancelled')), 50);
      return true;
    };
    await expect(downloadModel(reference, { ...options(), signal: abort.signal })).rejects.toThrow('cancelled');
    expect(blobs().filter(name => name.endsWith('.incomplete'))).toHaveLength(1);
    expect(readdirSync(join(cache, '.locks', 'models--org--name'))).toEqual([]);
  });

  it('lets two downloads of one model run at once', async () => {
    const paths = await Promise.all([downloadModel(reference, options()), downloadModel(reference, options())]);
    expect(paths).toEqual([snapshot(), snapshot()]);
    expect(server.seen.filter(each => each.host === 'storage')).toHaveLength(1);
  });

  it('says where the connection failed when there is none and no copy', async () => {
    await server.stop();
    const error = await catchDownloadError();
    expect(error).toMatchObject({ code: 'download-failed' });
    expect(error.message).toContain(`an answer from ${options().settings.endpoint}, got ECONNREFUSED`);
  });
});

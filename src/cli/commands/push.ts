/** `tuning-fork push`: an exported folder -> a repository of the Hub. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { locateHub, parseHubReference } from '../../core/models/hub/hubLocation.ts';
import { pushFolder } from '../../core/models/hub/push/pushFolder.ts';
import { exitCodes } from '../../shared/commandLine.ts';
import { TuneError } from '../../shared/errors.ts';
import { tellProgress } from '../answering.ts';
import type { Command } from '../command.ts';
import { interruptible } from '../interruptible.ts';

const retryDelayMs = 500;

export const push: Command = {
  name: 'push',
  summary: 'Push an exported folder to the Hub.',
  usage: '<folder> --repo ORGANISATION/NAME [--public] [--yes]',
  options: [
    { name: 'repo', value: 'R', help: 'Repository, made when it is missing.' },
    { name: 'public', help: 'Make a new repository public; without it only you and your organisation see it.' },
    { name: 'yes', help: 'Do not ask first.' },
    { name: 'message', value: 'TEXT', help: 'Of the commit, default "Upload with Tuning Fork".' },
  ],
  maxPositionals: 1,
  details:
    'The token is taken from HF_TOKEN, the address from HF_ENDPOINT. Pushing again sends only what is not there yet.',
  run: (args, output) =>
    interruptible(output, async signal => {
      const folder = resolve(args.positional(0, 'folder'));
      const repository = args.required('repo');
      const { endpoint, token } = locateHub(undefined, process.env);
      const isPrivate = !args.has('public');
      if (!existsSync(resolve(folder, 'README.md'))) {
        throw new TuneError('usage', `${folder}: expected an exported folder with README.md, got none`, {
          file: folder,
          hint: 'Export first: tuning-fork export <run> --format ... --out DIR',
        });
      }
      if (parseHubReference(repository)?.repository !== repository) {
        throw new TuneError('usage', `--repo: expected organisation/name, got "${repository}"`);
      }
      if (token === undefined) {
        throw new TuneError('model-gated', 'push: expected a token in HF_TOKEN, got none', {
          hint: 'Make a token with leave to write in the settings of your account on the Hub.',
        });
      }
      const kind = isPrivate ? 'private' : 'public';
      if (
        !args.has('yes') &&
        !(await confirm(`Push ${folder} to ${endpoint}/${repository} (${kind} when new)? [y/N] `))
      ) {
        throw new TuneError('usage', 'push: expected a yes, got none', {
          hint: 'Say --yes to push without a question.',
        });
      }
      const pushed = await pushFolder(
        folder,
        { endpoint, token, repository, signal, retryDelayMs },
        {
          isPrivate,
          message: args.one('message') ?? 'Upload with Tuning Fork',
          onProgress: (done, total) => tellProgress(output, 'uploading', done, total),
        },
      );
      output.say(pushed.url);
      output.line({ type: 'result', ...pushed });
      return exitCodes.done;
    }),
};

async function confirm(question: string): Promise<boolean> {
  if (process.stdin.isTTY !== true) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(question)).trim());
  } finally {
    terminal.close();
  }
}

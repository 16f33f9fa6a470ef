/** @file What every child process needs: the Node to run on, a clean environment, a working directory that is not the workspace. */
import { execFile } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { pythonVariable } from '../../shared/pythonReport.ts';
import { cleanEnvironment, type Environment } from './childEnvironment.ts';
import { type NodeChoice, resolveNode } from './resolveNode.ts';

export interface ChildContext {
  /** The folder of trainer.js, dataset.js and inference.js. */
  programFolder: string;
  /** Working directory of children; outside every workspace. */
  workingFolder: string;
  nodeSetting(): string;
  /** The user's own Python; empty for the environment of ours. */
  pythonSetting(): string;
  workspaceFolders(): readonly string[];
  log(line: string): void;
  /** Said once when nothing better than the editor's own Electron was found. */
  noticeElectron(): void;
}

export interface ChildCommand {
  file: string;
  arguments: string[];
  options: { cwd: string; env: Environment; windowsHide: true };
}

export class ChildPrograms {
  private readonly choices = new Map<string, Promise<NodeChoice>>();
  private hasNoticedElectron = false;

  constructor(private readonly context: ChildContext) {}

  /** @throws TuneError `usage` when the setting names no usable Node */
  async prepare(
    program: 'trainer' | 'dataset' | 'inference' | 'augment' | 'python' | 'exporter' | 'tracker' | 'server',
  ): Promise<ChildCommand> {
    const node = await this.findNode();
    if (node.source === 'electron' && !this.hasNoticedElectron) {
      this.hasNoticedElectron = true;
      this.context.noticeElectron();
    }
    const python = this.context.pythonSetting();
    const env = { ...this.cleanEnvironment(), ...node.env, ...(python !== '' && { [pythonVariable]: python }) };
    const script = join(this.context.programFolder, `${program}.js`);
    this.context.log(`${program}: ${node.file} ${script} (Node ${node.version}, found by ${node.source})`);
    return {
      file: node.file,
      arguments: [script],
      options: { cwd: this.context.workingFolder, env, windowsHide: true },
    };
  }

  private cleanEnvironment(): Environment {
    return cleanEnvironment(process.env, this.context.workspaceFolders(), delimiter);
  }

  private findNode(): Promise<NodeChoice> {
    const setting = this.context.nodeSetting();
    const workspaceFolders = this.context.workspaceFolders();
    const key = JSON.stringify([setting, workspaceFolders]);
    const known = this.choices.get(key);
    if (known !== undefined) return known;
    const choice = resolveNode({
      setting,
      execPath: process.execPath,
      isElectron: process.versions.electron !== undefined,
      ownVersion: process.version,
      env: process.env,
      platform: process.platform,
      workspaceFolders,
      readVersion: file => this.readVersion(file),
    });
    this.choices.set(key, choice);
    choice.catch(() => this.choices.delete(key));
    return choice;
  }

  private readVersion(file: string): Promise<string | undefined> {
    const env = this.cleanEnvironment();
    const options = { cwd: this.context.workingFolder, env, timeout: 10_000, windowsHide: true };
    return new Promise(resolve => {
      execFile(file, ['--version'], options, (error, output) => {
        const version = output.trim();
        resolve(error === null && /^v\d+\.\d+\.\d+/.test(version) ? version : undefined);
      });
    });
  }
}

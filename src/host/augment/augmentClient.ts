/** @file The augment process as commands see it: calls, progress, and the editor's language models that it asks for answers. */
import * as vscode from 'vscode';
import type { AugmentCalls, AugmentEvents, AugmentQuestions } from '../../shared/augmentProtocol.ts';
import { TuneError } from '../../shared/errors.ts';
import type { HubSettings } from '../../shared/hubSettings.ts';
import { Emitter } from '../emitter.ts';
import type { ChildCommand } from '../processes/childPrograms.ts';
import { RpcProcess } from '../processes/rpcProcess.ts';

const idleMs = 2 * 60_000;

interface AugmentClientContext {
  prepare(): Promise<ChildCommand>;
  readHub(): Promise<HubSettings>;
  log(line: string): void;
  onGivenUp(error: TuneError): void;
}

export class AugmentClient {
  private readonly process: RpcProcess<AugmentCalls, AugmentEvents, AugmentQuestions>;
  private readonly progress = new Emitter<AugmentEvents['augment/progress']>();
  readonly onDidProgress = this.progress.event;

  constructor({ prepare, readHub, log, onGivenUp }: AugmentClientContext) {
    this.process = new RpcProcess({
      name: 'augment',
      idleMs,
      prepare,
      greet: async peer => await peer.call('hub/configure', await readHub()),
      events: { 'augment/progress': event => this.progress.fire(event) },
      answers: { 'teacher/answer': ({ model, messages }, signal) => askModel(model, messages, signal) },
      log,
      onGivenUp,
    });
  }

  call<K extends keyof AugmentCalls & string>(
    name: K,
    parameters: AugmentCalls[K]['parameters'],
    signal?: AbortSignal,
  ): Promise<AugmentCalls[K]['result']> {
    return this.process.call(name, parameters, signal);
  }

  /** The next call starts a new process. */
  end(): void {
    this.process.end();
  }

  dispose(): void {
    this.process.dispose();
  }
}

type Question = AugmentQuestions['teacher/answer'];

/** The editor asks the user's consent at the first request. */
async function askModel(
  id: string,
  messages: Question['parameters']['messages'],
  signal: AbortSignal,
): Promise<Question['result']> {
  const [model] = await vscode.lm.selectChatModels({ id });
  if (model === undefined) {
    throw new TuneError('endpoint-failed', `${id}: expected a language model of the editor, got none of that name`, {
      hint: 'Sign in to its extension, or choose another teacher; answers that came are kept.',
    });
  }
  const cancellation = new vscode.CancellationTokenSource();
  const cancel = () => cancellation.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    // The editor's models take no system text: it goes before the question.
    const asked = messages.map(({ role, content }) =>
      role === 'assistant'
        ? vscode.LanguageModelChatMessage.Assistant(content)
        : vscode.LanguageModelChatMessage.User(content),
    );
    const justification = vscode.l10n.t('Tuning Fork makes new rows for your dataset with it.');
    const response = await model.sendRequest(asked, { justification }, cancellation.token);
    let text = '';
    for await (const part of response.text) text += part;
    return { kind: 'answer', text };
  } catch (error) {
    if (!(error instanceof vscode.LanguageModelError)) throw error;
    if (error.code === vscode.LanguageModelError.Blocked.name) return { kind: 'refused', reason: error.message };
    throw new TuneError('endpoint-failed', `${model.name}: expected an answer, got ${error.message || error.code}`, {
      hint: 'Answers that came are kept: start again to go on.',
      cause: error,
    });
  } finally {
    signal.removeEventListener('abort', cancel);
    cancellation.dispose();
  }
}

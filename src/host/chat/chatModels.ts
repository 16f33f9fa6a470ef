/** @file Tuned runs as models of the editor's chat, under their names: whoever asks `vscode.lm` can ask them. */
import * as vscode from 'vscode';
import { TuneError } from '../../shared/errors.ts';
import type { DecodingSettings } from '../../shared/inferenceProtocol.ts';
import { baseOf, modelLabel, toAdapter } from '../compare/comparePanels.ts';
import type { RunReader } from '../runs/runReader.ts';
import type { Services } from '../services.ts';
import { requireTrust } from '../trust.ts';
import { listTuned } from '../views/adaptersView.ts';
import { askTuned, chatSettings } from './askTuned.ts';
import { type AskedMessage, toConversation } from './chatMessages.ts';

export const chatVendor = 'tuning-fork';

/** Until a model has been opened and said what it takes. */
const presumedContextTokens = 2048;

type ChatModel = vscode.LanguageModelChatInformation;

export function registerChatModels(services: Services): vscode.Disposable {
  const provider = new ChatModels(services);
  return vscode.Disposable.from(provider, vscode.lm.registerLanguageModelChatProvider(chatVendor, provider));
}

class ChatModels implements vscode.LanguageModelChatProvider<ChatModel> {
  private readonly emitter = new vscode.EventEmitter<void>();
  private readonly subscription: vscode.Disposable;
  /** By the base's hash. */
  private readonly contextTokens = new Map<string, number>();
  private listed = '';
  readonly onDidChangeLanguageModelChatInformation = this.emitter.event;

  constructor(private readonly services: Services) {
    const tell = () => {
      const now = JSON.stringify(this.describeAll());
      if (now === this.listed) return;
      this.listed = now;
      this.emitter.fire();
    };
    const changes = services.stores.onDidChange(({ change }) => change !== 'series' && tell());
    this.subscription = vscode.Disposable.from(changes, vscode.workspace.onDidGrantWorkspaceTrust(tell));
  }

  provideLanguageModelChatInformation(): ChatModel[] {
    return this.describeAll();
  }

  async provideLanguageModelChatResponse(
    { id }: ChatModel,
    messages: readonly vscode.LanguageModelChatRequestMessage[],
    { tools, toolMode, modelOptions }: vscode.ProvideLanguageModelChatResponseOptions,
    progress: vscode.Progress<vscode.LanguageModelResponsePart>,
    token: vscode.CancellationToken,
  ): Promise<void> {
    requireTrust();
    if ((tools ?? []).length > 0 || toolMode === vscode.LanguageModelChatToolMode.Required) {
      throw new TuneError('usage', vscode.l10n.t('chat: expected no tools, got some'), {
        hint: vscode.l10n.t('Models tuned here call no tools: ask without them, or choose another model.'),
      });
    }
    const run = this.require(id);
    const abort = new AbortController();
    const subscription = token.onCancellationRequested(() => abort.abort());
    try {
      await askTuned(this.services.inference, {
        adapter: toAdapter(run),
        messages: toConversation(messages.map(toAsked)),
        settings: readSettings(modelOptions),
        signal: abort.signal,
        onText: text => progress.report(new vscode.LanguageModelTextPart(text)),
      });
      void this.learnContext(run);
    } catch (error) {
      if (!abort.signal.aborted) throw error;
    } finally {
      subscription.dispose();
    }
  }

  async provideTokenCount(
    { id }: ChatModel,
    text: string | vscode.LanguageModelChatRequestMessage,
    token: vscode.CancellationToken,
  ): Promise<number> {
    requireTrust();
    const abort = new AbortController();
    const subscription = token.onCancellationRequested(() => abort.abort());
    const all = typeof text === 'string' ? text : toAsked(text).parts.join('');
    try {
      const { model } = toAdapter(this.require(id));
      return (await this.services.inference.call('text/count', { model, text: all }, abort.signal)).tokens;
    } finally {
      subscription.dispose();
    }
  }

  dispose(): void {
    this.subscription.dispose();
    this.emitter.dispose();
  }

  private describeAll(): ChatModel[] {
    if (!vscode.workspace.isTrusted) return [];
    return listTuned(this.services.stores).map(run => {
      const contextTokens = this.contextTokens.get(baseOf(run)) ?? presumedContextTokens;
      return {
        id: run.id,
        name: run.name,
        family: modelLabel(run),
        version: run.id,
        detail: modelLabel(run),
        tooltip: vscode.l10n.t('{0}, tuned from {1}. It runs on this machine.', run.name, modelLabel(run)),
        maxInputTokens: contextTokens,
        maxOutputTokens: Math.min(contextTokens, chatSettings.maxTokens),
        capabilities: { imageInput: false, toolCalling: false },
      };
    });
  }

  private require(id: string): RunReader {
    const run = listTuned(this.services.stores).find(tuned => tuned.id === id);
    if (run !== undefined) return run;
    throw new TuneError('adapter-invalid', vscode.l10n.t('{0}: expected a tuned run, got none of that name.', id));
  }

  private async learnContext(run: RunReader): Promise<void> {
    const base = baseOf(run);
    if (this.contextTokens.has(base)) return;
    try {
      const { contextTokens } = await this.services.inference.call('model/open', { model: toAdapter(run).model });
      this.contextTokens.set(base, contextTokens);
      this.emitter.fire();
    } catch (error) {
      this.services.log.warn(String(error));
    }
  }
}

function toAsked({ role, content }: vscode.LanguageModelChatRequestMessage): AskedMessage {
  const { Assistant, User } = vscode.LanguageModelChatMessageRole;
  return {
    // What is neither of the two is the system's, which the editor sends by a number without a name.
    role: role === Assistant ? 'assistant' : role === User ? 'user' : 'system',
    parts: content.map(part => (part instanceof vscode.LanguageModelTextPart ? part.value : undefined)),
  };
}

/** Options as other providers call them; what is no sensible number is left as it is here. */
function readSettings(options: Readonly<Record<string, unknown>> | undefined): DecodingSettings {
  const number = (names: readonly string[], from: number, to: number): number | undefined =>
    names
      .map(name => options?.[name])
      .find((value): value is number => typeof value === 'number' && value >= from && value <= to);
  return {
    maxTokens: Math.floor(number(['maxTokens', 'max_tokens'], 1, 1e6) ?? chatSettings.maxTokens),
    temperature: number(['temperature'], 0, 2) ?? chatSettings.temperature,
    topP: number(['topP', 'top_p'], 1e-6, 1) ?? chatSettings.topP,
    seed: Math.floor(number(['seed'], 0, Number.MAX_SAFE_INTEGER) ?? chatSettings.seed),
  };
}

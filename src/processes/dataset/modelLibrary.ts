/** @file The model opened last, kept for the next question about it: its tokenizer and chat template, never its weights. */
import { statSync } from 'node:fs';
import { type ModelText, openModelText } from '../../core/jobs/prepare/openModelText.ts';
import { HubCache } from '../../core/models/hub/hubCache.ts';
import { locateHub, parseHubReference } from '../../core/models/hub/hubLocation.ts';
import { measureModel } from '../../core/models/measureModel.ts';
import type { OpenModel } from '../../core/models/openedModel.ts';
import { openModel } from '../../core/models/openModel.ts';
import type { ModelSize } from '../../shared/datasetProtocol.ts';
import type { HubSettings } from '../../shared/hubSettings.ts';

export class ModelLibrary {
  private hub: HubSettings | undefined;
  private known: { reference: string; model: OpenModel; text: ModelText; size: ModelSize } | undefined;

  constructor(private readonly tinyFolder: string) {}

  configure(hub: HubSettings): void {
    this.hub = hub;
    this.close();
  }

  get options(): { tinyFolder: string; hub: HubSettings | undefined } {
    return { tinyFolder: this.tinyFolder, hub: this.hub };
  }

  /** Whether the model is a Hub id that is not on this machine yet; nothing is downloaded only to look at data. */
  needsDownload(reference: string): boolean {
    if (reference === 'tiny' || statSync(reference, { throwIfNoEntry: false }) !== undefined) return false;
    const hubReference = parseHubReference(reference);
    if (!hubReference) return false;
    const { cache } = locateHub(this.hub, process.env);
    return new HubCache(cache, hubReference.repository).findComplete(hubReference) === undefined;
  }

  /** @throws TuneError as openModel, `tokenizer-invalid`, `template-invalid` */
  async openText(reference: string): Promise<ModelText> {
    return (await this.open(reference)).text;
  }

  /** What counts its tokens, and how large it is. @throws TuneError as openText */
  async open(reference: string): Promise<{ text: ModelText; size: ModelSize }> {
    if (this.known?.reference === reference && isUnchanged(this.known.model)) return this.known;
    this.close();
    const model = await openModel(reference, {
      tinyFolder: this.tinyFolder,
      hub: this.hub === undefined ? undefined : { settings: this.hub },
    });
    try {
      this.known = { reference, model, text: openModelText(model), size: measureModel(model.config) };
      return this.known;
    } catch (error) {
      model.close();
      throw error;
    }
  }

  close(): void {
    this.known?.model.close();
    this.known = undefined;
  }
}

/** A model folder may be replaced while the editor is open. */
function isUnchanged(model: OpenModel): boolean {
  return model.weightFiles.every(({ path, bytes }) => statSync(path, { throwIfNoEntry: false })?.size === bytes);
}

/** @file The form's acts: each changes the model, asks the dataset process what must be asked again, and publishes a snapshot. */
import type { DatasetCalls, ForecastReport } from '../../shared/datasetProtocol.ts';
import { TuneError, toWireError } from '../../shared/errors.ts';
import type { HyperparameterName } from '../../shared/hyperparameters.ts';
import type { FormMessage, FormState, ModelChoice, PythonSummary, TrackerChoice } from '../../shared/pages.ts';
import type { RunRecord, RunRequest } from '../../shared/recipe.ts';
import type { TrackerKind } from '../../shared/trackers.ts';
import { Emitter } from '../emitter.ts';
import {
  buildRequest,
  emptyForm,
  type FormDefaults,
  type FormModel,
  nameAfter,
  toFormState,
  withDataset,
  withFit,
  withInspection,
  withMapping,
  withModel,
  withName,
  withOverride,
  withPreset,
  withRecipe,
  withStart,
  withSuggestion,
  withTeacher,
  withText,
  withTracker,
} from './formModel.ts';
import { LatestTask } from './latestTask.ts';
import { type FormStart, withAdapter, withoutAdapter, withStartMode } from './startFrom.ts';

export type DatasetCaller = <K extends keyof DatasetCalls & string>(
  name: K,
  parameters: DatasetCalls[K]['parameters'],
  signal?: AbortSignal,
) => Promise<DatasetCalls[K]['result']>;

export interface DatasetFollower {
  follow(path: string | null): void;
  dispose(): void;
}

export interface FormServices {
  isTrusted(): boolean;
  call: DatasetCaller;
  listModels(): Promise<ModelChoice[]>;
  /** Spawns the trainer and shows the run. */
  start(request: RunRequest, trackers: readonly TrackerKind[]): Promise<void>;
  /** Asks for a time budget, then starts a search over models and settings; does nothing when the user gives none. */
  findBest(request: RunRequest, models: readonly string[]): Promise<void>;
  defaults(): FormDefaults;
  /** Where a run can be reported. */
  listTrackers(chosen: readonly TrackerKind[]): TrackerChoice[];
  /** Keeps the form over a reload. */
  remember(form: FormModel): void;
  recall(): FormModel | undefined;
  /** The name itself, or with a number behind it when a run has it already. */
  findFreeName(name: string): string;
  /** The forecast with the time of the run, from a few seconds of training. */
  measureTime(request: RunRequest, signal: AbortSignal): Promise<ForecastReport>;
  chooseDataset(): Promise<string | undefined>;
  chooseModel(models: readonly ModelChoice[]): Promise<string | undefined>;
  /** The folder of a run or an adapter. */
  chooseAdapter(): Promise<string | undefined>;
  openLine(path: string, line: number): Promise<void>;
  openTrust(): Promise<void>;
  /** Null until it was looked for. */
  knownPython(): PythonSummary | null;
  /** Looks for it; `onDidChangePython` tells what came of it. */
  lookForPython(): void;
  setUpPyTorch(): Promise<void>;
  /** Follows one file at a time and says when it changed. */
  watchDataset(onDidChange: () => void): DatasetFollower;
}

const inspectDelayMs = 120;
const forecastDelayMs = 350;
/** Models that "Find the best" looks at: each costs a few seconds of its time. */
const mostCandidates = 5;

export class FormController {
  private form: FormModel;
  /** Undefined until looked for: a snapshot without them would make the page take the model for one typed freely. */
  private models: ModelChoice[] | undefined;
  private isStarting = false;
  private readonly publishSoon = () => {
    if (this.isReady) this.emitter.fire();
  };
  private readonly inspecting = new LatestTask(inspectDelayMs, this.publishSoon);
  private readonly forecasting = new LatestTask(forecastDelayMs, this.publishSoon);
  private readonly watch: DatasetFollower;
  private readonly emitter = new Emitter<void>();
  readonly onDidChange = this.emitter.event;

  constructor(private readonly services: FormServices) {
    this.form = services.recall() ?? emptyForm(services.defaults());
    this.watch = services.watchDataset(() => this.inspect());
    this.watch.follow(this.form.datasetPath);
  }

  /** Whether a snapshot can be shown. */
  get isReady(): boolean {
    return this.models !== undefined;
  }

  snapshot(): FormState {
    return toFormState(this.form, {
      trusted: this.services.isTrusted(),
      models: this.models ?? [],
      python: this.services.knownPython(),
      inspecting: this.inspecting.isBusy,
      forecasting: this.forecasting.isBusy,
      starting: this.isStarting,
      trackers: this.services.listTrackers(this.form.trackers),
    });
  }

  /** Trust, settings or the folders changed. */
  async refreshSurroundings(): Promise<void> {
    this.services.lookForPython();
    this.models = await this.services.listModels();
    this.publishSoon();
  }

  /** The PyTorch engine came, went or changed. */
  refreshPython(): void {
    this.publishSoon();
    this.makeForecast();
  }

  useDataset(path: string): void {
    this.change(this.withFreeName(withDataset(this.form, path)));
    this.inspect();
  }

  useRecipe(source: RunRecord | RunRequest, name: string): void {
    this.change(withRecipe(this.form, source, this.services.findFreeName(name)));
    this.inspect();
  }

  async receive(message: FormMessage): Promise<void> {
    switch (message.type) {
      case 'page/ready':
        this.publishSoon();
        await this.refreshSurroundings();
        if (this.form.datasetPath !== null && this.form.inspection === null && !this.inspecting.isBusy) this.inspect();
        return;
      case 'form/set':
        return this.setText(message.name as HyperparameterName, message.text);
      case 'form/name':
        return this.change(withName(this.form, message.name));
      case 'form/model':
        return this.useModel(message.model);
      case 'form/teacher':
        return this.useTeacher(message.teacher);
      case 'form/mapping':
        this.change(withMapping(this.form, message.mapping));
        return this.inspect();
      case 'form/override':
        this.change(withOverride(this.form, message.name, message.on));
        return this.makeForecast();
      case 'form/showRow':
        return await this.showRow(message.row);
      case 'form/openLine':
        if (this.form.datasetPath !== null) await this.services.openLine(this.form.datasetPath, message.line);
        return;
      case 'form/chooseDataset': {
        const path = await this.services.chooseDataset();
        if (path !== undefined) this.useDataset(path);
        return;
      }
      case 'form/chooseModel': {
        const model = await this.services.chooseModel(this.models ?? []);
        if (model !== undefined) this.useModel(model);
        return;
      }
      case 'form/chooseTeacher': {
        const teacher = await this.services.chooseModel(this.models ?? []);
        if (teacher !== undefined) this.useTeacher(teacher);
        return;
      }
      case 'form/startMode':
        return this.useStart(withStartMode(this.form.start, message.mode));
      case 'form/removeAdapter':
        return this.useStart(withoutAdapter(this.form.start, message.path));
      case 'form/addAdapter': {
        const adapter = await this.services.chooseAdapter();
        if (adapter !== undefined) this.useStart(withAdapter(this.form.start, adapter));
        return;
      }
      case 'form/suggest':
        return this.changeValues(withSuggestion(this.form, message.on));
      case 'form/preset':
        return this.usePreset(message.id);
      case 'form/setUpPyTorch':
        await this.services.setUpPyTorch();
        return this.makeForecast();
      case 'form/tracker':
        return this.change(withTracker(this.form, message.kind, message.on));
      case 'form/fit':
        return this.changeValues(withFit(this.form));
      case 'form/measure':
        return this.measureTime();
      case 'form/reset':
        return this.reset();
      case 'form/trust':
        return await this.services.openTrust();
      case 'form/start':
        return await this.start(request => this.services.start(request, this.form.trackers));
      case 'form/findBest':
        return await this.start(request => this.services.findBest(request, this.listCandidates(request.model)));
    }
  }

  dispose(): void {
    this.inspecting.dispose();
    this.forecasting.dispose();
    this.watch.dispose();
  }

  private change(form: FormModel): void {
    this.form = form;
    this.watch.follow(form.datasetPath);
    this.services.remember(form);
    this.publishSoon();
  }

  private withFreeName(form: FormModel): FormModel {
    if (form.runNameChosen || form.datasetPath === null) return form;
    return { ...form, runName: this.services.findFreeName(nameAfter(form.datasetPath)) };
  }

  private setText(name: HyperparameterName, text: string): void {
    this.changeValues(withText(this.form, name, text));
  }

  private changeValues(form: FormModel): void {
    const before = this.form.values;
    this.change(form);
    if (this.form.values !== before) this.askAgain(before.contextTokens);
  }

  /** The context decides which rows are too long, so that the file is looked at again when it changed. */
  private askAgain(contextTokens: number): void {
    if (this.form.values.contextTokens !== contextTokens) this.inspect();
    else this.makeForecast();
  }

  private useModel(model: string): void {
    this.change(withModel(this.form, model));
    this.inspect();
  }

  private usePreset(id: string): void {
    const { model } = this.form;
    this.changeValues(withPreset(this.form, id));
    if (this.form.model !== model) this.inspect();
  }

  private useTeacher(teacher: string): void {
    this.change(withTeacher(this.form, teacher));
    this.makeForecast();
  }

  private useStart(start: FormStart): void {
    this.change(withStart(this.form, start));
    this.makeForecast();
  }

  private reset(): void {
    const { datasetPath } = this.form;
    const fresh = emptyForm(this.services.defaults());
    this.change(datasetPath === null ? fresh : this.withFreeName(withDataset(fresh, datasetPath)));
    this.inspect();
  }

  private inspect(): void {
    this.forecasting.cancel();
    const { datasetPath, mapping, model, values } = this.form;
    if (datasetPath === null) {
      this.inspecting.cancel();
      return;
    }
    const parameters = {
      path: datasetPath,
      mapping,
      model: model === '' ? null : model,
      contextTokens: values.contextTokens,
    };
    this.inspecting.schedule(async signal => {
      try {
        const inspection = await this.services.call('dataset/inspect', parameters, signal);
        if (signal.aborted) return;
        this.change(withInspection(this.form, inspection));
        this.askAgain(parameters.contextTokens);
      } catch (error) {
        if (!signal.aborted) this.change({ ...this.form, inspection: null, forecast: null, error: toWireError(error) });
      }
    });
  }

  /** Whoever measures knows no Python: which engine the run takes stays as it was found before, and PyTorch has no time. */
  private measureTime(): void {
    const engine = this.form.forecast?.engine;
    if (engine?.engine === 'pytorch') {
      this.makeForecast();
      return;
    }
    this.makeForecast(async (request, signal) => {
      const report = await this.services.measureTime(request, signal);
      return engine === undefined ? report : { ...report, engine };
    });
  }

  private makeForecast(
    ask = (request: RunRequest, signal: AbortSignal) =>
      this.services.call('dataset/forecast', { request }, signal) as Promise<ForecastReport>,
  ): void {
    const request = buildRequest(this.form);
    if (request === undefined || this.form.inspection === null) {
      this.forecasting.cancel();
      return;
    }
    this.forecasting.schedule(async signal => {
      try {
        const forecast = await ask(request, signal);
        if (!signal.aborted) this.change({ ...this.form, forecast });
      } catch (error) {
        const nothing = { forecast: null, trainingMs: null, fit: null, findings: [] };
        const forecast = { ...nothing, canStart: false, error: toWireError(error) };
        if (!signal.aborted) this.change({ ...this.form, forecast });
      }
    });
  }

  private async showRow(row: number): Promise<void> {
    const { datasetPath, mapping, model, values } = this.form;
    if (datasetPath === null || model === '') return;
    const { contextTokens } = values;
    try {
      const tokens = await this.services.call('dataset/row', { path: datasetPath, mapping, model, row, contextTokens });
      if (this.form.datasetPath === datasetPath) this.change({ ...this.form, row: tokens, error: null });
    } catch (error) {
      this.change({ ...this.form, row: null, error: toWireError(error) });
    }
  }

  /** The chosen model first; others that are on this machine. */
  private listCandidates(chosen: string): string[] {
    const others = (this.models ?? []).map(({ id }) => id).filter(id => id !== chosen);
    return [chosen, ...others].slice(0, mostCandidates);
  }

  private async start(begin: (request: RunRequest) => Promise<void>): Promise<void> {
    if (this.isStarting) return;
    this.isStarting = true;
    this.change({ ...this.form, error: null });
    try {
      await begin(this.requireRequest());
      this.form = this.withFreeName(this.form);
    } catch (error) {
      this.form = { ...this.form, error: toWireError(error) };
    }
    this.isStarting = false;
    this.publishSoon();
  }

  /** What the form asks for. @throws TuneError `usage` while something is missing or wrong, `untrusted-workspace` */
  requireRequest(): RunRequest {
    if (!this.services.isTrusted()) {
      throw new TuneError('untrusted-workspace', 'start: expected a trusted workspace, got Restricted Mode', {
        hint: 'Trust the workspace to start a run; reading and checking datasets works without.',
      });
    }
    const request = buildRequest(this.form);
    if (request === undefined) {
      throw new TuneError('usage', 'start: expected a form without problems, got one with marked fields', {
        hint: 'Correct the marked fields.',
      });
    }
    return request;
  }
}

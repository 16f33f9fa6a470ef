/** @file An ONNX model -> a session that runs it, with the options that suit training on shared weights. */
import { TuneError } from '../../shared/errors.ts';
import type { Device } from '../../shared/hyperparameters.ts';
import { encodeOnnxModel, type OnnxModel } from '../formats/onnxModel.ts';
import { halveProducts } from '../graph/halveProducts.ts';
import { loadOnnxRuntime, type OnnxRuntime } from './onnxRuntime.ts';
import type { RuntimeTensor } from './tensor.ts';

export interface SessionOptions {
  /** 0 leaves the choice to ONNX Runtime: one a physical core. */
  readonly threads?: number | undefined;
  /** Where operators run; those that its provider lacks run on the CPU. Default cpu. */
  readonly device?: Device | undefined;
  /** Products in float16, see `halveProducts`; of a model that is given as such, not as bytes. */
  readonly halfPrecision?: boolean | undefined;
  /** Lets ONNX Runtime keep its own copy of constant weights, laid out for its kernels. Off: weights are inputs. */
  readonly prepackWeights?: boolean | undefined;
  /** Writes the time of every operator to `<prefix>_<date>.json` when the session is released; absent: nothing. */
  readonly profilePrefix?: string | undefined;
}

const isElectron = process.versions.electron !== undefined;

/**
 * One compiled graph. `run` blocks the thread that calls it until the outputs are there.
 * Memory patterns are off (they cost a quarter of the peak and gain nothing); the arena is on (10-20 % faster), but not
 * in Electron, whose allocator ends the process over the arena's steps of up to 1 GiB.
 */
export class GraphSession {
  readonly inputNames: ReadonlySet<string>;
  readonly outputNames: readonly string[];
  private readonly session: OnnxRuntime.InferenceSession;
  private readonly isProfiled: boolean;
  private constructor(session: OnnxRuntime.InferenceSession, isProfiled: boolean) {
    this.session = session;
    this.isProfiled = isProfiled;
    this.inputNames = new Set(session.inputNames);
    this.outputNames = session.outputNames;
  }

  /** @throws TuneError `engine` when ONNX Runtime refuses the model. */
  static async create(model: OnnxModel | Uint8Array, options: SessionOptions = {}): Promise<GraphSession> {
    const bytes =
      model instanceof Uint8Array
        ? model
        : encodeOnnxModel(options.halfPrecision ? halveFor(model, options.device) : model);
    const external = model instanceof Uint8Array ? [] : model.initializers.filter(({ isExternal }) => isExternal);
    try {
      const session = await loadOnnxRuntime().InferenceSession.create(bytes, {
        executionProviders: listProviders(options.device ?? 'cpu'),
        intraOpNumThreads: options.threads ?? 0,
        interOpNumThreads: 1,
        enableMemPattern: false,
        enableCpuMemArena: !isElectron,
        graphOptimizationLevel: 'all',
        logSeverityLevel: 3,
        ...(options.profilePrefix !== undefined && {
          enableProfiling: true,
          profileFilePrefix: options.profilePrefix,
        }),
        externalData: external.map(({ name, data }) => ({
          path: name,
          data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
        })),
        extra: { session: { disable_prepacking: options.prepackWeights ? '0' : '1' } },
      });
      return new GraphSession(session, options.profilePrefix !== undefined);
    } catch (cause) {
      throw toEngineError('session', cause);
    }
  }

  /**
   * The outputs by name.
   * @param feeds may hold more than this graph's inputs; the rest is left alone
   * @param fetches outputs to compute, each with the tensor to write it into, or null for a new one; absent = all
   */
  async run(
    feeds: Readonly<Record<string, RuntimeTensor>>,
    fetches?: Readonly<Record<string, RuntimeTensor | null>>,
  ): Promise<Record<string, RuntimeTensor>> {
    const wanted: Record<string, RuntimeTensor> = {};
    for (const name of this.inputNames) {
      const tensor = feeds[name];
      if (!tensor) throw new Error(`internal: session: expected a tensor for input ${name}, got none`);
      wanted[name] = tensor;
    }
    try {
      return await (fetches ? this.session.run(wanted, fetches) : this.session.run(wanted));
    } catch (cause) {
      throw toEngineError('run', cause);
    }
  }

  /** Frees the session's memory; it cannot run afterwards. */
  async release(): Promise<void> {
    if (this.isProfiled) this.session.endProfiling();
    await this.session.release();
  }
}

function halveFor(model: OnnxModel, device: Device = 'cpu'): OnnxModel {
  return halveProducts(model, device === 'cpu' ? 'float32' : 'float16');
}

function listProviders(device: Device): Device[] {
  return device === 'cpu' ? ['cpu'] : [device, 'cpu'];
}

function toEngineError(where: string, cause: unknown): TuneError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const isMemory = /bad_alloc|allocat|out of memory/i.test(message);
  return new TuneError(isMemory ? 'memory' : 'engine', `engine ${where}: expected to succeed, got ${message}`, {
    hint: isMemory ? 'Lower the batch rows or the context, or set a memory limit.' : undefined,
    cause,
  });
}

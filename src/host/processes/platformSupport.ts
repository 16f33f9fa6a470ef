/** @file Platform -> whether the engine's native library exists for it, and what still works where it does not. */
import { TuneError } from '../../shared/errors.ts';

export const enginePlatforms = ['linux-x64', 'linux-arm64', 'win32-x64', 'win32-arm64', 'darwin-arm64'] as const;

export interface Platform {
  platform: string;
  arch: string;
  /** Linux with musl instead of glibc (Alpine). */
  isMusl: boolean;
}

export function readPlatform(): Platform {
  const report = process.platform === 'linux' ? process.report.getReport() : undefined;
  const header = (report as { header?: { glibcVersionRuntime?: string } } | undefined)?.header;
  const isMusl = report !== undefined && header?.glibcVersionRuntime === undefined;
  return { platform: process.platform, arch: process.arch, isMusl };
}

/** @throws TuneError `unsupported-platform` where nothing can be trained or answered */
export function requireEngine(): void {
  const unsupported = explainUnsupported(readPlatform());
  if (unsupported !== undefined) throw unsupported;
}

/** Undefined when training and generating work here. */
export function explainUnsupported({ platform, arch, isMusl }: Platform): TuneError | undefined {
  const name = `${platform}-${arch}`;
  if (!isMusl && (enginePlatforms as readonly string[]).includes(name)) return undefined;
  const got = isMusl ? `${name} with musl` : name;
  return new TuneError('unsupported-platform', `training: expected one of ${enginePlatforms.join(', ')}, got ${got}`, {
    hint: 'Reading and checking datasets and looking at runs made elsewhere work here. To train, open the folder on a supported machine (Remote - SSH, WSL or a container).',
  });
}

/** @file The machine's graphics cards -> the build of PyTorch that it needs, what that takes, and why. */
import type { GraphicsCard } from '../runtime/graphicsCards.ts';

/** As in `requirements/torch-<build>.txt`. */
export const torchBuilds = ['cpu', 'cuda13', 'cuda12', 'rocm', 'mps'] as const;
export type TorchBuild = (typeof torchBuilds)[number];

export interface BuildFacts {
  readonly label: string;
  /** Of everything that is fetched, about. */
  readonly downloadBytes: number;
  /** Of the finished environment, about. */
  readonly installedBytes: number;
  /** Its other parts lie on the index of PyTorch alone. */
  readonly partsOnTorchIndex: boolean;
}

const gigabyte = 1e9;

export const buildFacts: Readonly<Record<TorchBuild, BuildFacts>> = {
  cpu: facts('CPU', 0.4, 1.5),
  cuda13: facts('CUDA 13 (NVIDIA)', 2.9, 7),
  cuda12: facts('CUDA 12 (NVIDIA, older driver)', 3, 7.5),
  rocm: { ...facts('ROCm (AMD)', 5, 18), partsOnTorchIndex: true },
  mps: facts('Metal (Apple silicon)', 0.3, 1.4),
};

function facts(label: string, downloadGigabytes: number, installedGigabytes: number): BuildFacts {
  return {
    label,
    downloadBytes: downloadGigabytes * gigabyte,
    installedBytes: installedGigabytes * gigabyte,
    partsOnTorchIndex: false,
  };
}

export interface BuildChoice {
  readonly build: TorchBuild;
  /** A sentence. */
  readonly reason: string;
}

export interface MachineFacts {
  readonly platform: string;
  readonly arch: string;
  readonly cards: readonly GraphicsCard[];
  /** What nvidia-smi says, as `580.82.07`; undefined where there is none. */
  readonly nvidiaDriver: string | undefined;
  /** Whether Linux has the device of AMD's compute driver. */
  readonly hasAmdCompute: boolean;
}

/** The oldest driver that runs CUDA 13. */
const cuda13Driver = 580;

export function chooseTorchBuild({ platform, arch, cards, nvidiaDriver, hasAmdCompute }: MachineFacts): BuildChoice {
  if (platform === 'darwin') {
    return arch === 'arm64'
      ? { build: 'mps', reason: 'This is a Mac with Apple silicon.' }
      : { build: 'cpu', reason: 'This Mac has no Apple silicon.' };
  }
  if (nvidiaDriver !== undefined) {
    const isNew = Number.parseInt(nvidiaDriver, 10) >= cuda13Driver;
    const reason = `An NVIDIA card with driver ${nvidiaDriver} was found.`;
    return { build: isNew ? 'cuda13' : 'cuda12', reason };
  }
  if (platform === 'linux' && hasAmdCompute && cards.some(card => card.name.startsWith('AMD'))) {
    return { build: 'rocm', reason: "An AMD card with AMD's compute driver was found." };
  }
  return { build: 'cpu', reason: 'No graphics card that PyTorch can use was found.' };
}

/** What cannot be made on this machine; undefined where nothing speaks against it. */
export function findUnsupported(build: TorchBuild, { platform, arch }: MachineFacts): string | undefined {
  if (platform === 'darwin' && arch !== 'arm64') return 'PyTorch has no builds for Macs with Intel processors any more';
  if (build === 'mps' && platform !== 'darwin') return 'the Metal build is for Apple silicon';
  if (build === 'rocm' && platform !== 'linux') return 'the ROCm build is for Linux';
  if ((build === 'cuda12' || build === 'cuda13') && platform === 'darwin') return 'there is no CUDA on macOS';
  return undefined;
}

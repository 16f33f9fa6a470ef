/** @file Trackers: where a run is reported, how far each is, and what a tracker process is told. */
import { z } from 'zod';
import type { WireError } from './errors.ts';
import { identitySchema, wireErrorSchema } from './runFolder.ts';

export const trackerKinds = ['tensorboard', 'mlflow', 'wandb'] as const;
export type TrackerKind = (typeof trackerKinds)[number];

export const trackerLabels: Readonly<Record<TrackerKind, string>> = {
  tensorboard: 'TensorBoard',
  mlflow: 'MLflow',
  wandb: 'Weights & Biases',
};

/** An address is kept in the run's folder and shown; names and passwords are not. */
const holdsCredentials = (text: string): boolean => {
  const { username, password } = new URL(text);
  return username !== '' || password !== '';
};

const address = z
  .string()
  .max(2000)
  .regex(/^https?:\/\/[^\s/]/)
  .refine(text => URL.canParse(text) && !holdsCredentials(text), 'an address without a name and a password');

export const trackerTargetSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('tensorboard'),
    /** Absolute; gets a folder for each run. Null: inside the run's own folder. */
    folder: z.string().min(1).nullable(),
  }),
  z.strictObject({ kind: z.literal('mlflow'), uri: address, experiment: z.string().min(1).max(200) }),
  z.strictObject({
    kind: z.literal('wandb'),
    project: z.string().regex(/^[\w.-]{1,128}$/),
    entity: z
      .string()
      .regex(/^[\w.-]{1,128}$/)
      .nullable(),
    /** Of a server of one's own; null: the public one. */
    baseUrl: address.nullable(),
  }),
]);
export type TrackerTarget = z.infer<typeof trackerTargetSchema>;

/** `trackers.json`: at most one target of a kind. */
export const trackersFileSchema = z.strictObject({ targets: z.array(trackerTargetSchema).max(trackerKinds.length) });

export const trackerStates = ['reporting', 'caughtUp', 'waiting', 'refused'] as const;
export type TrackerState = (typeof trackerStates)[number];

/** How far the run's files have been delivered: byte offsets at line ends, and the newest row that stands. */
export const trackerPositionSchema = z.strictObject({
  metricsBytes: z.number().int().min(0),
  samplesBytes: z.number().int().min(0),
  attempt: z.number().int().min(0),
  step: z.number().int().min(-1),
  /** Which rest of the run has been reported, such as `2 finished`; null while it goes on. */
  ended: z.string().nullable(),
});
export type TrackerPosition = z.infer<typeof trackerPositionSchema>;

/** `trackers/<kind>.json`: what has arrived and what stands in the way. */
export const trackerReportSchema = z.strictObject({
  target: trackerTargetSchema,
  state: z.enum(trackerStates),
  position: trackerPositionSchema,
  /** What the tracker itself needs to go on: its run's id, its file and length. */
  memory: z.record(z.string(), z.union([z.string(), z.number()])),
  /** Page or folder where the run can be seen. */
  link: z.string().nullable(),
  /** What could not be delivered, and why, without stopping the rest. */
  remarks: z.array(z.string()),
  error: wireErrorSchema.nullable(),
  retryAt: z.string().nullable(),
  updatedAt: z.string(),
  /** The process that delivers; null when none does. */
  identity: identitySchema.nullable(),
});
export type TrackerReport = z.infer<typeof trackerReportSchema>;

/** Keys, each with the one server that it may be sent to. They travel through a pipe, once. */
export const trackerKeysSchema = z.strictObject({
  mlflow: z.strictObject({ origin: z.string(), token: z.string() }).optional(),
  wandb: z.strictObject({ origin: z.string(), key: z.string() }).optional(),
});
export type TrackerKeys = z.infer<typeof trackerKeysSchema>;

/** What whoever starts a run says about its trackers, beside the request: it is no part of what reproduces the run. */
export const trackerOrdersSchema = z.strictObject({
  targets: z.array(trackerTargetSchema).max(trackerKinds.length),
  keys: trackerKeysSchema,
  /** With the package wandb; null: `python3` on the PATH. */
  python: z.string().nullable(),
});
export type TrackerOrders = z.infer<typeof trackerOrdersSchema>;

/** The first and only message a tracker process gets. */
export const trackerCommandSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('report'),
    run: z.string(),
    kinds: z.array(z.enum(trackerKinds)).min(1),
    /** Places that a person has just named: added to the run's. */
    named: z.array(trackerTargetSchema).max(trackerKinds.length).default([]),
    keys: trackerKeysSchema,
    python: z.string().nullable(),
  }),
  /** Uploads the offline run of Weights & Biases; the answer is a `synced` or `refused`. */
  z.strictObject({
    type: z.literal('sync'),
    run: z.string(),
    keys: trackerKeysSchema,
    python: z.string().nullable(),
  }),
]);
export type TrackerCommand = z.input<typeof trackerCommandSchema>;

export type TrackerReply =
  | { type: 'accepted' }
  | { type: 'refused'; error: WireError }
  | { type: 'synced'; link: string | null };

export const wandbPublicServer = 'https://api.wandb.ai';
export const defaultMlflowExperiment = 'tuning-fork';
export const defaultWandbProject = 'tuning-fork';

/** `https://host:port` of an address. */
export function originOf(uri: string): string {
  return new URL(uri).origin;
}

/** What a person must have named before anything is sent there; undefined for what stays in the run's own folder. */
export function nameDestination(target: TrackerTarget): string | undefined {
  switch (target.kind) {
    case 'tensorboard':
      return target.folder === null ? undefined : `folder ${target.folder}`;
    case 'mlflow':
      return `server ${originOf(target.uri)}`;
    case 'wandb':
      return undefined; // written beside the run; the upload is asked for each time
  }
}

/** @file Imported first by pages that check values: a webview forbids code from strings, so the schema library must not try. */
import { z } from 'zod';

z.config({ jitless: true });

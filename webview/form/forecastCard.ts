/** @file What the run will take, before it starts: steps, tokens, memory against the limit, and what stands in its way. */
import type { ForecastReport, PreflightFinding } from '../../src/shared/datasetProtocol.ts';
import { formatBytes } from '../../src/shared/formatBytes.ts';
import { formatDuration } from '../../src/shared/formatDuration.ts';
import type { FormState } from '../../src/shared/pages.ts';
import type { Forecast } from '../../src/shared/recipe.ts';
import { createMeter } from '../controls/meter.ts';
import { createErrorNotice, createNotice } from '../controls/notice.ts';
import { createButton, createCheckbox, createProgressRing } from '../controls/toolkit.ts';
import { createRebuilder, h, setShown, setText, type View } from '../dom/element.ts';
import { formatCount, formatShare } from '../format/formatNumber.ts';

type Shown = Pick<FormState, 'trusted' | 'forecast' | 'forecasting' | 'overrides'>;

export interface ForecastActions {
  readonly onOverride: (name: string, on: boolean) => void;
  /** Takes the settings that the forecast proposes. */
  readonly onFit: () => void;
  /** Finds out how long the run will take. */
  readonly onMeasure: () => void;
}

export function createForecastCard({ onOverride, onFit, onMeasure }: ForecastActions): View<Shown> {
  const status = h('p', { class: 'muted', role: 'status' });
  const busy = h('div', { class: 'busy-line' }, createProgressRing(), status);
  const idle = h('p', { class: 'muted' }, 'Appears once dataset, model and settings are right.');
  const memory = createMeter('meter', 'Peak memory');
  const memoryText = h('p', { class: 'figures' });
  const memoryPart = h('div', { class: 'memory' }, memoryText, memory.element);
  const fit = createButton({ label: 'Make it fit', onClick: onFit });
  const timeText = h('p', { class: 'figures' });
  const measure = createButton({ label: 'Measure time', onClick: onMeasure });
  const facts = h('dl', { class: 'facts' });
  const rebuildFacts = createRebuilder<{ forecast: Forecast | null; isPyTorch: boolean }>(
    facts,
    ({ forecast, isPyTorch }) => (forecast ? describeForecast(forecast, isPyTorch) : []),
  );
  const findings = h('div', { class: 'findings' });
  const rebuildFindings = createRebuilder<{ findings: readonly PreflightFinding[]; overrides: readonly string[] }>(
    findings,
    state => state.findings.map(finding => drawFinding(finding, state.overrides, onOverride)),
  );
  const error = createErrorNotice();
  const content = h(
    'div',
    { class: 'forecast-content' },
    facts,
    memoryPart,
    timeText,
    measure.element,
    fit.element,
    findings,
    error.element,
  );
  const element = h(
    'section',
    { class: 'group', aria: { label: 'Forecast' } },
    h('div', { class: 'heading-line' }, h('h2', {}, 'Forecast'), busy),
    idle,
    content,
  );

  return {
    element,
    update({ trusted, forecast: report, forecasting, overrides }) {
      setShown(busy, forecasting);
      setText(status, forecasting ? 'Calculating…' : '');
      setShown(idle, report === null && !forecasting);
      setShown(content, report !== null);
      content.classList.toggle('is-stale', forecasting);
      const forecast = report?.forecast ?? null;
      const isPyTorch = report?.engine?.engine === 'pytorch';
      rebuildFacts({ forecast, isPyTorch });
      setShown(memoryPart, forecast !== null);
      if (forecast) showMemory(forecast);
      const trainingMs = report?.trainingMs ?? null;
      setShown(timeText, trainingMs !== null && !isPyTorch);
      if (trainingMs !== null) setText(timeText, `Training time about ${formatDuration(trainingMs)}`);
      // A short trial of the embedded engine says it once for these settings.
      setShown(
        measure.element,
        trusted && forecast !== null && report?.canStart === true && trainingMs === null && !isPyTorch,
      );
      measure.setDisabled(forecasting);
      rebuildFindings({ findings: report?.findings ?? [], overrides });
      setShown(fit.element, Boolean(report?.fit));
      error.update(report?.error ?? null);
    },
  };

  function showMemory({ peakMemoryBytes, memoryLimitBytes, card }: Forecast): void {
    const text = `${formatBytes(peakMemoryBytes)} of ${formatBytes(memoryLimitBytes)}`;
    const isOver = peakMemoryBytes > memoryLimitBytes;
    setText(
      memoryText,
      `Peak memory ${text}${card === undefined ? '' : ` of ${card}`}${isOver ? ': does not fit' : ''}`,
    );
    memoryText.classList.toggle('error-text', isOver);
    memory.update({ value: peakMemoryBytes, max: memoryLimitBytes, text, tone: isOver ? 'over' : 'normal' });
  }
}

/** Whether the report lets a run start, and if not, why in a few words. */
export function describeRefusal(report: ForecastReport): string | null {
  if (report.canStart) return null;
  if (report.error?.code === 'python-missing') return 'PyTorch has to be set up first: see above.';
  if (report.error) return 'The forecast failed: see above.';
  const count = report.findings.length;
  return count === 1 ? 'A check refuses this run: see the forecast.' : 'Checks refuse this run: see the forecast.';
}

function describeForecast(forecast: Forecast, isPyTorch: boolean): HTMLElement[] {
  const share = forecast.tokensPerEpoch > 0 ? forecast.supervisedTokensPerEpoch / forecast.tokensPerEpoch : 0;
  const rows: [string, string][] = [
    ['Steps', formatCount(forecast.totalSteps)],
    ['Training rows', formatCount(forecast.trainRows)],
    ['Held-out rows', formatCount(forecast.heldOutRows)],
    ['Tokens an epoch', formatCount(forecast.tokensPerEpoch)],
    ['Trained on', `${formatCount(forecast.supervisedTokensPerEpoch)} (${formatShare(share)})`],
    ['Engine', isPyTorch ? 'PyTorch' : forecast.plan === 'whole' ? 'Whole model at once' : 'Layer by layer'],
  ];
  return rows.flatMap(([term, value]) => [h('dt', {}, term), h('dd', { class: 'figures' }, value)]);
}

function drawFinding(
  finding: PreflightFinding,
  overrides: readonly string[],
  onOverride: (name: string, on: boolean) => void,
): HTMLElement {
  const name = finding.override;
  const isOverridden = name !== null && overrides.includes(name);
  const notice = createNotice(
    isOverridden ? 'info' : 'warning',
    h('p', {}, finding.message),
    h('p', { class: 'muted' }, finding.remedy),
  );
  if (name !== null) {
    const checkbox = createCheckbox({ label: 'Start anyway', onChange: on => onOverride(name, on) });
    checkbox.checked = isOverridden;
    notice.querySelector('.notice-body')!.append(checkbox.element);
  }
  return notice;
}

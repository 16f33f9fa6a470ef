/** @file The best step in the loss chart: a dashed line where the kept adapter was measured best. */
import type uPlot from 'uplot';
import type { ChartColours } from './chartTheme.ts';

export function markBestStep(plot: uPlot, colours: ChartColours, bestStep: number | null): void {
  if (bestStep === null) return;
  const { min, max } = plot.scales.x ?? {};
  if (min == null || max == null || bestStep < min || bestStep > max) return;
  const { ctx, bbox } = plot;
  const x = Math.round(plot.valToPos(bestStep, 'x', true));
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = colours.best;
  ctx.fillStyle = colours.best;
  ctx.lineWidth = 1.5 * ratio;
  ctx.setLineDash([4 * ratio, 4 * ratio]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  const isNearRight = x > bbox.left + bbox.width - 70 * ratio;
  ctx.font = colours.font.replace('11px', `${11 * ratio}px`);
  ctx.textAlign = isNearRight ? 'right' : 'left';
  ctx.textBaseline = 'top';
  ctx.fillText(`best: ${bestStep}`, x + (isNearRight ? -5 : 5) * ratio, bbox.top + 2 * ratio);
  ctx.restore();
}

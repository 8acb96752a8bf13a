/** What axe-core finds wrong with a page for people who don't use a mouse, or don't see it. */
import axe, { type AxeResults } from 'axe-core';
import type { TestedPage } from './browser.js';

/** @returns a line for each fault that axe calls serious or critical, with the elements that have it */
export async function seriousFaults({ page }: TestedPage): Promise<string[]> {
  // Evaluated, not inserted: the page's policy allows no inserted script.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<AxeResults>('axe.run(document, { resultTypes: ["violations"] })');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
}

/** `npm run screenshots -w services/machine-state`: pictures for the README, and how long the first view takes. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { peer } from '@skolo/simulators';
import { buildPages } from '../../../console/build.ts';
import { type Browser, openBrowser, signIn } from './browser.ts';
import { type Fixture, startFixture } from './fixture-service.ts';

const folder = join(import.meta.dirname, '../../../screenshots');
/** Marks the frame that shows all tiles. */
const markTiles = `
  const observer = new MutationObserver(() => {
    if (document.querySelectorAll('.tile').length < 300) return;
    observer.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => performance.mark('tiles')));
  });
  observer.observe(document, { childList: true, subtree: true });
`;
const whenMarked = `new Promise((resolve) => {
  const look = () => {
    const [mark] = performance.getEntriesByName('tiles');
    if (mark) resolve(mark.startTime);
    else requestAnimationFrame(look);
  };
  look();
})`;
const throttle = 4;
const times = 7;

const chromium = peer('chromium');
if (!chromium) throw new Error('chromium is not installed (Debian: chromium)');
await buildPages();
await mkdir(folder, { recursive: true });
const fixture = await startFixture({
  pages: join(import.meta.dirname, '../../../pages'),
  anonymousRead: ['127.0.0.0/8'],
});
const sick = fixture.fixture.machines.find(({ needsPerson }) => needsPerson)?.name;

for (const colorScheme of ['light', 'dark'] as const) {
  const browser = await openBrowser(chromium, { colorScheme });
  const page = await signIn(browser, fixture.url, fixture.tokens.operate);
  for (const [name, view, selector] of [
    ['rack', 'rack', '.tile'],
    ['machine', `machine/${sick}`, '.timeline .mark'],
    ['backup', 'backups/switch-1', '.diff .plus'],
  ] as const) {
    await page.goto(`${fixture.url}/#/${view}`);
    await page.locator(selector).first().waitFor();
    await page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`) });
  }
  await browser.close();
}
const browser = await openBrowser(chromium);
await measure(browser, fixture);
await browser.close();
await fixture.stop();

/** From the request of the document to all tiles drawn, with an empty cache and a slow processor. */
async function measure({ context }: Browser, { url }: Fixture): Promise<void> {
  const firstViews: number[] = [];
  const busy: number[] = [];
  for (let i = 0; i < times; i += 1) {
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send('Network.setCacheDisabled', { cacheDisabled: true });
    await session.send('Emulation.setCPUThrottlingRate', { rate: throttle });
    await session.send('Performance.enable', { timeDomain: 'threadTicks' });
    await page.addInitScript({ content: markTiles });
    await page.goto(`${url}/#/rack`);
    const ms: unknown = await page.evaluate(whenMarked);
    firstViews.push(Math.round(Number(ms)));
    const { metrics } = await session.send('Performance.getMetrics');
    const task = metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0;
    busy.push(Math.round(task * 1000));
    await page.close();
  }
  console.log(
    `first view of 300 machines, processor throttled ${throttle}x: ${inWords(firstViews)}`,
  );
  console.log(`processor time of the page's thread for it, not throttled: ${inWords(busy)}`);
}

function inWords(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  return `median ${sorted[Math.floor(sorted.length / 2)]} ms of ${sorted.join(', ')}`;
}

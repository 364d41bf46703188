/** `npm run screenshots -w packages/console`: pictures for the README. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { buildPages } from '@skolo/console/build';
import { peer } from '@skolo/simulators';
import { openBrowser, signIn } from './browser.ts';
import { startFixture } from './fixture.ts';

const folder = join(import.meta.dirname, '../../screenshots');
const chromium = peer('chromium');
if (!chromium) throw new Error('chromium is not installed (Debian: chromium)');
await buildPages();
await mkdir(folder, { recursive: true });
const fixture = await startFixture({
  anonymousRead: ['127.0.0.0/8'],
});
const faulty = fixture.fixture.machines.find(({ needsAttention }) => needsAttention)?.name;

for (const colorScheme of ['light', 'dark'] as const) {
  const browser = await openBrowser(chromium, { colorScheme });
  const page = await signIn(browser, fixture.url, fixture.tokens.operate);
  for (const [name, view, selector] of [
    ['rack', 'rack', '.tile'],
    ['machine', `machine/${faulty}`, '.timeline .mark'],
    ['backup', 'backups/switch-1', '.diff .plus'],
  ] as const) {
    await page.goto(`${fixture.url}/#/${view}`);
    await page.locator(selector).first().waitFor();
    await page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`) });
  }
  await browser.close();
}
await fixture.stop();

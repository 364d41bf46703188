/** `npm run screenshots -w packages/console`: pictures for the READMEs. */
import { join } from 'node:path';
import { buildPages } from '@skolo/console/build';
import { peer } from '@skolo/simulators';
import { openBrowser, signIn } from './browser.ts';
import { startFixture } from './fixture.ts';

const folder = join(import.meta.dirname, '../../screenshots');
const chromium = peer('chromium');
if (!chromium) throw new Error('chromium is not installed (Debian: chromium)');
await buildPages();
const fixture = await startFixture();
const faulty = fixture.fixture.machines.find(({ needsAttention }) => needsAttention)?.name;

const browser = await openBrowser(chromium);
const page = await signIn(browser, fixture.url, fixture.tokens.operate);
for (const [name, colorScheme, view, selector] of [
  ['rack', 'light', 'rack', '.tile'],
  ['machine', 'dark', `machine/${faulty}`, '.timeline .mark'],
] as const) {
  await page.emulateMedia({ colorScheme });
  await page.goto(`${fixture.url}/#/${view}`);
  await page.locator(selector).first().waitFor();
  await page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`) });
}
await browser.close();
await fixture.stop();

/** What people do in the pages for longer: in `npm run test:long`. */
import { join } from 'node:path';
import { isLong } from '@skolo/durable/campaign';
import { peer } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPages } from '../../console/build.ts';
import { type Browser, openBrowser, signIn } from './testing/browser.ts';
import { type Fixture, startFixture } from './testing/fixture-service.ts';

const chromium = peer('chromium');
const changesPerSecond = 20;
const seconds = 10;

let fixture: Fixture;
let browser: Browser;

describe.skipIf(!chromium || !isLong)('the console, over time', () => {
  beforeAll(async () => {
    await buildPages();
    fixture = await startFixture({ pages: join(import.meta.dirname, '../../pages') });
    browser = await openBrowser(chromium ?? '');
  });
  afterAll(async () => {
    await browser?.close();
    await fixture?.stop();
  });

  it('works by keyboard alone', async () => {
    const page = await signIn(browser, fixture.url, fixture.tokens.operate);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    const name = await page.evaluate('document.activeElement.dataset.machine');
    await page.keyboard.press(' ');
    await page.getByText('1 selected').waitFor();
    await page.keyboard.press('n');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.type('looked at it');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('Done.').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('/');
    await page.keyboard.type(String(name));
    await page.locator('[role=option]').first().waitFor();
    await page.keyboard.press('Enter');
    await page.locator('h1', { hasText: String(name) }).waitFor();

    const body = { machines: [name], text: 'looked at it' };
    expect(fixture.calls).toContainEqual({ name: 'addNote', body });
  });

  it('shows in one tab what another one orders', async () => {
    const first = await signIn(browser, fixture.url, fixture.tokens.operate);
    const second = await browser.open(`${fixture.url}/#/rack`);
    await second.locator('.tile').first().waitFor();
    const { name } = fixture.fixture.machines.find(({ condition }) => condition === 'ok') ?? {};
    await first.goto(`${fixture.url}/#/machine/${name}`);
    await first.locator('h1', { hasText: name ?? '' }).waitFor();
    await first.keyboard.press('m');
    await first.getByRole('textbox', { name: 'Reason' }).fill('new cable');
    await first.getByRole('dialog').getByRole('button', { name: 'Maintenance' }).click();

    await second.locator(`[data-machine="${name}"].c-maintenance`).waitFor();
  });

  it('offers nothing to those who only may look', async () => {
    const page = await signIn(browser, fixture.url, fixture.tokens.view);
    await page.goto(`${fixture.url}/#/machine/${fixture.fixture.machines[0]?.name}`);
    await page.getByRole('button', { name: 'Reboot' }).click();

    await page.getByText('This needs the role operate.').waitFor();
    const submit = page.getByRole('dialog').getByRole('button', { name: 'Reboot' });
    expect(await submit.isDisabled()).toBe(true);
  });

  it(`keeps up with ${changesPerSecond} changes a second`, async () => {
    const page = await signIn(browser, fixture.url, fixture.tokens.operate);
    const { machines } = fixture.fixture;
    for (let i = 0; i < changesPerSecond * seconds; i += 1) {
      const machine = machines[(i * 37) % machines.length];
      if (machine) fixture.show({ ...machine, condition: 'recovering', sentence: `change ${i}` });
      await page.waitForTimeout(1000 / changesPerSecond);
    }
    const last = machines.filter(({ condition }) => condition === 'recovering').length;

    await page.locator('.counts b', { hasText: String(last) }).waitFor();
    expect(await page.locator('.tile.c-recovering').count()).toBe(last);
    expect(browser.complaints).toEqual([]);
  });
});

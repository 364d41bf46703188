/** Longer interactions with the pages, which several tabs and roles share. */

import { buildPages } from '@skolo/console/build';
import { lacks, peer } from '@skolo/simulators';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Browser, openBrowser, signIn } from './testing/browser.ts';
import { type Fixture, startFixture } from './testing/fixture.ts';

async function change(role: 'view' | 'operate', path: string, body: unknown): Promise<void> {
  const headers = {
    'content-type': 'application/json',
    authorization: `Bearer ${fixture.tokens[role]}`,
  };
  await fetch(`${fixture.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
}

/** Each test has its own, because a browser allows six connections per host. */
async function openPage(role: 'view' | 'operate'): Promise<Page> {
  const page = await signIn(browser, fixture.url, fixture.tokens[role]);
  onTestFinished(() => page.close());
  return page;
}

const chromium = peer('chromium');
const changesPerSecond = 20;
const seconds = 10;

let fixture: Fixture;
let browser: Browser;

describe.skipIf(lacks('chromium'))('the console, over time', () => {
  beforeAll(async () => {
    await buildPages();
    fixture = await startFixture();
    browser = await openBrowser(chromium ?? '');
  });
  afterAll(async () => {
    await browser?.close();
    await fixture?.stop();
  });

  it('works by keyboard alone', async () => {
    const page = await openPage('operate');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    const name = await page.evaluate('document.activeElement.dataset.machine');
    await page.keyboard.press(' ');
    await page.getByText('1 selected').waitFor();
    await page.keyboard.press('n');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.type('looked at it');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('/');
    await page.keyboard.type(String(name));
    await page.locator('[role=option]').first().waitFor();
    await page.keyboard.press('Enter');
    await page.locator('h1', { hasText: String(name) }).waitFor();

    const body = { machines: [name], text: 'looked at it' };
    expect(fixture.calls).toContainEqual({ name: 'addNote', body });
  });

  it('shows in one tab what another one orders', async () => {
    const first = await openPage('operate');
    const second = await browser.open(`${fixture.url}/#/rack`);
    onTestFinished(() => second.close());
    await second.locator('.tile').first().waitFor();
    const { name } = fixture.fixture.machines.find(({ condition }) => condition === 'ok') ?? {};
    await first.goto(`${fixture.url}/#/machine/${name}`);
    await first.locator('h1', { hasText: name ?? '' }).waitFor();
    await first.keyboard.press('m');
    await first.getByRole('textbox', { name: 'Reason' }).fill('new cable');
    await first.getByRole('dialog').getByRole('button', { name: 'Maintenance' }).click();

    await second.locator(`[data-machine="${name}"].c-maintenance`).waitFor();
  });

  it('asks after a break for what follows the last event', async () => {
    const open = await startFixture({
      anonymousRead: ['127.0.0.0/8'],
    });
    onTestFinished(open.stop);
    const page = await browser.open(`${open.url}/#/rack`);
    onTestFinished(() => page.close());
    await page.locator('.tile').first().waitFor();
    const asked: (string | undefined)[] = [];
    page.on('request', (request) => {
      if (request.url().endsWith('/v1/changes')) asked.push(request.headers()['last-event-id']);
    });
    const [machine] = open.fixture.machines;
    if (!machine) throw new Error('no machine');
    open.show({ ...machine, condition: 'recovering' });
    const tile = page.locator(`[data-machine="${machine.name}"]`);
    await expect.poll(() => tile.getAttribute('class')).toContain('c-recovering');

    const restarted = open.restart();
    open.show({ ...machine, condition: 'quarantined' });
    await restarted;

    await expect.poll(() => tile.getAttribute('class')).toContain('c-quarantined');
    expect(asked.at(-1)).toBe('1');
    browser.complaints.splice(0);
  });

  it('offers nothing to those who only may look', async () => {
    const page = await openPage('view');
    await page.goto(`${fixture.url}/#/machine/${fixture.fixture.machines[0]?.name}`);
    await page.getByRole('button', { name: 'Reboot' }).click();

    await page.getByText('This requires the operate role.').waitFor();
    const submit = page.getByRole('dialog').getByRole('button', { name: 'Reboot' });
    expect(await submit.isDisabled()).toBe(true);
  });

  it('orders a step of repair, with what it takes down', async () => {
    const page = await openPage('operate');
    const { name } = fixture.fixture.machines.find(({ task }) => !task) ?? {};
    await page.goto(`${fixture.url}/#/machine/${name}`);
    await page.locator('h1', { hasText: name ?? '' }).waitFor();
    await page.keyboard.press('s');
    await page.getByRole('combobox', { name: 'Step' }).selectOption('adb-restart of device');
    await page.getByText('which disconnects device for a few seconds').waitFor();
    await page.getByRole('combobox', { name: 'Step' }).selectOption('usb-cycle of device');
    await page.getByText('The USB port of device loses power').waitFor();
    await page.getByRole('textbox', { name: 'Reason' }).fill('adb hangs');
    await page.getByRole('dialog').getByRole('button', { name: 'Repair step' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });

    const body = { name, device: 'device', step: 'usb-cycle', reason: 'adb hangs' };
    expect(fixture.calls).toContainEqual({ name: 'repair', body });
  });

  it('turns an outlet off and on, with what depends on it and what is against it', async () => {
    const page = await openPage('operate');
    await page.goto(`${fixture.url}/#/power?text=switch-1/7`);
    await page.getByRole('button', { name: 'Turn off switch-1/7', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Will lose power: skia-rpi2-rack4-shelf1-007.').waitFor();
    await dialog.getByRole('textbox', { name: 'Reason' }).fill('smells burnt');
    await dialog.getByRole('button', { name: 'Turn off' }).click();
    await dialog.getByText('switch-1/7: a task is running on it').waitFor();
    await dialog.getByLabel(/^Force/).check();
    await dialog.getByRole('button', { name: 'Turn off' }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByText('turned off by ann-operate').waitFor();
    await page.getByRole('button', { name: 'Turn on switch-1/7', exact: true }).click();
    await dialog.getByRole('textbox', { name: 'Reason' }).fill('new cable');
    await dialog.getByRole('button', { name: 'Turn on' }).click();
    await page.getByRole('button', { name: 'Turn off switch-1/7', exact: true }).waitFor();

    const asked = { targets: ['switch-1/7'], state: 'off', reason: 'smells burnt', force: true };
    const body = expect.objectContaining(asked);
    expect(fixture.calls).toContainEqual({ name: 'switchOutlets', body });
  });

  it('shows who changed what in all services, by filters that are links, by keyboard', async () => {
    const page = await openPage('operate');
    const [{ name = '' } = {}, { name: other = '' } = {}] = fixture.fixture.machines;
    await change('operate', '/v1/notes', { machines: [name, other], text: 'a <b>note</b>' });
    const cycles = '/services/power-cycle-daemon/v1/power-cycles';
    await change('operate', cycles, { machines: [name], reason: 'it hangs' });
    await change('view', '/v1/notes', { machines: [name], text: 'not allowed' });

    await page.goto(`${fixture.url}/#/audit?text=${name}`);
    const row = (text: string) => page.locator('tbody tr', { hasText: text });
    const noted = page.locator('tbody tr', {
      has: page.getByRole('cell', { name: 'note', exact: true }),
    });
    await row('it hangs').waitFor();
    expect(await row('it hangs').textContent()).toContain('power-cycle-daemon');
    expect(await noted.textContent()).toContain('done');
    expect(await row('begun').count()).toBe(0);

    await page.goto(`${fixture.url}/#/audit`);
    await row('rejected request').waitFor();
    await page.locator('h1', { hasText: 'Audit' }).click();
    await page.keyboard.press('w');
    await page.keyboard.type('ann-view');
    await page.waitForURL(/who=ann-view/);
    await noted.waitFor({ state: 'detached' });
    expect(await row('rejected request').textContent()).toContain('POST /v1/notes');

    await page.goto(`${fixture.url}/#/audit?text=nothing-of-that`);
    await page.getByText('No matching entries.').waitFor();
  });

  it('loads older entries, and shows those of the other services while one is silent', async () => {
    const page = await openPage('operate');
    const names = fixture.fixture.machines.slice(0, 5).map((machine) => machine.name);
    for (let i = 0; i < 60; i += 1) {
      await change('operate', '/v1/notes', { machines: names, text: `number ${i}.` });
    }
    await fixture.stopPeer('router-backup');

    await page.goto(`${fixture.url}/#/audit?text=number`);
    await page.getByText('router-backup: entries are missing').waitFor();
    await page.getByText('and 2 more').first().waitFor();
    expect(await page.locator('tbody tr').count()).toBe(50);
    await page.getByRole('button', { name: 'Older' }).click();
    await page.getByRole('button', { name: 'Older' }).waitFor({ state: 'detached' });
    expect(await page.locator('tbody tr').count()).toBe(60);
  });

  it('does not ask for the audit log where the role is too low', async () => {
    const page = await openPage('view');
    await page.goto(`${fixture.url}/#/audit`);

    await page.getByText('This requires the operate role.').waitFor();
  });

  it('works in one tab while many others are hidden', async () => {
    const page = await openPage('operate');
    for (let i = 0; i < 6; i += 1) {
      const tab = await browser.context.newPage();
      onTestFinished(() => tab.close());
      await tab.addInitScript("Object.defineProperty(document, 'hidden', { get: () => true })");
      await tab.goto(`${fixture.url}/#/power`);
    }
    await page.reload();

    await page.locator('.tile').first().waitFor();
  });

  it('loads again in a stale tab, after a restart with another version', async () => {
    const page = await openPage('operate');
    await page.evaluate("document.body.dataset.stale = 'yes'");
    await fixture.restart('0.2.0');

    await page.locator('body:not([data-stale])').waitFor();
    await page.locator('.tile').first().waitFor();
  });

  it(`keeps up with ${changesPerSecond} changes a second`, async () => {
    const page = await openPage('operate');
    // An earlier test has stopped a service.
    browser.complaints.splice(0);
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

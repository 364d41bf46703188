/** The pages in a real browser. */

import { readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { equipmentCause } from '@skolo/api/cause';
import { words } from '@skolo/api/words';
import { isLong } from '@skolo/base/durable/fault-injection';
import { mountSmall } from '@skolo/base/testing';
import { buildPages } from '@skolo/console/build';
import { lacks, peer } from '@skolo/simulators';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Browser, openBrowser, signIn } from './testing/browser.ts';
import { everyPage } from './testing/every-page.ts';
import { type Fixture, startFixture } from './testing/fixture.ts';

const chromium = peer('chromium');
const hostile = '<img src=x onerror=alert(1)> \u001b[31m\u202Egpj.exe\u2066 "quoted"';

let fixture: Fixture;
let browser: Browser;
let page: Page;

/** A healthy, idle machine that no other test has changed. */
function idle() {
  const found = fixture.fixture.machines.find(
    ({ condition, task, orders }) => condition === 'ok' && !task && orders.length === 0,
  );
  if (!found) throw new Error('no idle machine');
  return found;
}

describe.skipIf(lacks('chromium'))('the console', () => {
  beforeAll(async () => {
    await buildPages();
    fixture = await startFixture();
    browser = await openBrowser(chromium ?? '');
    page = await signIn(browser, fixture.url, fixture.tokens.operate);
  });
  afterAll(async () => {
    await browser?.close();
    await fixture?.stop();
  });

  it('leaves nothing of the link in the address', () => {
    expect(page.url()).toBe(`${fixture.url}/#/rack`);
  });

  it.each(everyPage)('shows %s, with nothing serious for axe', async (view, selector, least) => {
    await page.goto(`${fixture.url}/#/${view}`);
    await page.locator(selector).first().waitFor();

    expect(await page.locator(selector).count()).toBeGreaterThanOrEqual(least);
    expect(await seriousFor(page)).toEqual([]);
  });

  it('quarantines a machine with a reason, and shows it', async () => {
    const { name } = idle();
    await page.goto(`${fixture.url}/#/machine/${name}`);
    await page.getByRole('button', { name: 'Quarantine' }).click();
    await page.getByRole('textbox', { name: 'Reason' }).fill('the screen is broken');
    await page.getByRole('dialog').getByRole('combobox').selectOption('until someone ends it');
    await page.getByRole('textbox', { name: 'Reason' }).press('Enter');

    await page.locator('.now .condition.c-quarantined').waitFor();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByText(`Quarantine: ${name}: accepted`).waitFor();

    const body = { machines: [name], kind: 'quarantine', reason: 'the screen is broken' };
    expect(fixture.calls).toContainEqual({ name: 'order', body });
  });

  it('shows everybody who is on it', async () => {
    const [cause] = fixture.fixture.rack.causes;
    const names = cause?.machines ?? [];
    await page.goto(`${fixture.url}/#/rack`);
    const card = page.locator('.card', { hasText: `${cause?.why}` });
    const onIt = card.locator('.on-it');
    await card.getByRole('button', { name: 'I am on it' }).click();

    const held = () => fixture.calls.findLast(({ name }) => name === 'hold')?.body;
    await expect.poll(held).toMatchObject({
      kind: 'on-it',
      incident: expect.stringMatching(/^\d{8}T\d{6}-/),
      targets: names,
      reason: `on it: ${cause?.text}`,
      until: expect.any(String),
    });
    const all = fixture.fixture.machines.filter(({ name }) => names.includes(name));
    const began = Date.parse(cause?.since ?? '');
    const show = (some: number, by: string, afterMs: number, incident: string) => {
      const since = new Date(began + afterMs).toISOString();
      const until = new Date(Date.now() + 4 * 3_600_000).toISOString();
      for (const [at, machine] of all.entries()) {
        const onIt = at < some ? [{ id: `${by}-${at}`, by, since, until, incident }] : [];
        fixture.show({ ...machine, power: { outlets: [], onIt } });
      }
    };
    // Who was on something else before does not take the button from everybody.
    show(12, 'bob', -3_600_000, 'switch-2');
    await card.getByText(/^12 of 20 held by bob since \d\d:\d\d:\d\d \(switch-2\)/).waitFor();
    expect(await card.getByRole('button', { name: 'I am on it' }).count()).toBe(1);
    show(20, 'bob', 60_000, 'here');
    await onIt.getByText(/^bob is on it until /).waitFor();
    expect(await card.getByRole('button', { name: 'I am on it' }).count()).toBe(1);
    show(20, 'ann-operate', 60_000, 'here');
    await onIt.getByText(/^ann-operate is on it until /).waitFor();
    expect(await card.getByRole('button', { name: 'I am on it' }).count()).toBe(0);
    await card.getByRole('button', { name: 'End: ann-operate is on it' }).click();
    const released = () => fixture.calls.filter(({ name }) => name === 'release').length;
    await expect.poll(released).toBeGreaterThan(0);
    for (const machine of all) fixture.show(machine);
  });

  it('shows everybody who is on selected machines', async () => {
    const well = fixture.fixture.machines.filter(({ condition }) => condition === 'ok');
    const names = well.slice(0, 2).map(({ name }) => name);
    await page.goto(`${fixture.url}/#/rack`);
    for (const name of names) {
      await page.locator(`[data-machine="${name}"]`).click({ modifiers: ['Control'] });
    }
    const selection = page.getByRole('region', { name: 'Selection' });
    await selection.getByRole('button', { name: 'I am on it' }).click();

    const held = () => fixture.calls.findLast(({ name }) => name === 'hold')?.body;
    await expect.poll(held).toMatchObject({
      ...{ kind: 'on-it', incident: '2 machines' },
      ...{ targets: names, reason: 'on it: 2 machines' },
    });
    await page.keyboard.press('Escape');
  });

  it('power-cycles a switch from its card, with what this takes down', async () => {
    const { causes, shelves } = fixture.fixture.rack;
    const what = `${causes[0]?.text}`;
    const behind = shelves.at(-1)?.machines.length;
    await page.goto(`${fixture.url}/#/rack`);
    await page
      .locator('.card')
      .getByRole('button', { name: `Power cycle ${what}` })
      .click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(`${behind} machines lose power`).waitFor();
    await dialog.getByRole('textbox', { name: 'Reason' }).fill('no response');
    await dialog.getByRole('checkbox').check();
    await dialog.getByRole('button', { name: 'Power cycle' }).click();
    await dialog.waitFor({ state: 'detached' });

    const body = expect.objectContaining({ machines: [what], reason: 'no response', force: true });
    expect(fixture.calls).toContainEqual({ name: 'requestCycles', body });
  });

  it('shows at the foot of every page how own requests end, until all are back, or one that failed is closed', async () => {
    const { rack } = fixture.fixture;
    const request = (text: string, more: { by?: string; failed?: number; endedAt?: string }) => ({
      ...{ at: '2026-11-27T03:00:00.000Z', by: 'ann-operate', failed: 0 },
      ...{ text: `power cycle by ann: no ssh; ${text}`, where: 'rpi-[1-12] (12)', ...more },
    });
    const endedAt = new Date().toISOString();
    const other = await browser.context.newPage();
    await other.clock.install();
    async function show(...requests: ReturnType<typeof request>[]) {
      rack.cycleRequests = requests;
      fixture.showRack();
    }
    const notice = other.getByRole('region', { name: 'Power cycles' });
    await show(request('9 back, 3 running', {}), request('of others', { by: 'bob' }));
    for (const view of ['backups', 'rack']) {
      await other.goto(`${fixture.url}/#/${view}`);
      await notice.getByText('9 back, 3 running: rpi-[1-12] (12)').waitFor();
      expect(await notice.getByText('of others').count()).toBe(0);
    }
    await show(request('12 back', { endedAt }));
    await notice.getByText('12 back').waitFor();
    await other.clock.runFor(45_000);
    await notice.waitFor({ state: 'detached' });
    await show(request('11 back, 1 failed', { endedAt, failed: 1 }));
    await notice.getByText('11 back, 1 failed').waitFor();
    await other.clock.runFor(45_000);
    await notice.getByRole('button', { name: 'Close' }).click();
    await notice.waitFor({ state: 'detached' });
    await other.reload();
    await other.locator('.tile').first().waitFor();
    expect(await notice.count()).toBe(0);
    await other.close();
    await show();
  });

  it('zooms the timeline, links to a moment, and copies it as the handover', async () => {
    await page.goto(`${fixture.url}/#/timeline`);
    const graph = page.getByRole('img', { name: /Unhealthy machines, at most 13/ });
    const { x = 0, y = 0, width = 0 } = (await graph.boundingBox()) ?? {};
    await page.mouse.click(x + width * 0.6, y + 20);
    await expect.poll(() => page.url()).toMatch(/#\/timeline\?since=.*&until=/);
    await page.getByRole('link', { name: 'earlier' }).waitFor();

    const row = page.locator('.rows li', { hasText: 'bob is on it' });
    await row.getByTitle('Link to this moment').click();
    await expect.poll(() => row.getAttribute('aria-current')).toBe('true');
    const night = 'since=2026-11-01T00:00:00.000Z&until=2026-11-01T12:00:00.000Z';
    await page.goto(`${fixture.url}/#/timeline?${night}`);
    // The rack's clocks change at 06:00 UTC; one of the two offsets is the current one.
    await page
      .locator('.rows time')
      .filter({ hasText: /GMT-0[45]:00$/ })
      .first()
      .waitFor();
    await page
      .locator('.rows time')
      .filter({ hasText: /^[\d:]+$/ })
      .last()
      .waitFor();
    await page.goBack();
    await row.waitFor();
    await page.getByRole('button', { name: 'Copy the handover' }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();

    await browser.context.grantPermissions(['clipboard-read']);
    const copied = z.string().parse(await page.evaluate('navigator.clipboard.readText()'));
    await browser.context.clearPermissions();
    expect(copied).toMatch(/rack4, .*GMT/);
    expect(copied).toContain('bob is on it: switch-1');
    expect(Math.max(...copied.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(80);
  });

  it('does not say that no power cycle is running while that is unknown', async () => {
    await page.route(/\/v1\/power-cycles\?/, (route) => route.fulfill({ status: 503, json: {} }));
    await page.goto(`${fixture.url}/#/power`);
    await page.getByText('Controllers').first().waitFor();
    await page.getByRole('alert').first().waitFor();
    const unknown = await page.getByText('No power cycles are running.').count();
    await page.unrouteAll();
    await page.reload();

    await page.getByRole('heading', { name: 'Running' }).waitFor();
    expect(unknown).toBe(0);
  });

  it('asks for nothing while it is hidden', async () => {
    const tab = await browser.context.newPage();
    await tab.clock.install();
    await tab.goto(`${fixture.url}/#/power`);
    await tab.getByText('Outlets').first().waitFor();
    const hide = (isHidden: boolean) =>
      tab.evaluate(
        `Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true })`,
      );
    const asked: string[] = [];
    tab.on('request', (request) => void asked.push(request.url()));

    await hide(true);
    await tab.clock.runFor(20_000);
    const meanwhile = asked.filter((url) => url.includes('/v1/outlets'));
    await hide(false);
    await tab.clock.runFor(10_000);

    expect(meanwhile).toEqual([]);
    await expect.poll(() => asked.some((url) => url.includes('/v1/outlets'))).toBe(true);
    await tab.close();
  });

  it('says that a service is older when it does not have a route', async () => {
    const detail = 'no such path: /v1/equipment; check the path; /openapi.json lists all paths';
    const json = { title: 'Not Found', status: 404, detail };
    await page.route('**/services/router-backup/**', (route) =>
      route.fulfill({ status: 404, contentType: 'application/problem+json', json }),
    );

    await page.goto(`${fixture.url}/#/backups`);
    await page.getByRole('alert').filter({ hasText: 'is older than this skolo' }).waitFor();

    await page.unroute('**/services/router-backup/**');
  });

  it('repeats a request whose answer was lost as the same request', async () => {
    const sent: [string | undefined, string | null][] = [];
    await page.route('**/v1/orders', async (route) => {
      const request = route.request();
      sent.push([request.headers()['idempotency-key'], request.postData()]);
      if (sent.length > 1) return await route.fallback();
      await route.fetch();
      await route.abort();
    });
    await page.goto(`${fixture.url}/#/machine/${idle().name}`);
    await page.getByRole('button', { name: 'Maintenance' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Reason' }).fill('new phone');
    await dialog.getByRole('button', { name: 'Maintenance' }).click();
    await dialog.getByText('unreachable').waitFor();
    await dialog.getByRole('button', { name: 'Maintenance' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.unroute('**/v1/orders');

    expect(sent).toHaveLength(2);
    expect(sent[0]?.[0]).toMatch(/^\w{16,}$/);
    expect(sent[1]).toEqual(sent[0]);
  });

  it('keeps what is typed right after a key, in the dialog that it opens', async () => {
    const { name } = idle();
    await page.goto(`${fixture.url}/#/rack`);
    await page.locator(`[data-machine="${name}"]`).focus();
    await page.keyboard.press('n');
    await page.keyboard.type('the phone is cracked');

    const dialog = page.getByRole('dialog');
    await expect.poll(() => dialog.getByRole('textbox').inputValue()).toBe('the phone is cracked');
    expect(await dialog.getByRole('heading').textContent()).toContain(name);
    await dialog.getByRole('button', { name: 'Cancel' }).click();
  });

  it('has no keys of one character where they are turned off', async () => {
    await page.goto(`${fixture.url}/#/rack`);
    const keys = page.getByRole('button', { name: 'Keyboard shortcuts' });
    // Not by its role: a dialog that closes loses it before it is gone, and a key in between is lost.
    const dialog = page.locator('dialog');
    await keys.click();
    await dialog.getByRole('checkbox').uncheck();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await page.keyboard.press('2');
    await page.keyboard.press('?');

    expect(page.url()).toBe(`${fixture.url}/#/rack`);
    expect(await dialog.count()).toBe(0);
    await keys.click();
    await dialog.getByRole('checkbox').check();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await page.keyboard.press('?');
    await dialog.waitFor();
    await page.keyboard.press('Escape');
  });

  it('copies the first command of an alert', async () => {
    await browser.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    const line = fixture.fixture.rack.alerts[0]?.firstCommand ?? '';
    await page.goto(`${fixture.url}/#/alerts`);
    const row = page.getByRole('row', { name: 'SkoloSwitchDown' });

    await row.locator('code', { hasText: line }).click();
    const selected = await page.evaluate('getSelection().toString()');
    await row.getByRole('button', { name: 'Copy' }).click();
    await row.getByRole('button', { name: 'Copied' }).waitFor();

    expect(selected).toBe(line);
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(line);
    await browser.context.clearPermissions();
  });

  it('shows the first command of an alert on the page of its machine', async () => {
    const machine = fixture.fixture.machines.find(({ alerts }) => alerts.length > 0)?.name ?? '';
    await page.goto(`${fixture.url}/#/machine/${machine}`);

    await page
      .getByText(`skolo machine list --agents ${machine} --on rack4`, { exact: true })
      .waitFor();
  });

  it('shows why an agent may be silent, and what to do', async () => {
    const machine = idle();
    const needsAttention = 'image store damaged; to find the image, run skolo run rpi-1 -- true';
    const sentence = 'image store damaged; the agent is not responding';
    fixture.show({ ...machine, condition: 'gone', sentence, needsAttention });
    await page.goto(`${fixture.url}/#/machine/${machine.name}`);

    // The history may have it, too.
    await page.getByRole('paragraph').filter({ hasText: sentence }).waitFor();
    await page.getByText(needsAttention, { exact: true }).waitFor();
  });

  it('begins with what fell silent last and widest, then alerts that do not get through, then what is not confirmed', async () => {
    const { rack } = fixture.fixture;
    const { alertPath } = rack;
    const cards = page.locator('.card .sentence');
    const begin = async () => (await cards.allTextContents()).join('\n');
    await page.goto(`${fixture.url}/#/rack`);
    await expect
      .poll(begin)
      .toMatch(/^20 silent · switch-8 is down.*\n5 silent · no known cause\n/);
    rack.alertPath = { state: 'failing', text: 'sink pubsub: UNAVAILABLE' };
    fixture.showRack();

    // A pager's wrong key hides no dark rack.
    await expect
      .poll(begin)
      .toMatch(
        /^20 silent · switch-8.*\n5 silent.*\n(.* wait for a person\n)?Alerts failing.*UNAVAILABLE/,
      );
    Object.assign(rack, { alertPath });
    fixture.showRack();
  });

  it('shows a full disk as one red card with its command', async () => {
    const { rack } = fixture.fixture;
    const { services } = rack;
    const since = new Date().toISOString();
    const why = '/var/lib/skolo: the disk has no free space or inodes; delete files';
    rack.services = services.map((service) => ({
      ...service,
      state: 'degraded',
      degraded: [...service.degraded, { what: 'state directory', why, since, code: 'disk-full' }],
    }));
    fixture.showRack();
    await page.goto(`${fixture.url}/#/rack`);
    const full = page.locator('.card').filter({ hasText: 'disk' });
    await full.first().waitFor();

    expect(await full.count()).toBe(1);
    expect(await full.getAttribute('class')).toContain('bad');
    expect(await full.textContent()).toMatch(
      /the disk is full: metadata-server.*skolo run JUMPHOST/,
    );
    Object.assign(rack, { services });
    fixture.showRack();
  });

  it('offers the machines of a partial cause, not the switch that would take healthy ones along', async () => {
    const { rack, machines } = fixture.fixture;
    const { causes } = rack;
    const names = machines.filter(({ condition }) => condition === 'ok').map(({ name }) => name);
    const since = new Date().toISOString();
    const silent = names.slice(0, 12);
    const text = '12 of 40 machines on switch-1 are silent, 0 of 260 others';
    rack.causes = [
      {
        ...equipmentCause(['switch-1']),
        ...{ isPartial: true, why: words(text), since, machines: silent },
      },
      ...causes,
    ];
    fixture.showRack();
    const card = page.locator('.card', { hasText: text });
    await page.goto(`${fixture.url}/#/rack`);
    await card.locator('summary').click();

    expect(await card.getByRole('button', { name: /^Power cycle/ }).allTextContents()).toEqual([
      'Power cycle 12 machines',
    ]);
    rack.causes = causes;
    fixture.showRack();
  });

  it('shows on the page of an incident who came back, while one watches', async () => {
    const [cause] = fixture.fixture.rack.causes;
    const names = cause?.machines ?? [];
    const [first = ''] = names;
    const dark = fixture.fixture.machines.find(({ name }) => name === first);
    await page.goto(`${fixture.url}/#/rack?card=switch-8`);
    await page.locator('.card.open').getByRole('link', { name: 'Incident' }).click();
    const outcome = page.getByRole('status').filter({ hasText: 'came back' });
    await outcome.waitFor();

    expect(await outcome.textContent()).toMatch(
      /^6 of 26 came back, 20 did not: .* and 16 more; on it: bob /,
    );
    const wiring = page.locator('.wiring');
    expect(await wiring.getByText('✕ switch-8 is down').count()).toBeGreaterThan(1);
    expect(await wiring.locator('.mark-ok').count()).toBeGreaterThanOrEqual(6);
    await page.getByText(/^Seen before: 3 times since 2026-10-01/).waitFor();
    await page.getByRole('heading', { name: 'Actions' }).waitFor();
    await page.getByRole('heading', { name: 'Only those that did not return' }).waitFor();
    const tile = page.locator(`[data-machine="${first}"]`);
    expect(await tile.getAttribute('class')).toContain('c-gone');
    if (dark === undefined) throw new Error('no dark machine');
    fixture.show({
      ...dark,
      condition: 'ok',
      cause: undefined,
      lastSeen: new Date().toISOString(),
    });
    await expect.poll(() => tile.getAttribute('class')).toContain('c-ok');
    expect(await outcome.textContent()).toMatch(/^7 of 26 came back/);
    fixture.show(dark);
  });

  it('says that there is no such incident', async () => {
    await page.goto(`${fixture.url}/#/incident/none`);
    await page.getByText('the history has no incident none').waitFor();
  });

  it('has a red headline if more than a tenth of the machines are silent, as the list for a visit', async () => {
    await page.goto(`${fixture.url}/#/rack`);
    const headline = page.getByLabel('Needs attention').getByRole('heading').first();
    const expected =
      /^\d+ machines are silent: (\d+ )?switch-8(, \d+ without a known cause)?; \d+ wait for a person/;
    await expect.poll(() => headline.textContent()).toMatch(expected);
    const silent = fixture.fixture.machines.filter(({ condition }) =>
      ['stale', 'gone'].includes(condition),
    );
    const isBad = async () => (await headline.getAttribute('class'))?.includes('bad') ?? false;
    expect(await isBad()).toBe(silent.length > 30);
    const now = new Date().toISOString();
    const fallen = fixture.fixture.machines
      .filter(({ condition }) => condition === 'ok')
      .slice(0, 30);
    for (const machine of fallen) {
      fixture.show({ ...machine, condition: 'stale', lastSeen: now, since: now });
    }
    await expect.poll(isBad).toBe(true);
    await page.goto(`${fixture.url}/#/visit`);
    await page.getByRole('heading', { name: /^rack4: \d+ machines are silent/ }).waitFor();
    for (const machine of fallen) fixture.show(machine);
  });

  it('acts only on the machines of the preview', async () => {
    await page.goto(`${fixture.url}/#/rack?shelf=shelf2`);
    await page.locator('.tile').first().focus();
    await page.keyboard.press('a');
    const before = fixture.fixture.machines.filter(({ shelf }) => shelf === 'shelf2');
    await page.getByText(`${before.length} selected`).waitFor();
    await page.keyboard.press('m');
    for (let i = 0; i < 30; i += 1) {
      fixture.show({ ...idle(), name: `new-${i}`, shelf: 'shelf2' });
    }
    await page.getByRole('textbox', { name: 'Reason' }).fill('new shelf');
    await page.getByLabel(/type the number of machines/).fill(String(before.length));
    await page.getByRole('dialog').getByRole('button', { name: 'Maintenance' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });

    const call = fixture.calls.findLast(({ name }) => name === 'order');
    const { machines, count } = Order.parse(call?.body);
    expect(machines.toSorted()).toEqual(before.map(({ name }) => name).sort());
    expect(count).toBe(before.length);
  });

  it('shows hostile text as text, with what is invisible made visible', async () => {
    const machine = idle();
    const hebrew = '👩‍🔧 ann: המאוורר רועש 12 פעמים; 9 back';
    fixture.show({ ...machine, sentence: hostile, needsAttention: hebrew });
    await page.goto(`${fixture.url}/#/machine/${machine.name}`);

    const sentence = page.locator('.sentence');
    await sentence.filter({ hasText: 'onerror' }).waitFor();

    expect(await sentence.textContent()).toBe(
      '<img src=x onerror=alert(1)> <U+001B>[31m<U+202E>gpj.exe<U+2066> "quoted"',
    );
    expect(await page.locator('img').count()).toBe(0);
    // Its direction does not reach the number after it.
    await page.getByText('👩‍🔧 ann: \u2068המאוורר רועש 12 פעמים\u2069; 9 back').waitFor();
  });

  it('keeps a half-written note and the session over Escape, a reload and a restart of the service', async () => {
    const { name } = idle();
    await page.goto(`${fixture.url}/#/machine/${name}`);
    const dialog = page.getByRole('dialog');
    const text = dialog.getByRole('textbox');
    const open = () => page.getByRole('button', { name: 'Note', exact: true }).click();
    await open();
    await text.fill('the fan is loud, and');
    await page.keyboard.press('Escape');
    await fixture.restart();
    await page.reload();

    await open();
    expect(await text.inputValue()).toBe('the fan is loud, and');
    await text.fill('the fan is loud');
    await dialog.getByRole('button', { name: 'Add a note' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await open();
    expect(await text.inputValue()).toBe('');
    await dialog.getByRole('button', { name: 'Cancel' }).click();

    // The browser records each request that fails in the meantime.
    const expected =
      /Failed to load resource|ERR_FAILED|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED/;
    expect(browser.complaints.filter((text) => !expected.test(text))).toEqual([]);
  });

  // Last: afterwards, the directory of the audit log is another one.
  it('lets people sign in to look while the disk is full, shows why, and recovers', async (context) => {
    const disk = join(fixture.dir, 'machine-state');
    await mountSmall(context, disk, 'size=64k');
    await writeFile(join(disk, 'filling'), Buffer.alloc(128 * 1024)).catch(() => undefined);
    const { name } = idle();
    const opened = await signIn(browser, fixture.url, fixture.tokens.operate);
    const banner = opened.locator('.banner');

    await banner.filter({ hasText: 'You can look, but not change anything' }).waitFor();
    expect(await banner.textContent()).toContain('the disk is full (ENOSPC)');
    await opened.goto(`${fixture.url}/#/machine/${name}`);
    await opened.getByRole('button', { name: 'Quarantine' }).click();
    await opened.locator('dialog .failure').filter({ hasText: 'skolo run jumphost' }).waitFor();

    await rm(join(disk, 'filling'));
    await banner.waitFor({ state: 'detached' });
    await opened.locator('dialog .failure').waitFor({ state: 'detached' });
  });
});

const Order = z.object({ machines: z.array(z.string()), count: z.int().optional() });
const Axe = z.array(
  z.object({
    id: z.string(),
    impact: z.string().nullable(),
    nodes: z.array(z.object({ html: z.string(), failureSummary: z.string().optional() })),
  }),
);

/**
 * Pages with hundreds of tiles or rows, of which axe needs half a minute for the contrast: in `npm run test:long`, for colours that no other
 * page has.
 */
const hugePage = /#\/(?:rack|tokens|power|machines)(?:\?|$)/;

/** Returns the axe rules that the page seriously violates; those of the contrast in both colour schemes. */
async function seriousFor(page: Page): Promise<string[]> {
  const hasContrast = isLong || !hugePage.test(page.url());
  const light = await seriousNow(page, hasContrast);
  if (!hasContrast) return light;
  await page.emulateMedia({ colorScheme: 'dark' });
  const dark = await seriousNow(page, hasContrast);
  await page.emulateMedia({ colorScheme: 'light' });
  return [...light, ...dark.map((violation) => `dark: ${violation}`)];
}

/** It runs outside the page's policy, as an extension would. */
async function seriousNow(page: Page, hasContrast: boolean): Promise<string[]> {
  const path = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
  await page.evaluate(await readFile(path, 'utf8'));
  const rules = { 'color-contrast': { enabled: hasContrast } };
  const options = JSON.stringify({ resultTypes: ['violations'], rules });
  const violations = await page.evaluate(`axe.run(${options}).then((found) => found.violations)`);
  return Axe.parse(violations)
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`);
}

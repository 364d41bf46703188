/** The layout of every page, measured in a real browser on a phone, a tablet and a laptop; and what a finger, Back and links do. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isSilent } from '@skolo/api/silence';
import { buildPages } from '@skolo/console/build';
import type { GeneratedRack } from '@skolo/scripted-services';
import { lacks, peer } from '@skolo/simulators';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { type Browser, openBrowser, signIn } from './testing/browser.ts';
import { everyPage } from './testing/every-page.ts';
import { type Fixture, startFixture } from './testing/fixture.ts';

const chromium = peer('chromium');
const phone = 390;
const widths = [phone, 1024, 1440];
const themes = ['light', 'dark'] as const;

/** In the page: what scrolls sideways or is cut; on a phone also what is too small for a finger, broken words, and tiles that are too far down. */
const faultsNow = `(() => {
  const faults = [];
  const isPhone = innerWidth < 700;
  const root = document.documentElement;
  const tagOf = (element) => element.outerHTML.slice(0, 150);
  if (root.scrollWidth > root.clientWidth) {
    const wide = [...document.querySelectorAll('body *')];
    const last = wide.findLast((each) => each.getBoundingClientRect().right > root.clientWidth + 1);
    faults.push('scrolls sideways: ' + (last ? tagOf(last) : ''));
  }
  for (const tile of document.querySelectorAll('.tile')) {
    if (tile.scrollWidth > tile.clientWidth) faults.push('cut: ' + tagOf(tile));
  }
  for (const time of document.querySelectorAll('.card time')) {
    const edge = time.closest('.card').getBoundingClientRect().right;
    if (time.getBoundingClientRect().right > edge) faults.push('cut: ' + tagOf(time));
  }
  for (const tick of document.querySelectorAll('.tick')) {
    const edge = tick.ownerSVGElement.getBoundingClientRect().right;
    if (tick.getBoundingClientRect().right > edge) faults.push('cut: ' + tagOf(tick));
  }
  for (const head of isPhone ? [] : document.querySelectorAll('thead .number')) {
    const below = head.closest('table').tBodies[0]?.rows[0]?.cells[head.cellIndex] ?? head;
    const [edge, other] = [head, below].map((each) => each.getBoundingClientRect().right);
    if (edge !== other) faults.push('beside its header: ' + tagOf(below));
  }
  for (const element of document.querySelectorAll('body *:not(svg *, .table:not(.machines) thead *)')) {
    const isCut = ['hidden', 'clip'].includes(getComputedStyle(element).overflowX);
    if (!isCut && element.checkVisibility() && element.clientWidth > 0 && element.scrollWidth > element.clientWidth) {
      faults.push('wider than its box: ' + tagOf(element));
    }
  }
  if (!isPhone) return faults;
  const pressed = 'button, .button, select, summary, nav a, .top a, .notice a, .counts a, .tile, input:not([type=checkbox], [type=radio])';
  for (const element of document.querySelectorAll(pressed)) {
    const { width, height } = element.getBoundingClientRect();
    if (element.checkVisibility() && (height < 44 || (element.matches('button') && width < 44))) {
      faults.push(Math.round(width) + ' x ' + Math.round(height) + ' px: ' + tagOf(element));
    }
  }
  const top = document.querySelector('.tile')?.getBoundingClientRect().top ?? 0;
  // An open card has details.
  if (location.hash === '#/rack' && top + scrollY >= 400) {
    faults.push('the first tile is at ' + Math.round(top + scrollY) + ' px');
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (!text.parentElement.checkVisibility() || text.parentElement.closest('code, pre')) continue;
    for (const { index, 0: word } of text.data.matchAll(/\\b[A-Za-z]{2,20}\\b/g)) {
      range.setStart(text, index);
      range.setEnd(text, index + word.length);
      const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)));
      if (lines.size > 1) faults.push('a broken word: ' + word + ' in ' + text.data.slice(0, 60));
    }
  }
  return faults;
})()`;

let fixture: Fixture;
let browser: Browser;
let page: Page;

/** Graphs get their widths a few frames after the window. */
async function faultsAfterDrawing(shown: Page): Promise<string[]> {
  const measured = async () => z.array(z.string()).parse(await shown.evaluate(faultsNow));
  let faults = await measured();
  for (let frames = 0; frames < 20 && faults.length > 0; frames += 1) {
    await shown.evaluate('new Promise((resolve) => requestAnimationFrame(resolve))');
    faults = await measured();
  }
  return faults;
}

async function faultsOf(shown: Page): Promise<string[]> {
  const found: string[] = [];
  for (const width of widths) {
    await shown.setViewportSize({ width, height: 844 });
    for (const colorScheme of themes) {
      await shown.emulateMedia({ colorScheme });
      const faults = await faultsAfterDrawing(shown);
      found.push(...faults.slice(0, 5).map((fault) => `${width} px, ${colorScheme}: ${fault}`));
    }
  }
  await shown.setViewportSize({ width: 1440, height: 900 });
  await shown.emulateMedia({ colorScheme: 'light' });
  return found;
}

const oddText = 'ann 👩‍🔧: המאוורר רועש 12 פעמים 🇩🇪';

/** All machines have twelve phones, and have been silent for an hour. */
function makeOdd({ machines }: GeneratedRack): void {
  const since = new Date(Date.now() - 3_600_000).toISOString();
  const gone = { condition: 'gone', since, lastSeen: since, needsAttention: oddText } as const;
  const all = machines.map(({ task: _, devices: [device], ...machine }) => ({
    ...machine,
    ...gone,
    sentence: oddText,
    devices: Array.from({ length: 12 }, (_, i) => ({
      ...{ kind: 'android', state: 'present' as const, ...device },
      name: `phone-${i + 1}`,
    })),
  }));
  machines.splice(0, machines.length, ...all);
}

/** As long as rack.yaml allows, and without a place to break. */
function longNames(generated: GeneratedRack): (text: string) => string {
  const { machines, rack } = generated;
  const named = [...machines, ...rack.shelves, ...rack.equipment, { name: rack.rack }];
  const names = new Set(named.map(({ name }) => name).concat('device'));
  return (text) =>
    text.replaceAll(/[a-z][\w-]*/g, (word) =>
      names.has(word) ? word.replaceAll('-', '').padStart(45, 'x').padEnd(63, 'y') : word,
    );
}

async function open(view: string, selector: string): Promise<void> {
  await page.goto(`${fixture.url}/#/${view}`);
  await page.locator(selector).first().waitFor();
}

async function scrolled(): Promise<number> {
  return z.number().parse(await page.evaluate('Math.round(scrollY)'));
}

async function scrollDown(y: number): Promise<void> {
  await page.evaluate(`scrollTo(0, ${y})`);
  await expect.poll(scrolled).toBe(y);
}

describe.skipIf(lacks('chromium'))('the layout', () => {
  beforeAll(async () => {
    await buildPages();
    fixture = await startFixture();
    browser = await openBrowser(chromium ?? '', { hasTouch: true });
    page = await signIn(browser, fixture.url, fixture.tokens.operate);
  });
  afterAll(async () => {
    await browser?.close();
    await fixture?.stop();
  });

  it('is measured for every view', async () => {
    const file = join(import.meta.dirname, '../pages/src/shell/views.ts');
    const names = [...(await readFile(file, 'utf8')).matchAll(/\bname: '([\w-]+)'/g)];

    const measured = new Set(everyPage.map(([view]) => view.replace(/[/?].*/, '')));
    expect(measured).toEqual(new Set(names.map(([, name]) => name)));
  });

  it.each(everyPage)('of %s fits each window, finger and word', async (view, selector) => {
    await open(view, selector);

    expect(await faultsOf(page)).toEqual([]);
  });

  it('of the sign-in fits each window, finger and word', async () => {
    const other = await browser.context.newPage();
    await other.route('**/v1/session', (route) => route.fulfill({ status: 401, json: {} }));
    await other.goto(fixture.url);
    await other.getByLabel('Token for this rack').waitFor();
    const signInFaults = await faultsOf(other);
    await other.close();

    expect(signInFaults).toEqual([]);
  });

  const withTexts = ['rack', 'rack?card=', 'machines', 'machine/', 'visit', 'audit?text='];
  it.each(withTexts)('of %s fits even if machines report texts without a space', async (view) => {
    const machine = fixture.fixture.machines[5];
    if (!machine) throw new Error('no machine');
    const long = '7'.repeat(300);
    const since = '2026-11-27T01:02:03.000Z';
    fixture.show({
      ...machine,
      condition: 'quarantined',
      since,
      sentence: long,
      needsAttention: long,
      devices: machine.devices.map((each) => ({ ...each, dimensions: { device_type: [long] } })),
      lastTask: { id: long, outcome: long, endedAt: since },
      alerts: [{ name: long, summary: long, firstCommand: long, since }],
    });
    await open(/[/=]$/.test(view) ? `${view}${machine.name}` : view, '#main > *');
    const faults = await faultsOf(page);
    fixture.show(machine);

    expect(faults).toEqual([]);
  });

  it.each([
    ['without machines', 0],
    ['of silent machines with many phones, emoji and Hebrew', 60],
  ])('of a rack %s fits', async (_, count) => {
    const odd = await startFixture({
      machines: count,
      anonymousRead: ['127.0.0.0/8'],
      prepare: makeOdd,
    });
    onTestFinished(odd.stop);
    const other = await browser.context.newPage();
    onTestFinished(() => other.close());
    const [machine] = odd.fixture.machines;
    const more = machine ? [`machine/${machine.name}`, `rack?card=${machine.name}`] : [];
    const faults: string[] = [];
    for (const view of ['rack', 'machines', 'timeline', 'visit', ...more]) {
      await other.goto(`${odd.url}/#/${view}`);
      await other.locator('#main > *').first().waitFor();
      await expect.poll(() => other.locator('.loading').count()).toBe(0);
      faults.push(...(await faultsOf(other)).map((fault) => `${view}: ${fault}`));
    }

    expect(faults).toEqual([]);
    await other.goto(`${odd.url}/#/rack`);
    const card = other.locator('.card', { hasText: `all ${count} silent` });
    await expect.poll(() => card.count()).toBe(Math.min(1, count));
  });

  it('of each view fits if all names have 63 characters without a hyphen', async () => {
    let long = (text: string) => text;
    const odd = await startFixture({
      prepare(rack) {
        long = longNames(rack);
        const longer = (_: string, value: unknown) =>
          typeof value === 'string' ? long(value) : value;
        Object.assign(rack, JSON.parse(JSON.stringify(rack), longer));
      },
    });
    onTestFinished(odd.stop);
    const [{ name = '' } = {}] = odd.fixture.machines;
    const where = `${name}, ${name}`;
    const text = `power cycle by ${name}: ${name}; 1 back, 1 failed`;
    const at = new Date().toISOString();
    odd.fixture.rack.cycleRequests = [{ at, by: name, text, where, failed: 1, endedAt: at }];
    // Cookies do not distinguish ports.
    const own = await openBrowser(chromium ?? '', { hasTouch: true });
    onTestFinished(own.close);
    await own.context.route('**/v1/session', async (route) => {
      const response = await route.fetch();
      await route.fulfill({
        response,
        json: { ...z.looseObject({}).parse(await response.json()), name },
      });
    });
    const other = await signIn(own, odd.url, odd.tokens.operate);
    const hold = { targets: [name], reason: '7'.repeat(300), until: '2099-01-01T00:00:00Z' };
    const holds = `${odd.url}/services/power-cycle-daemon/v1/holds`;
    const request = { headers: { origin: odd.url }, data: hold };
    expect((await other.request.post(holds, request)).status()).toBe(201);
    const faults: string[] = [];
    async function measure(what: string) {
      const found = await faultsOf(other);
      // The name of a problem may have three lines.
      faults.push(
        ...found.filter((each) => !each.includes('first tile')).map((each) => `${what}: ${each}`),
      );
    }

    const filtered = ['rack?shelf=shelf1&condition=ok', '.counts .on'] as const;
    for (const [view, selector] of [filtered, ...everyPage]) {
      await other.goto(`${odd.url}/#/${long(view)}`);
      await other.locator(long(selector)).first().waitFor();
      await other.evaluate(
        "for (const each of document.querySelectorAll('details')) each.open = true",
      );
      await measure(view);
    }
    for (const key of ['s', 'n']) {
      await other.keyboard.press(key);
      const dialog = other.locator('dialog');
      await dialog.waitFor();
      await measure(`the dialog of ${key}`);
      await other.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
    }
    await other.getByRole('combobox').fill('y');
    await other.getByRole('option').first().waitFor();
    await measure('the search');

    expect(faults).toEqual([]);
  });

  it('of the rack fits beside how a power cycle ends', async () => {
    const { rack } = fixture.fixture;
    const text =
      'power cycle by ann@example.com: no answer to ssh and ping; 9 back, 2 running, 1 failed';
    rack.cycleRequests = ['rpi-[1-12] (12)', 'switch-3'].map((where) => {
      return { at: '2026-11-27T03:00:00.000Z', by: 'ann-operate', text, where, failed: 1 };
    });
    fixture.showRack();
    await open('rack', '.notice');
    const faults = await faultsOf(page);
    rack.cycleRequests = [];
    fixture.showRack();

    expect(faults).toEqual([]);
  });

  it('of a selection and its dialog fits', async () => {
    await open('rack?shelf=shelf1', '.tile');
    await page.locator('.tile').first().focus();
    await page.keyboard.press('a');
    await page.getByText('40 selected').waitFor();
    expect(await faultsOf(page)).toEqual([]);
    await page.keyboard.press('m');
    await page.getByRole('dialog').waitFor();

    expect(await faultsOf(page)).toEqual([]);
    await page.keyboard.press('Escape');
  });

  it.each([
    ['rack', '.tile >> nth=250'],
    // Its rows arrive after the page.
    ['tokens', 'tbody th a >> nth=200'],
  ])(
    'of a page that %s links to begins at its top, and Back returns to the link',
    async (view, link) => {
      await page.setViewportSize({ width: phone, height: 844 });
      // The second time, it is a link to the page itself.
      await open(view, link);
      await open(view, link);
      await scrollDown(700);
      await page.locator(link).scrollIntoViewIfNeeded();
      const before = await scrolled();
      await page.locator(link).click();
      await page.locator('.machine h1').waitFor();

      await expect.poll(scrolled).toBe(0);
      await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('main');
      await page.goBack();
      await expect.poll(scrolled).toBe(before);
      await page.reload();
      await expect.poll(scrolled).toBe(before);
      await page.goForward();
      await page.locator('.machine h1').waitFor();
      await expect.poll(scrolled).toBe(0);
      await page.setViewportSize({ width: 1440, height: 900 });
    },
  );

  it('of 300 machines fits a laptop without scrolling, while a switch is dead', async () => {
    await page.setViewportSize({ width: 1440, height: 900 });
    await open('rack', '.card.wide .tile');
    const last = await page.locator('.shelves .tile').last().boundingBox();

    expect((last?.y ?? 901) + (last?.height ?? 0)).toBeLessThanOrEqual(900);
  });

  it('finds by words of one field, and hides shelves without a match', async () => {
    await open('rack', '.tile');
    await page.getByRole('searchbox').fill('switch-1');

    await page.getByText('40 of 300 machines').waitFor();
    expect(await page.locator('.shelf').count()).toBe(1);
    await page.getByRole('searchbox').fill('pixel 6 switch-1');
    await page.getByText('10 of 300 machines').waitFor();
    expect(page.url()).toContain('text=pixel+6+switch-1');
  });

  it('reaches actions, pages and the table by touch alone', async () => {
    await page.setViewportSize({ width: phone, height: 844 });
    await open('rack', '.tile');
    await page.getByRole('button', { name: 'Select', exact: true }).tap();
    await page.locator('.shelves .tile').nth(0).tap();
    await page.locator('.shelves .tile').nth(1).tap();
    await page.getByText('2 selected').waitFor();
    await page.getByRole('button', { name: 'Maintenance' }).tap();
    await page.getByRole('dialog').getByRole('heading', { name: '2 machines' }).waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).tap();
    await page.getByRole('button', { name: 'Clear selection' }).tap();
    await page.locator('.shelves .tile').nth(1).tap();
    await page.locator('.machine h1').waitFor();

    await page.getByRole('link', { name: 'More' }).tap();
    await page.getByRole('link', { name: 'Table of machines' }).tap();
    await page.getByRole('button', { name: 'Battery' }).tap();
    await page.waitForURL(/sort=battery/);
    await page.getByRole('link', { name: 'Rack', exact: true }).tap();
    await page.locator('.tile').first().waitFor();
    await page.setViewportSize({ width: 1440, height: 900 });
  });

  it('sorts the table by any column, both ways, by keyboard, in its link', async () => {
    await open('machines', 'tbody tr');
    const head = page.getByRole('columnheader');
    const column = async (index: number) => {
      const cells = await page.locator(`tbody tr > :nth-child(${index + 1})`).allTextContents();
      return cells.filter(Boolean);
    };
    for (const index of (await head.all()).keys()) {
      await head.nth(index).getByRole('button').focus();
      await page.keyboard.press('Enter');
      await expect.poll(() => head.nth(index).getAttribute('aria-sort')).not.toBe('none');
    }
    const { machines } = fixture.fixture;
    const responding = machines.filter((machine) => !isSilent(machine));
    const levels = responding.map(({ devices: [device] }) => device?.batteryPercent ?? 0);

    await open('machines?sort=battery', 'tbody tr');
    expect(await column(6)).toEqual(levels.toSorted((a, b) => a - b).map((level) => `${level}%`));
    await page.getByRole('button', { name: 'Battery' }).press('Enter');
    await page.waitForURL(/sort=-battery/);
    expect(await column(6)).toEqual(levels.toSorted((a, b) => b - a).map((level) => `${level}%`));
    await open('machines?sort=condition', 'tbody tr');
    expect((await column(1)).at(-1)).toBe('silent');
  });

  it('downloads the table as CSV, in which a spreadsheet executes nothing', async () => {
    const machine = fixture.fixture.machines[2];
    if (!machine) throw new Error('no machine');
    const { task: _, ...idle } = machine;
    const outcome = '=HYPERLINK("http://evil.example";"a")';
    const endedAt = '2026-11-27T01:02:03.000Z';
    fixture.show({ ...idle, lastTask: { outcome, endedAt } });
    await open('machines?shelf=shelf1', `tr:has-text("HYPERLINK")`);
    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download CSV' }).click();
    const download = await downloading;
    const text = await readFile(await download.path(), 'utf8');
    fixture.show(machine);

    expect(download.suggestedFilename()).toBe('rack4-machines.csv');
    const lines = text.split('\r\n');
    expect(lines).toHaveLength(42);
    expect(lines[0]).toBe(
      '"name","condition","since","shelf","port","model","battery","temperature","task"',
    );
    expect(lines[3]).toMatch(
      /^"skia-rpi2-rack4-shelf1-003",.*,\d+,[\d.]+,"'=HYPERLINK\(""http:\/\/evil\.example"";""a""\) 2026-11-27T01:02:03\.000Z"$/,
    );
  });

  it('shows a cause, its alert, its machines and an action on one card, which the link of the alert opens', async () => {
    await open('alerts', 'th:has-text("SkoloSwitchDown")');
    await page.getByRole('link', { name: 'SkoloSwitchDown' }).click();
    const card = page.locator('.card.open');
    await card.waitFor();

    const text = await card.textContent();
    expect(text).toMatch(/switch-8.*\d\d:\d\d:\d\d · \d+ min.*switch-8 is not responding/s);
    expect(text).toMatch(/20 machines.*SkoloSwitchDown.*skolo rack show switch-8/s);
    expect(await page.locator('.card', { hasText: 'SkoloSwitchDown' }).count()).toBe(1);
    const [dark = ''] = fixture.fixture.rack.causes[0]?.machines ?? [];
    await open(`rack?card=${dark}`, '.card.open');
    expect(await card.textContent()).toContain('switch-8 is not responding');
    await open('rack?card=rpi-of-yesterday', '.tile');
    await page.getByText('Nothing about rpi-of-yesterday needs attention now.').waitFor();
    expect(await card.count()).toBe(0);
  });
});

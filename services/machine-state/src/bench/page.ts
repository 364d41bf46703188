/** Benches of the console's page, in Debian's Chromium. */
import { lower, median, NotRun, percentile } from '@skolo/bench';
import { buildPages } from '@skolo/console/build';
import { type Browser, type Fixture, openBrowser, startFixture } from '@skolo/console/testing';
import { peer } from '@skolo/simulators';
import { bench, never, share, withService } from './rig.ts';

const throttle = 4;
const views = 7;
const changesPerSecond = 20;
const framesForMs = 10_000;
const reads = { anonymousRead: ['127.0.0.0/8'] };

/** Pages with something for each machine. */
const tiles = { path: '#/rack', each: '.tile' };
const table = { path: '#/machines', each: '.machines tbody tr' };

/** Marks the frame that shows all machines. */
const markAll = (each: string) => `
  const observer = new MutationObserver(() => {
    if (document.querySelectorAll('${each}').length < 300) return;
    observer.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => performance.mark('all')));
  });
  observer.observe(document, { childList: true, subtree: true });
`;
const whenMarked = `new Promise((resolve) => {
  const look = () => {
    const [mark] = performance.getEntriesByName('all');
    if (mark) resolve(mark.startTime);
    else requestAnimationFrame(look);
  };
  look();
})`;
const frameTimes = `new Promise((resolve) => {
  const times = [];
  let last = performance.now();
  const frame = (now) => {
    times.push(now - last);
    last = now;
    if (times.reduce((sum, each) => sum + each, 0) < ${framesForMs}) requestAnimationFrame(frame);
    else resolve(times);
  };
  requestAnimationFrame(frame);
})`;

/**
 * From the document's request until all tiles are drawn, with an empty cache and a slow processor; compared with the processor time of the
 * page's thread when it is not slow, and with the table of machines, which must not be slower.
 */
const firstView = lower('first-view', 'ms', () =>
  withPage(async (browser, { url }) => {
    const slow = await repeated(() => viewOnce(browser, url, throttle));
    const slowTable = await repeated(() => viewOnce(browser, url, throttle, table));
    const fast = await repeated(() => viewOnce(browser, url, 1));
    return {
      figure: median(slow.map(({ ms }) => ms)),
      against: {
        'table of machines': median(slowTable.map(({ ms }) => ms)),
        'thread, not throttled': median(fast.map(({ busyMs }) => busyMs)),
      },
    };
  }),
);

/** While 20 machines change each second; compared with a page on which nothing changes. */
const frames = lower('frame-time-p99', 'ms', () =>
  withPage(async (browser, { url, fixture, show }) => {
    const page = await browser.open(`${url}/#/rack`);
    await page.locator('.tile').first().waitFor();
    const measured = async () => percentile((await page.evaluate(frameTimes)) as number[], 99);
    const still = await measured();
    let changes = 0;
    const changing = setInterval(() => {
      changes += 1;
      const machine = fixture.machines[(changes * 37) % fixture.machines.length];
      if (machine) show({ ...machine, sentence: `change ${changes}` });
    }, 1000 / changesPerSecond);
    const figure = await measured();
    clearInterval(changing);
    return { figure, against: { still } };
  }),
);

/** Of a core, while one tab is open and only readings change; compared with no tab. */
const idleTab = bench('idle-tab', '% of a core', (folder) =>
  withService(folder, never, async ({ pid, url }) => {
    const none = await share(pid);
    const browser = await open();
    try {
      const page = await browser.open(`${url}/#/rack`);
      await page.locator('.tile').first().waitFor();
      return { figure: await share(pid), against: { 'no tab': none } };
    } finally {
      await browser.close();
    }
  }),
);

export const pageBenches = [firstView, frames, idleTab];

async function viewOnce({ context }: Browser, url: string, rate: number, view = tiles) {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  await session.send('Emulation.setCPUThrottlingRate', { rate });
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  await page.addInitScript({ content: markAll(view.each) });
  await page.goto(`${url}/${view.path}`);
  const ms = Number(await page.evaluate(whenMarked));
  const { metrics } = await session.send('Performance.getMetrics');
  const seconds = metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0;
  await page.close();
  return { ms, busyMs: seconds * 1000 };
}

async function repeated<T>(once: () => Promise<T>): Promise<T[]> {
  const found: T[] = [];
  for (let i = 0; i < views; i += 1) found.push(await once());
  return found;
}

async function withPage<T>(work: (browser: Browser, fixture: Fixture) => Promise<T>): Promise<T> {
  await buildPages();
  const fixture = await startFixture(reads);
  try {
    const browser = await open();
    try {
      return await work(browser, fixture);
    } finally {
      await browser.close();
    }
  } finally {
    await fixture.stop();
  }
}

/** @throws NotRun */
function open(): Promise<Browser> {
  const chromium = peer('chromium');
  if (!chromium) throw new NotRun('chromium is not installed (Debian: chromium)');
  return openBrowser(chromium);
}

/** Debian's Chromium on a page of the fixture. Records everything that a page must not do. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

const args = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface Browser {
  context: BrowserContext;
  /** Opens a page at a console link. Each is a new document. */
  open(url: string): Promise<Page>;
  /** Console errors, exceptions, policy violations, and requests to other hosts since the start. */
  complaints: string[];
  close(): Promise<void>;
}

export async function openBrowser(
  executablePath: string,
  options: {
    width?: number;
    height?: number;
    colorScheme?: 'light' | 'dark';
    hasTouch?: boolean;
  } = {},
): Promise<Browser> {
  const { width = 1440, height = 900, colorScheme = 'light', hasTouch = false } = options;
  const profile = await mkdtemp(join(tmpdir(), 'skolo-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    args,
    viewport: { width, height },
    colorScheme,
    hasTouch,
    timezoneId: 'Europe/Berlin',
  });
  context.setDefaultTimeout(900_000);
  const complaints: string[] = [];
  context.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  // Pages must not require the internet connection.
  context.on('request', (request) => {
    if (!isLocal(request.url())) complaints.push(`a request to ${request.url()}`);
  });
  context.on('weberror', (error) => complaints.push(error.error().message));
  return {
    context,
    complaints,
    async open(url) {
      const page = await context.newPage();
      await page.goto(url);
      return page;
    },
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

function isLocal(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'data:' || protocol === 'blob:' || hostname === '127.0.0.1';
}

/** Signs the browser in, as `skolo console` does: with a link that works once. */
export async function signIn(browser: Browser, url: string, token: string): Promise<Page> {
  const response = await fetch(`${url}/v1/console-links`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  const answer: unknown = await response.json();
  const code = typeof answer === 'object' && answer ? Reflect.get(answer, 'code') : undefined;
  const page = await browser.open(`${url}/#/sign-in?code=${code}`);
  await page.locator('.tile').first().waitFor();
  return page;
}

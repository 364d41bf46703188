/** What the console's pages print in Chromium, with given answers of the services. */
import type { Machine, RackView } from '@skolo/api';
import { commandApp, type Stage } from '@skolo/common/light';
import { buildPages } from '@skolo/console/build';
import { openBrowser } from '@skolo/console/testing';
import { startScripted } from '@skolo/scripted-services/service';
import type { Page } from 'playwright-core';
import { builtPages } from '../../../packages/console/src/serve/built-pages.ts';
import { servePages } from '../../../packages/console/src/serve/pages.ts';

interface Answers {
  rack: RackView;
  machines?: Machine[];
  /** Of other routes, by path. */
  others?: Readonly<Record<string, unknown>>;
}

interface Printed {
  /** The first page's tiles: the last line of each. */
  tiles: string[];
  /** The titles of the first page's cards. */
  cards: string[];
  /** On pages of its own. */
  own: string[];
}

/** @param own a view, and the elements in it that have the verdict */
export type Print = (
  answers: Answers,
  ...own: [view: string, selector: string][]
) => Promise<Printed>;

/** One browser with one page, which follows the rack's changes. */
export async function openPrinter(chromium: string): Promise<{ print: Print } & AsyncDisposable> {
  await buildPages();
  const pages = servePages(await builtPages());
  let answers: Answers | undefined;
  let sendRack = () => {};
  const answer: Stage = (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://rack');
    if (pathname === '/v1/changes') {
      response.setHeader('content-type', 'text/event-stream');
      sendRack = () => {
        if (!answers) return;
        const { rack, machines = [] } = answers;
        response.write(`event: all\ndata: ${JSON.stringify({ rack, machines })}\n\n`);
      };
      sendRack();
      return;
    }
    const body = pathname === '/v1/session' ? session : answers?.others?.[pathname];
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body ?? { title: 'not in this test' }));
  };
  const server = await startScripted('machine-state', {});
  server.instead = commandApp([], [pages, answer]).listener;
  const browser = await openBrowser(chromium);
  const page = await browser.open(`${server.url}/#/rack`);
  let times = 0;
  return {
    async print(given, ...views) {
      times += 1;
      // A name of its own tells when the page has it.
      const name = `rack-${times}`;
      answers = { ...given, rack: { ...given.rack, rack: name } };
      sendRack();
      await page.goto(`${server.url}/#/rack`);
      await page.locator(`.rack-name:text-is("${name}")`).waitFor();
      const tiles = (await textsOf(page, '.shelves .tile')).map(
        (text) => text.split('\n').at(-1) ?? '',
      );
      const cards = await textsOf(page, '.attention .card .sentence b');
      const own: string[] = [];
      for (const [view, selector] of views) {
        await page.goto(`${server.url}/#/${view}`);
        await page.locator(selector).first().waitFor();
        own.push(...(await textsOf(page, selector)));
      }
      return { tiles, cards, own };
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      await server.close();
    },
  };
}

const session = { rack: 'small', version: '1', name: 'ann', role: 'view', signedIn: true };

function textsOf(page: Page, selector: string): Promise<string[]> {
  return page.locator(selector).allInnerTexts();
}

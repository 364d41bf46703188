/** Starts the pages of one rack's console, and draws them when the rack's state has arrived or after a short wait. */
import { render } from 'preact';
import { getLive, onLive } from './live/store.ts';
import { App } from './shell/app.tsx';
import { followScroll } from './shell/scroll.ts';
import { startSession } from './shell/session.ts';
import { applyTheme } from './shell/theme.ts';

/** For a rack on the local network: a frame without it costs a slow processor as much as a hundred tiles. */
const waitMs = 150;

function draw() {
  stopWaiting();
  clearTimeout(timer);
  const root = document.getElementById('app');
  if (root) render(<App />, root);
}

applyTheme();
followScroll();
const timer = setTimeout(draw, waitMs);
const stopWaiting = onLive(() => {
  const { rack, session } = getLive();
  if (rack || session === null) draw();
});
startSession();

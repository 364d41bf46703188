import { render } from 'preact';
import { App } from './shell/app.tsx';
import { startSession } from './shell/session.ts';
import { applyTheme } from './shell/theme.ts';

applyTheme();
// Before the first frame is drawn.
startSession();
const root = document.getElementById('app');
if (root) render(<App />, root);

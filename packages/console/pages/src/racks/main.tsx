/** Starts the page with all racks of `skolo console`. */
import { render } from 'preact';
import { applyTheme } from '../shell/theme.ts';
import { Racks } from './racks.tsx';

applyTheme();
const root = document.getElementById('app');
if (root) render(<Racks />, root);

/** Light or dark: the system's setting, or the one chosen here. */
import { useState } from 'preact/hooks';

const themes = ['auto', 'light', 'dark'] as const;
type Theme = (typeof themes)[number];
const kept = 'skolo-theme';

export function applyTheme(theme = storedTheme()): void {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export function useTheme(): [Theme, () => void] {
  const [theme, setTheme] = useState(storedTheme);
  function next() {
    const following = themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'auto';
    localStorage.setItem(kept, following);
    applyTheme(following);
    setTheme(following);
  }
  return [theme, next];
}

function storedTheme(): Theme {
  return themes.find((theme) => theme === localStorage.getItem(kept)) ?? 'auto';
}

/** The frame around all pages: navigation, search, banner, keyboard shortcuts, or the sign-in. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { ActionHost } from '../actions/host.tsx';
import { useLive } from '../live/store.ts';
import { useKeys } from '../parts/keys.ts';
import { go, hrefOf, pathOf, type Route, useRoute } from '../parts/router.ts';
import { Notice } from '../power/notice.tsx';
import { Search } from '../search/search.tsx';
import { Banner } from './banner.tsx';
import { Help } from './help.tsx';
import { SignIn } from './sign-in.tsx';
import { useTheme } from './theme.ts';
import { views } from './views.ts';
import { Who } from './who.tsx';

const inNavigation = views.filter(({ below }) => below === undefined);

export function App() {
  const isSignedOut = useLive((live) => live.session === null);
  return isSignedOut ? <SignIn /> : <Shell />;
}

function Shell() {
  const route = useRoute();
  const [helps, setHelps] = useState(false);
  const rackName = useLive(({ rack, session }) => rack?.rack ?? session?.rack);
  const view = views.find(({ name }) => name === route.view);
  useKeys('Everywhere', [
    { key: '?', what: 'shows the keyboard shortcuts', run: () => setHelps(true) },
    { key: '/', what: 'searches', run: () => document.getElementById('search')?.focus() },
    ...inNavigation.map(({ name, title }, i) => ({
      key: `${i + 1}`,
      what: title ?? '',
      run: () => go(hrefOf(name)),
    })),
  ]);
  useFocusOnPage(pathOf(route));
  useEffect(() => {
    const title = route.args[0] ?? view?.title ?? '';
    document.title = [title, rackName, 'skolo'].filter(Boolean).join(' · ');
  }, [route, rackName]);
  const View = view?.component;
  return (
    <>
      <button type="button" class="skip" onClick={focusMain}>
        Skip to content
      </button>
      <Top route={route} rackName={rackName} onHelp={() => setHelps(true)} />
      <Banner />
      <main id="main" tabIndex={-1}>
        {View ? (
          <View route={route} />
        ) : (
          <p>
            Page not found: “{route.view}”. <a href={hrefOf('rack')}>Go to the rack</a>
          </p>
        )}
      </main>
      <Notice />
      <ActionHost />
      {helps && <Help onClose={() => setHelps(false)} />}
    </>
  );
}

interface TopProps {
  route: Route;
  rackName: string | undefined;
  onHelp(): void;
}

function Top({ route, rackName, onHelp }: TopProps) {
  const [theme, nextTheme] = useTheme();
  const current = views.find(({ name }) => name === route.view)?.below ?? route.view;
  return (
    <header class="top">
      <a class="rack-name" href={hrefOf('rack')} title={rackName}>
        {rackName ?? 'skolo'}
      </a>
      <nav aria-label="Views">
        {inNavigation.map(({ name, title }) => (
          <a key={name} href={hrefOf(name)} aria-current={name === current ? 'page' : undefined}>
            {title}
          </a>
        ))}
      </nav>
      <Search />
      <Who />
      <button
        type="button"
        class="quiet"
        aria-label={`Colours: ${theme}. Change`}
        title={`Colours: ${theme}`}
        onClick={nextTheme}
      >
        {theme === 'auto' ? '◐' : theme === 'light' ? '○' : '●'}
      </button>
      <button
        type="button"
        class="quiet for-keyboards"
        aria-label="Keyboard shortcuts"
        title="Keyboard shortcuts: ?"
        onClick={onHelp}
      >
        ?
      </button>
    </header>
  );
}

/** The link that had the focus is on the page before. */
function useFocusOnPage(path: string) {
  const before = useRef(path);
  useEffect(() => {
    if (path !== before.current) focusMain();
    before.current = path;
  }, [path]);
}

function focusMain() {
  document.getElementById('main')?.focus({ preventScroll: true });
}

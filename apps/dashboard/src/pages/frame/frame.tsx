import { Tooltip } from '@base-ui/react/tooltip';
import { Outlet } from '@tanstack/react-router';
import { useCallback, useEffect, useState } from 'react';
import { isSignedOut } from '../../api/problem.ts';
import { useFeed, useFeedState } from '../../live/feed-context.ts';
import { paths } from '../../paths.ts';
import { useSession } from '../../queries/session.ts';
import { S } from '../../strings.ts';
import { HelpDialog } from '../../ui/help-dialog.tsx';
import { useGo } from '../go.ts';
import { Rail } from './rail.tsx';
import { TopBar } from './top-bar.tsx';
import { useKeys } from './use-keys.ts';
import { useLinks } from './use-links.ts';
import './frame.css';

/** What stands around every room: rail, top bar, the stream of events, keys. */
export function Frame() {
  const go = useGo();
  const session = useSession();
  const feed = useFeed();
  const [helpOpen, setHelpOpen] = useState(false);
  useKeys(
    go,
    useCallback(() => setHelpOpen(true), []),
  );
  useLinks(go);
  useSignedOut(isSignedOut(session.error));
  const isSignedIn = session.data !== undefined;
  useEffect(() => {
    if (!isSignedIn) return;
    feed.start();
    return () => feed.stop();
  }, [feed, isSignedIn]);
  return (
    <Tooltip.Provider>
      <div className="frame">
        <a className="skip" href="#main">
          {S.frame.skip}
        </a>
        <Rail onHelp={() => setHelpOpen(true)} />
        <TopBar />
        <main id="main" className="room" tabIndex={-1}>
          <Outlet />
        </main>
        <HelpDialog open={helpOpen} onClose={() => setHelpOpen(false)} />
      </div>
    </Tooltip.Provider>
  );
}

/** Whoever is not logged in is sent to the page that says how to, and back afterwards. */
function useSignedOut(isSignedOutNow: boolean): void {
  const go = useGo();
  const { phase } = useFeedState();
  const out = isSignedOutNow || phase === 'signed_out';
  useEffect(() => {
    if (!out) return;
    const { pathname, search } = window.location;
    go(paths.login(pathname === '/' ? undefined : pathname + search), { replace: true });
  }, [out, go]);
}

import { useEffect } from 'react';
import type { Go } from '../go.ts';

/** Lets plain links to our own pages open without loading anew. `data-replace` leaves no history. */
export function useLinks(go: Go): void {
  useEffect(() => {
    const onClick = (event: MouseEvent): void => {
      const link = (event.target as Element | null)?.closest('a');
      if (link === null || link === undefined || !isPlainClick(event)) return;
      if (link.target !== '' || link.hasAttribute('download')) return;
      const url = new URL(link.href, window.location.href);
      if (url.origin !== window.location.origin || url.pathname.startsWith('/api/')) return;
      if (url.pathname === '/docs' || url.hash !== '') return;
      event.preventDefault();
      go(url.pathname + url.search, { replace: 'replace' in link.dataset });
    };
    document.addEventListener('click', onClick);
    return () => document.removeEventListener('click', onClick);
  }, [go]);
}

function isPlainClick(event: MouseEvent): boolean {
  const { button, metaKey, ctrlKey, shiftKey, altKey } = event;
  return !event.defaultPrevented && button === 0 && !metaKey && !ctrlKey && !shiftKey && !altKey;
}

import { useRouter } from '@tanstack/react-router';
import { useCallback } from 'react';

/** Opens an address of this page. `replace`: without a step in the history. */
export type Go = (href: string, options?: { readonly replace?: boolean }) => void;

export function useGo(): Go {
  const { history } = useRouter();
  return useCallback(
    (href, options = {}) => {
      if (options.replace === true) history.replace(href);
      else history.push(href);
    },
    [history],
  );
}

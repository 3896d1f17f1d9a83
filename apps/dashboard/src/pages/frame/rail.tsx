import { Inbox, Keyboard, LogOut, Moon, Sun, SunMoon, Workflow } from 'lucide-react';
import { useRouterState } from '@tanstack/react-router';
import { paths } from '../../paths.ts';
import { useInbox } from '../../queries/checkpoints.ts';
import { useLogout } from '../../queries/session.ts';
import { S } from '../../strings.ts';
import { Button } from '../../ui/button.tsx';
import { THEMES, useTheme } from './theme.ts';

const ICON = { size: 18, strokeWidth: 1.75, 'aria-hidden': true } as const;
const THEME_ICON = { system: SunMoon, light: Sun, dark: Moon };

/** The rooms, and what concerns the page itself. */
export function Rail({ onHelp }: { readonly onHelp: () => void }) {
  const here = useRouterState({ select: ({ location }) => location.pathname });
  const waiting = useInbox().data?.items.length ?? 0;
  // A full load: nothing of the ended session stays in memory.
  const logout = useLogout(() => window.location.assign(paths.login()));
  return (
    <nav className="rail" aria-label={S.frame.rooms}>
      <a className="brand" href={paths.home()} aria-label={S.product}>
        <svg width="22" height="22" viewBox="0 0 32 32" aria-hidden="true">
          <path d="M8 24 22 7" stroke="currentColor" strokeWidth="5.5" strokeLinecap="round" />
          <circle cx="23" cy="23.5" r="4" className="brand-light" />
        </svg>
      </a>
      <a
        className="room-link"
        href={paths.runs()}
        aria-current={here.startsWith('/runs') ? 'page' : undefined}
      >
        <Workflow {...ICON} />
        <span>{S.rooms.runs}</span>
      </a>
      <a
        className="room-link"
        href={paths.inbox()}
        aria-current={here === '/inbox' ? 'page' : undefined}
      >
        <Inbox {...ICON} />
        <span>{S.rooms.inbox}</span>
        {waiting > 0 && <span className="badge tone-purple">{waiting}</span>}
      </a>
      <div className="rail-tail">
        <ThemeButton />
        <Button look="bare" label={S.frame.help} onClick={onHelp}>
          <Keyboard {...ICON} />
        </Button>
        <Button look="bare" label={S.frame.logout} onClick={() => logout.mutate()}>
          <LogOut {...ICON} />
        </Button>
      </div>
    </nav>
  );
}

function ThemeButton() {
  const [theme, setTheme] = useTheme();
  const Icon = THEME_ICON[theme];
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'system';
  return (
    <Button look="bare" label={S.frame.theme[theme]} onClick={() => setTheme(next)}>
      <Icon {...ICON} />
    </Button>
  );
}

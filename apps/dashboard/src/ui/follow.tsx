import { ArrowDown } from 'lucide-react';
import { useLayoutEffect, useRef, useState, type ReactNode } from 'react';
import { S } from '../strings.ts';
import { Button } from './button.tsx';
import './follow.css';

interface FollowProps {
  /** Changes whenever something was added. */
  readonly version: unknown;
  readonly label: string;
  readonly children: ReactNode;
}

const NEAR_PX = 24;

/** A pane that stays at its end while it grows, until somebody scrolls up. */
export function Follow({ version, label, children }: FollowProps) {
  const pane = useRef<HTMLElement>(null);
  const [follows, setFollows] = useState(true);
  useLayoutEffect(() => {
    if (follows && pane.current !== null) pane.current.scrollTop = pane.current.scrollHeight;
  }, [version, follows]);
  return (
    <div className="follow">
      <section
        ref={pane}
        className="follow-pane"
        aria-label={label}
        // A pane that scrolls must be in reach of the keyboard.
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        onScroll={(event) => {
          const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
          setFollows(scrollHeight - scrollTop - clientHeight < NEAR_PX);
        }}
      >
        {children}
      </section>
      {!follows && (
        <div className="follow-jump">
          <Button onClick={() => setFollows(true)}>
            <ArrowDown size={14} aria-hidden />
            {S.action.jumpToEnd}
          </Button>
        </div>
      )}
    </div>
  );
}
